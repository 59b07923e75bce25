"""The sentence builder's form: fields such as "c-0-1.op" to a tree of conditions and back, and its buttons."""

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from bot.services.segment_conditions import BY_KIND, CHOICES, DATE, FIELDS, NONE, NUMBER, RANGE, TEXT, YES_NO, Node
from models import Field

DEEPEST = 3  # groups within each other that buttons make; what programs made deeper is shown all the same
_NAME = re.compile(r"c((?:-\d{1,2}){0,8})\.(mode|what|was|op|of|value|value2)")
_GROUPS = {"all": False, "any": False, "none": True, "not_all": True}  # mode → negated

Row = dict[str, Any]  # {"mode", "rows"} or {"what", "op", "of", "value", "value2", "values"}


def new_condition() -> Row:
    return {"what": "follows", "op": "is", "of": "", "value": "yes"}


def read(given: MultiDict[str, str]) -> Row:
    """The rows as they were sent; numbers that were left out are closed up."""
    places: dict[tuple[int, ...], Row] = {}
    for name in given:
        if found := _NAME.fullmatch(name):
            place = tuple(int(part) for part in found[1].split("-")[1:])
            row = places.setdefault(place, {})
            row[found[2]] = given[name]
            if found[2] == "value":
                row["values"] = given.getlist(name)
    return _gathered(places, ())


def _gathered(places: Mapping[tuple[int, ...], Row], place: tuple[int, ...]) -> Row:
    row = places.get(place, {})
    if "what" in row:
        # What was chosen and typed for another subject says nothing of this one.
        return row if row.pop("was", row["what"]) == row["what"] else {"what": row["what"]}
    children = sorted(each for each in places if len(each) == len(place) + 1 and each[: len(place)] == place)
    mode = row.get("mode", "all")
    return {"mode": mode if mode in _GROUPS else "all", "rows": [_gathered(places, each) for each in children]}


def act(root: Row, action: str) -> str:
    """Do what a button says: "add:0-1", "group:0-1", "nest:0-1-2", "remove:0-1-2"; returns what gets the focus."""
    verb, _, where = action.partition(":")
    place = [at for part in where.split("-") if (at := number_of(part)) is not None]
    parent, row = root, root
    for at in place:
        rows = row.get("rows", [])
        if at >= len(rows):
            return ""
        parent, row = row, rows[at]
    if verb in ("add", "group") and "rows" in row:
        row["rows"].append(new_condition() if verb == "add" else {"mode": "any", "rows": [new_condition()]})
        return "-".join(["f-c", *map(str, [*place, len(row["rows"]) - 1]), "what" if verb == "add" else "mode"])
    if verb == "nest" and place and "what" in row:
        parent["rows"][place[-1]] = {"mode": "any", "rows": [row, new_condition()]}
        return "-".join(["f-c", *map(str, place), "1", "what"])
    if verb == "remove" and place:
        del parent["rows"][place[-1]]
        return "-".join(["f-c", *map(str, place[:-1]), "mode"])
    return ""


def number_of(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def operators_of(what: str, fields: Mapping[int, Field]) -> dict[str, str]:
    kind, _, number = what.partition(":")
    if kind == "field":
        found = fields.get(number_of(number) or 0)
        return BY_KIND[found.kind] if found else {}
    return FIELDS.get(kind, {})


def tree_of(row: Row, fields: Mapping[int, Field]) -> Node:
    if "rows" not in row:
        return _condition(row, fields)
    group = {"any" if row["mode"] in ("any", "none") else "all": [tree_of(each, fields) for each in row["rows"]]}
    return {"not": group} if _GROUPS[row["mode"]] else group


def conditions_of(row: Row) -> list[Row]:
    return [row] if "rows" not in row else [each for inner in row["rows"] for each in conditions_of(inner)]


def places_of(row: Row, place: str = "c") -> list[str]:
    """Where each condition stands, in the order of ``segment_conditions.walk``."""
    if "rows" not in row:
        return [place]
    return [each for at, inner in enumerate(row["rows"]) for each in places_of(inner, f"{place}-{at}")]


def _condition(row: Row, fields: Mapping[int, Field]) -> Node:
    what, _, number = str(row["what"]).partition(":")
    operators = operators_of(str(row["what"]), fields)
    op = str(row.get("op", ""))
    op = op if op in operators else next(iter(operators), "")
    row["op"] = op
    node: Node = {"field": what, "op": op}
    of = number or str(row.get("of", ""))
    if what in ("field", "answered"):
        node["of"] = number_of(of)
    elif what in ("tapped", "scanned"):
        node["of"] = of.strip()
    value = _value(operators.get(op, NONE), row)
    return node if value is None else {**node, "value": value}


def _value(kind: str, row: Row) -> Any:
    """What was typed as what it stands for; left as text where it is nothing of the kind, to be refused as such."""
    given = str(row.get("value", "")).strip()
    if kind == NONE:
        return None
    if kind == YES_NO:
        return given != "no"
    if kind == CHOICES:
        return [each for each in row.get("values", []) if each]
    if kind == RANGE:
        return [_number(given), _number(str(row.get("value2", "")).strip())]
    if kind in (TEXT, DATE):
        return given
    return _number(given) if kind == NUMBER else (number_of(given) or given)


def _number(text: str) -> Any:
    try:
        return int(text) if re.fullmatch(r"-?\d{1,15}", text) else float(text)
    except ValueError:
        return text


def row_of(node: Node) -> Row:
    """A tree as the form shows it."""
    if "field" in node:
        return _row(node)
    if "not" in node:
        inner = row_of(node["not"])
        opposite = {"all": "not_all", "any": "none"}.get(inner.get("mode", ""))
        return {**inner, "mode": opposite} if opposite else {"mode": "none", "rows": [inner]}
    mode = "all" if "all" in node else "any"
    return {"mode": mode, "rows": [row_of(each) for each in node[mode]]}


def _row(node: Node) -> Row:
    what, value = node["field"], node.get("value", "")
    row: Row = {"what": f"field:{node['of']}" if what == "field" else what, "op": node["op"], "of": node.get("of", "")}
    if isinstance(value, bool):
        return {**row, "value": "yes" if value else "no"}
    if isinstance(value, list):
        return {**row, "values": value, "value": value[0], "value2": value[-1]}
    return {**row, "value": value}

"""What a segment may ask of a follower: the list of everything, and whether a tree of conditions keeps to it.

A tree is {"all": [node, …]}, {"any": [node, …]}, {"not": node}, or one condition:
{"field": "wrote", "op": "last_days", "value": 7}, {"field": "tapped", "of": "TODAY", "op": "last_days", "value": 30},
{"field": "field", "of": 12, "op": "between", "value": [18, 30]}.  Every condition is true or false of every follower:
what is not known of somebody is not true of them, so that its negation is.
"""

import math
from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, Tag

from bot.errors import Refused
from models import FieldKind

MOST_CONDITIONS = 30
MOST_LEVELS = 6  # of groups and negations within each other
MOST_DAYS = 3650
LARGEST_ID = 2**63 - 1

# What an operator is followed by.
NONE, YES_NO, DAYS, TEXT, NUMBER, RANGE, DATE, CHOICES = (
    "none", "yes_no", "days", "text", "number", "range", "date", "choices",
)  # fmt: skip
TAG, FIELD, STAGE, OWNER, RULE = THINGS = ("tag", "field", "stage", "owner", "rule")  # things with a number
KEY = "key"

_EMPTY = {"empty": NONE, "not_empty": NONE}
_DAYS_AGO = {"last_days": DAYS, "not_last_days": DAYS}
_INSTANT = {**_DAYS_AGO, "on": DATE, "before": DATE, "after": DATE, **_EMPTY}
FIELDS: dict[str, dict[str, str]] = {  # field → operator → what follows
    "follows": {"is": YES_NO},
    "followed": _INSTANT,
    "unfollowed": _INSTANT,
    "blocked": {"is": YES_NO},
    "opted_out": {"is": YES_NO},
    "source": {"is": TEXT, "is_not": TEXT, "begins": TEXT},
    "name": {"contains": TEXT},
    "language": {"is": TEXT, "is_not": TEXT},
    "tag": {"has": TAG, "has_not": TAG},
    "stage": {"is": STAGE, "is_not": STAGE, **_EMPTY},
    "owner": {"is": OWNER, "is_not": OWNER, **_EMPTY},
    "wrote": _INSTANT,
    "seen": _INSTANT,
    "tapped": _DAYS_AGO,
    "scanned": _DAYS_AGO,
    "answered": _DAYS_AGO,
    "conversation": {"open": NONE, "not_open": NONE, **_DAYS_AGO},
    "field": {},  # by the kind of the field
}
OF = {"tapped": KEY, "scanned": KEY, "answered": RULE, "field": FIELD}
BY_KIND: dict[FieldKind, dict[str, str]] = {
    FieldKind.TEXT: {"is": TEXT, "is_not": TEXT, "contains": TEXT, "begins": TEXT, **_EMPTY},
    FieldKind.NUMBER: {"is": NUMBER, "is_not": NUMBER, "less": NUMBER, "more": NUMBER, "between": RANGE, **_EMPTY},
    FieldKind.DATE: {"on": DATE, "before": DATE, "after": DATE, **_DAYS_AGO, "next_days": DAYS, "birthday": DAYS,
                     **_EMPTY},
    FieldKind.CHOICE: {"one_of": CHOICES, "none_of": CHOICES, **_EMPTY},
    FieldKind.YES_NO: {"is": YES_NO, **_EMPTY},
}  # fmt: skip
OPERATORS = tuple(dict.fromkeys(op for ops in (*FIELDS.values(), *BY_KIND.values()) for op in ops))

Node = dict[str, Any]


# The shape, for the API's bodies and its document ---------------------------------------------------------------------


class Condition(BaseModel):
    """One question: `field`, what it is `of` (a menu key, a scene, a field's or a rule's id), `op` and `value`."""

    model_config = ConfigDict(extra="forbid")

    field: Literal[tuple(FIELDS)]  # type: ignore[valid-type]  # the one list above
    of: StrictInt | Annotated[StrictStr, Field(max_length=1024)] | None = None
    op: Literal[OPERATORS]  # type: ignore[valid-type]
    value: (
        StrictBool
        | StrictInt
        | StrictFloat
        | Annotated[StrictStr, Field(max_length=200)]
        | Annotated[list[StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=200)]], Field(max_length=50)]
        | None
    ) = None


class AllOf(BaseModel):
    """All of these hold."""

    model_config = ConfigDict(extra="forbid")

    all: Annotated[list["Tree"], Field(min_length=1, max_length=MOST_CONDITIONS)]


class AnyOf(BaseModel):
    """At least one of these holds."""

    model_config = ConfigDict(extra="forbid")

    any: Annotated[list["Tree"], Field(min_length=1, max_length=MOST_CONDITIONS)]


class NotThis(BaseModel):
    """This does not hold."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False, serialize_by_alias=True)

    not_: Annotated["Tree", Field(alias="not")]


def _kind_of_node(value: Any) -> str:
    if isinstance(value, BaseModel):
        return {"AllOf": "all", "AnyOf": "any", "NotThis": "not"}.get(type(value).__name__, "condition")
    keys = value if isinstance(value, dict) else {}
    return next((key for key in ("all", "any", "not") if key in keys), "condition")


Tree = Annotated[
    Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[NotThis, Tag("not")]
    | Annotated[Condition, Tag("condition")],
    Discriminator(_kind_of_node),
]
for _model in (AllOf, AnyOf, NotThis):
    _model.model_rebuild()


def plain(tree: BaseModel) -> Node:
    """A checked body as it is kept."""
    kept: Node = tree.model_dump(mode="json", by_alias=True, exclude_none=True)
    return kept


# The sense ------------------------------------------------------------------------------------------------------------


def below(node: Node) -> list[Node]:
    """A group's own nodes; none for a condition."""
    if "not" in node:
        return [node["not"]]
    return list(node.get("all") or node.get("any") or [])


def walk(node: Node, path: str = "conditions") -> Iterator[tuple[str, Node]]:
    """Each condition with its path, such as "conditions.all.0.not"."""
    if "field" in node:
        yield path, node
        return
    key = next(key for key in ("all", "any", "not") if key in node)
    for at, each in enumerate(below(node)):
        yield from walk(each, f"{path}.not" if key == "not" else f"{path}.{key}.{at}")


def levels(node: Node) -> int:
    return 0 if "field" in node else 1 + max(map(levels, below(node)), default=0)


def check_size(tree: Node) -> None:
    if levels(tree) > MOST_LEVELS:
        raise Refused("Groups may stand {max} deep at most.", field="conditions", max=MOST_LEVELS)
    if sum(1 for _each in walk(tree)) > MOST_CONDITIONS:
        raise Refused("A segment takes {max} conditions at most.", field="conditions", max=MOST_CONDITIONS)


def check_condition(path: str, node: Node, operators: dict[str, str]) -> None:
    """
    Args:
        operators: those that this field takes, and what follows each.

    Raises:
        Refused: with the path of what is wrong and one sentence.
    """
    if OF.get(node["field"]) == KEY:
        of = node.get("of")
        if not isinstance(of, str) or not 1 <= len(of) <= 1024 or "\0" in of:
            raise Refused("Say which key or scene is meant.", field=f"{path}.of")
    elif node["field"] not in OF and node.get("of") is not None:
        raise Refused("This condition takes no “of”.", field=f"{path}.of")
    if node.get("op") not in operators:
        raise Refused("Choose how to compare.", field=f"{path}.op")
    kind, value = operators[node["op"]], node.get("value")
    if kind == NONE and value is not None:
        raise Refused("This comparison takes no value.", field=f"{path}.value")
    if not _FITS[kind](value):
        raise Refused(_WRONG.get(kind, "Choose one from the list."), field=f"{path}.value", max=f"{MOST_DAYS:,}")


def is_id(value: Any) -> bool:
    return type(value) is int and 1 <= value <= LARGEST_ID


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) <= 1e15


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value.strip()) <= 200 and "\0" not in value


def _is_date(value: Any) -> bool:
    try:
        return len(value) == 10 and 1900 <= date.fromisoformat(value).year <= 2200
    except (TypeError, ValueError):
        return False


_FITS: dict[str, Callable[[Any], bool]] = {
    NONE: lambda value: value is None,
    YES_NO: lambda value: type(value) is bool,
    DAYS: lambda value: type(value) is int and 1 <= value <= MOST_DAYS,
    TEXT: _is_text,
    NUMBER: _is_number,
    RANGE: lambda value: (
        isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]
    ),
    DATE: _is_date,
    CHOICES: lambda value: isinstance(value, list) and 1 <= len(value) <= 50 and all(map(_is_text, value)),
    **dict.fromkeys(THINGS, is_id),
}
_WRONG = {
    YES_NO: "Choose yes or no.",
    DAYS: "Give a number of days from 1 to {max}.",
    TEXT: "Write 1 to 200 characters.",
    NUMBER: "Give a number.",
    RANGE: "Give two numbers, the smaller one first.",
    DATE: "Give a day such as 2026-11-23.",
    CHOICES: "Choose at least one.",
}

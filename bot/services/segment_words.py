"""A tree of conditions as a sentence: “follows us and wrote in the last 7 days”."""

from collections.abc import Callable
from typing import Any

from bot.services.segment_conditions import OF, Node, below
from bot.services.segment_things import Things, references

Translate = Callable[[str], str]
Shown = Callable[[str, Any], str]  # field and value → how a value from a fixed list is called


def describe(tree: Node, things: Things, _: Translate = str, shown: Shown | None = None) -> str:
    """One sentence, without its full stop."""
    return _joined(tree, things, _, shown or (lambda _field, value: str(value)), outer=True)


def _joined(node: Node, things: Things, _: Translate, shown: Shown, *, outer: bool = False) -> str:
    if "field" in node:
        return condition(node, things, _, shown)
    if "not" in node:
        inner = node["not"]
        parts = _joined(inner, things, _, shown, outer=True)
        return _("not ({conditions})").format(conditions=parts)
    glue = _(" and ") if "all" in node else _(" or ")
    parts = glue.join(_joined(each, things, _, shown) for each in below(node))
    return parts if outer or len(below(node)) == 1 else _("({conditions})").format(conditions=parts)


def condition(node: Node, things: Things, _: Translate, shown: Shown) -> str:
    """One condition in words."""
    field, op = node["field"], node["op"]
    value, of = node.get("value"), node.get("of")
    names = {part: _name(reference, things, _) for part, reference in references(node)}
    template = _about(_).get((field, op)) or _compared(_)[op]
    if type(value) is bool and not value:
        template = {
            "follows": _("does not follow us"),
            "blocked": _("is not blocked"),
            "opted_out": _("did not opt out of campaigns"),
        }.get(field, template)
    return template.format(
        what=names.get("of") or _instants(_).get(field, field),
        of=names.get("of") or of,
        value=names.get("value") or _value(value, op, field, _, shown),
    )


def _name(reference: tuple[str, int], things: Things, _: Translate) -> str:
    name = things.names.get(reference, f"#{reference[1]}")
    return _("“{name}” (deleted)").format(name=name) if reference in things.gone else f"“{name}”"


def _value(value: Any, op: str, field: str, _: Translate, shown: Shown) -> str:
    if isinstance(value, list):
        glue = f" {_('and')} " if op == "between" else _(", ")
        return glue.join(_value(each, op, field, _, shown) for each in value)
    if type(value) is bool:
        return _("yes") if value else _("no")
    if isinstance(value, float | int):
        return f"{value:,}".removesuffix(".0")
    is_text = op in ("contains", "begins") or (OF.get(field) == "field" and op in ("is", "is_not"))
    return f"“{value}”" if is_text else shown(field, value)


def _instants(_: Translate) -> dict[str, str]:
    return {
        "followed": _("day of following"),
        "unfollowed": _("day of leaving"),
        "wrote": _("last message"),
        "seen": _("last sign of life"),
        "stage": _("stage"),
        "owner": _("owner"),
        "source": _("source"),
        "language": _("language"),
    }


def _about(_: Translate) -> dict[tuple[str, str], str]:
    """Field and operator → the whole condition."""
    return {
        ("follows", "is"): _("follows us"),
        ("blocked", "is"): _("is blocked"),
        ("opted_out", "is"): _("opted out of campaigns"),
        ("followed", "last_days"): _("began to follow in the last {value} days"),
        ("followed", "not_last_days"): _("did not begin to follow in the last {value} days"),
        ("unfollowed", "last_days"): _("left in the last {value} days"),
        ("unfollowed", "not_last_days"): _("did not leave in the last {value} days"),
        ("wrote", "last_days"): _("wrote in the last {value} days"),
        ("wrote", "not_last_days"): _("did not write in the last {value} days"),
        ("wrote", "empty"): _("never wrote"),
        ("wrote", "not_empty"): _("wrote at least once"),
        ("seen", "last_days"): _("did anything in the last {value} days"),
        ("seen", "not_last_days"): _("did nothing in the last {value} days"),
        ("name", "contains"): _("name contains {value}"),
        ("tag", "has"): _("has the tag {value}"),
        ("tag", "has_not"): _("does not have the tag {value}"),
        ("tapped", "last_days"): _("tapped “{of}” in the last {value} days"),
        ("tapped", "not_last_days"): _("did not tap “{of}” in the last {value} days"),
        ("scanned", "last_days"): _("scanned “{of}” in the last {value} days"),
        ("scanned", "not_last_days"): _("did not scan “{of}” in the last {value} days"),
        ("answered", "last_days"): _("got the answer of {of} in the last {value} days"),
        ("answered", "not_last_days"): _("did not get the answer of {of} in the last {value} days"),
        ("conversation", "open"): _("talks with a person now"),
        ("conversation", "not_open"): _("talks with no person now"),
        ("conversation", "last_days"): _("asked for a person in the last {value} days"),
        ("conversation", "not_last_days"): _("did not ask for a person in the last {value} days"),
    }


def _compared(_: Translate) -> dict[str, str]:
    """Operator → a condition about {what}."""
    return {
        "is": _("{what} is {value}"),
        "is_not": _("{what} is not {value}"),
        "contains": _("{what} contains {value}"),
        "begins": _("{what} begins with {value}"),
        "less": _("{what} is less than {value}"),
        "more": _("{what} is more than {value}"),
        "between": _("{what} is between {value}"),
        "on": _("{what} is on {value}"),
        "before": _("{what} is before {value}"),
        "after": _("{what} is after {value}"),
        "last_days": _("{what} was in the last {value} days"),
        "not_last_days": _("{what} was not in the last {value} days"),
        "next_days": _("{what} is in the next {value} days"),
        "birthday": _("{what} comes round in the next {value} days, in any year"),
        "one_of": _("{what} is one of {value}"),
        "none_of": _("{what} is none of {value}"),
        "empty": _("{what} is empty"),
        "not_empty": _("{what} is not empty"),
    }

"""Rules and what differs between them, in the operator's words."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.console import words
from bot.console.language import _, look_up
from bot.services.matching import FIELDS, Item
from bot.services.rule_difference import Difference
from bot.services.rule_lint import Finding
from bot.services.takeovers import BROUGHT_BACK, TAKEN_OVER

ORDER = ("bad", "warn", "note")


@dataclass(frozen=True, slots=True)
class Side:
    """One field of a rule, before and after; or theirs and yours."""

    label: str
    before: str
    after: str


def label(field: str) -> str:
    return {
        "title": _("Name of the rule"),
        "group_name": _("Group"),
        "trigger": _("What sets it off"),
        "keywords": _("Keywords"),
        "replies": _("Replies"),
        "reply_mode": _("With several replies"),
        "is_enabled": _("Switched on"),
        "starts_on": _("From day"),
        "ends_on": _("To day"),
        "time_from": _("From hour"),
        "time_to": _("To hour"),
        "tag_id": _("Followers with the tag"),
    }[field]


def shown(item: Item, field: str, tags: Mapping[int, str]) -> str:
    """A field's value as text, one line for each keyword or reply."""
    value: Any = item.get(field)
    match field:
        case "keywords":
            is_text = item["trigger"] == "keyword"
            return "\n".join((words.match(each["mode"]) + " " if is_text else "") + each["text"] for each in value)
        case "replies":
            return "\n".join(_reply(reply) for reply in value)
        case "trigger":
            return words.trigger(value)
        case "reply_mode":
            return _("Send one at random") if value == "random" else _("Send all of them")
        case "is_enabled":
            return _("yes") if value else _("no")
        case "tag_id":
            return tags.get(value, "?") if value else _("everybody")
    return str(value or "") or "—"


def _reply(reply: Mapping[str, Any]) -> str:
    if reply["kind"] == "text":
        return str(reply["text"])
    parts = [str(value) for name, value in reply.items() if name not in ("kind", "articles") and value]
    for article in reply.get("articles", ()):
        parts += [str(value) for value in article.values() if value]
    return " · ".join([words.reply_kind(reply["kind"]), *parts])


def sides(before: Item, after: Item, tags: Mapping[int, str]) -> list[Side]:
    """The fields that are not the same; a field that looks the same although it is not is shown all the same."""
    return [
        Side(label(name), shown(before, name, tags), shown(after, name, tags))
        for name in FIELDS
        if before.get(name) != after.get(name)
    ]


def version_name(name: str) -> str:
    """What a version is called; those that taking over made have their names from us."""
    return {TAKEN_OVER: _("Taken over from WeChat"), BROUGHT_BACK: _("As it was before WeChat's replies")}.get(
        name, name
    )


def marks(difference: Difference) -> dict[int, str]:
    """Rule → why it is not live as it stands."""
    found = {one.item["id"]: _("moved") for one in difference.moved}
    found |= {one.after["id"]: _("changed") for one in difference.changed}
    found |= {one.item["id"]: _("new") for one in difference.added}
    return found


def by_rule(findings: Iterable[Finding]) -> dict[int, list[tuple[str, str]]]:
    """Rule → (level, sentence), the worst first."""
    found: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for finding in sorted(findings, key=lambda each: ORDER.index(each.level)):
        found[finding.rule_id].append((finding.level, finding.sentence(look_up)))
    return found

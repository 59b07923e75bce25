"""The lists of the sentence builder: what may be asked, how it is compared, and what with."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.console import words
from bot.console.language import _
from bot.console.segment_form import operators_of
from bot.services.segment_conditions import OWNER, STAGE, TAG
from models import Field, Stage, Tag

Options = list[tuple[str, str]]
SOURCES = (
    "SEARCH",
    "PROFILE_CARD",
    "QR_CODE",
    "PROFILE_LINK",
    "PROFILE_ITEM",
    "PAID",
    "WECHAT_ADVERTISEMENT",
    "OTHERS",
)


def names_of_ready() -> dict[str, str]:
    return {
        "active": _("Wrote this week"),
        "new": _("New this month"),
        "silent": _("Silent for 90 days"),
        "never_wrote": _("Follows, never wrote"),
        "asked": _("Asked for a person lately"),
    }


def modes() -> Options:
    return [
        ("all", _("all of these")),
        ("any", _("at least one of these")),
        ("none", _("none of these")),
        ("not_all", _("not all of these")),
    ]


def operators() -> dict[str, str]:
    return {
        "is": _("is"),
        "is_not": _("is not"),
        "has": _("includes"),
        "has_not": _("does not include"),
        "contains": _("contains"),
        "begins": _("begins with"),
        "less": _("less than"),
        "more": _("more than"),
        "between": _("between"),
        "on": _("on"),
        "before": _("before"),
        "after": _("after"),
        "last_days": _("in the last"),
        "not_last_days": _("not in the last"),
        "next_days": _("in the next"),
        "birthday": _("comes round in the next"),
        "one_of": _("is one of"),
        "none_of": _("is none of"),
        "empty": _("is empty"),
        "not_empty": _("is not empty"),
        "open": _("goes on now"),
        "not_open": _("goes on with nobody"),
    }


def languages() -> dict[str, str]:
    return {"zh_CN": _("Simplified Chinese"), "zh_TW": _("Traditional Chinese (Taiwan)"),
            "zh_HK": _("Traditional Chinese (Hong Kong)"), "en": _("English"), "ja": _("Japanese"),
            "ko": _("Korean")}  # fmt: skip


def value_name(field: str, value: Any) -> str:
    """How a sentence calls a value from a fixed list."""
    if field == "source":
        return words.source(str(value))
    return languages().get(str(value), str(value)) if field == "language" else str(value)


def subjects(fields: Mapping[int, Field]) -> list[tuple[str, Options]]:
    """What a condition may be about, in groups."""
    own = [(f"field:{each.id}", each.name) for each in fields.values()]
    groups = [
        (_("Following"), [("follows", _("Follows us")), ("followed", _("Day of following")),
                          ("unfollowed", _("Day of leaving")), ("source", _("Came by")), ("blocked", _("Blocked")),
                          ("opted_out", _("Opted out of campaigns"))]),
        (_("Doing"), [("wrote", _("Wrote")), ("seen", _("Did anything")), ("tapped", _("Tapped a menu button")),
                      ("scanned", _("Scanned a code")), ("answered", _("Got the answer of a rule")),
                      ("conversation", _("Conversation with a person"))]),
        (_("About them"), [("tag", _("Tag")), ("name", _("Name")), ("language", _("Language")), ("stage", _("Stage")),
                           ("owner", _("Owner"))]),
    ]  # fmt: skip
    return [*groups, (_("Your fields"), own)] if own else groups


def choices(
    fields: dict[int, Field],
    tags: Iterable[Tag],
    stages: Iterable[Stage],
    people: Mapping[int, str],
    rules: Mapping[int, str],
    scenes: list[str],
    buttons: list[dict[str, Any]],
) -> dict[str, Any]:
    """All that the builder's selects hold, by names that its template uses."""
    taps: Options = []
    for button in [each for top in buttons for each in (top, *top.get("sub_button", []))]:
        if key := button.get("key") or button.get("url"):
            taps.append((str(key), f"{button.get('name', '')} · {key}"))
    return {
        "subjects": subjects(fields),
        "modes": modes(),
        "operator_names": operators(),
        "operators_of": lambda what: operators_of(what, fields),
        "choices_of": lambda what: fields[int(what[6:])].choices if what.startswith("field:") else [],
        "taps": taps,
        "scenes": scenes,
        "rule_names": [(str(number), title) for number, title in rules.items()],
        "things": {
            TAG: [(str(each.id), each.name) for each in tags],
            STAGE: [(str(each.id), each.name) for each in stages],
            OWNER: [(str(number), name) for number, name in people.items()],
        },
        "fixed": {
            "source": [(f"ADD_SCENE_{name}", words.source(f"ADD_SCENE_{name}")) for name in SOURCES]
            + [(scene, scene) for scene in scenes],
            "language": list(languages().items()),
        },
    }

"""Two changes of one campaign, side by side: what somebody else has saved, and what was typed."""

from collections.abc import Mapping
from typing import Any

from bot.console import campaign_words
from bot.console.forms import rows
from bot.console.language import _
from bot.console.rule_words import Side


def sides(theirs: Mapping[str, Any], yours: Mapping[str, Any]) -> list[Side]:
    """What differs, a line for each field of the page."""
    before, after = _lines(theirs), _lines(yours)
    return [
        Side(label, before.get(label, "—") or "—", after.get(label, "—") or "—")
        for label in dict.fromkeys([*before, *after])
        if before.get(label, "") != after.get(label, "")
    ]


def _lines(values: Mapping[str, Any]) -> dict[str, str]:
    goal = values.get("goal") or {}
    told = {
        _("Name"): _text(values, "name"),
        _("Channel"): campaign_words.channels().get(_text(values, "channel"), ("",))[0],
        _("Who gets it"): " ".join(_text(values, name) for name in ("whom", "segment_id", "tag_id")).strip(),
        _("Not to these segments"): ", ".join(sorted(map(str, values.get("excluded_segments") or []))),
        _("Held out, per cent"): _text(values, "held_out") or "0",
        _("Begins"): _text(values, "starts").replace("T", " ") if values.get("when") == "at" else _("at once"),
        _("Quiet hours"): "–".join(_text(values, name) for name in ("quiet_from", "quiet_until")),
        _("Messages a second, at most"): _text(values, "pace"),
        _("What counts as a success"): campaign_words.goals().get(str(goal.get("kind") or ""), ""),
    }
    for row in rows(values, "variants"):
        content = row.get("content") or {}
        said = [str(content.get(name) or "") for name in ("text", "title", "description", "url", "media_id")]
        said += [f"{each.get('place')}: {each.get('value')}" for each in rows(content, "values") if each.get("place")]
        said += [str(each.get("title") or "") for each in rows(content, "articles")]
        told[_("Variant {name}", name=row.get("name", ""))] = "\n".join(line for line in said if line)
    return told


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value).replace("\r\n", "\n")

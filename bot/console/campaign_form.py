"""The composer's form: a campaign as the fields of a page, and back; and what stands in it halfway, to preview."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from bot.console.forms import Form, nested, rows
from bot.console.language import _
from bot.console.segment_form import number_of
from bot.errors import NotFound, Refused
from bot.services import segments
from bot.services.campaigns import CampaignDraft
from bot.wechat.contents import KINDS, Content, ContentAdapter
from models import Account, Campaign, Channel, Reach

MOST_VARIANTS = 5
FIELDS = {
    "text": ("text",),
    "image": ("media_id",),
    "voice": ("media_id",),
    "video": ("media_id", "title", "description"),
    "link": ("title", "description", "url", "picture_url"),
    "miniprogram": ("title", "appid", "pagepath", "thumb_media_id"),
    "template": ("template_id", "url"),
    "notice": ("template_id", "url"),
    "articles": (),
}
STORY = ("title", "author", "digest", "content", "thumb_media_id", "content_source_url")
WHOM = ("everyone", "segment", "tag", "all")

Row = dict[str, Any]


def read(given: MultiDict[str, str]) -> Form:
    """What was sent, with the boxes that may be ticked many times as lists."""
    values = nested(given)
    values["variants"] = rows(values, "variants")[:MOST_VARIANTS] or [new_variant()]
    values["excluded_segments"] = [each for each in given.getlist("excluded_segments") if each]
    return Form(values)


def new_variant(name: str = "A") -> Row:
    return {"name": name, "weight": "1", "content": {"kind": "text"}}


def form_of(campaign: Campaign) -> Form:
    """A campaign as it is kept."""
    whom = {Reach.TAG: "tag", Reach.ALL: "all"}.get(campaign.reach, "everyone" if campaign.to_everyone else "segment")
    same = ("name", "held_out", "starts", "quiet_from", "quiet_until", "missed_minutes", "pace", "goal")
    values: Row = {name: getattr(campaign, name) for name in same}
    if campaign.goal.get("kind") == "tag":
        values["goal"] = {**campaign.goal, "tag": campaign.goal.get("of")}
    return Form(
        {
            **values,
            "channel": campaign.channel.value,
            "whom": whom,
            "segment_id": campaign.segment_id or "",
            "tag_id": campaign.tag_id or "",
            "excluded_segments": [str(each) for each in campaign.excluded_ids.get("segments", [])],
            "when": "at" if campaign.starts else "now",
            "in_own_zone": "1" if campaign.in_own_zone else "",
            "ignores_cap": "1" if campaign.ignores_cap else "",
            "variants": [{**each, "content": _shown(each["content"])} for each in campaign.variants],
            "seen": campaign.version,
        }
    )


def draft_of(form: Form) -> CampaignDraft:
    """
    Raises:
        ValidationError: at names of the draft; ``refuse`` brings them to the page's.
    """
    values = form.values
    channel, whom = _channel(values), str(values.get("whom") or "everyone")
    is_list = whom in ("everyone", "segment")
    plan: Row = {
        "name": values.get("name", ""),
        "channel": channel,
        "reach": "list" if is_list else whom,
        "variants": [
            {
                "name": row.get("name") or "A",
                "weight": row.get("weight") or 1,
                "content": content_of(_row(row, "content"), channel),
            }
            for row in values["variants"]
        ],
        "held_out": (values.get("held_out") or 0) if is_list else 0,
        "to_everyone": whom == "everyone",
        "segment_id": (values.get("segment_id") or None) if whom == "segment" else None,
        "tag_id": (values.get("tag_id") or None) if whom == "tag" else None,
        "excluded_segments": values.get("excluded_segments", []) if is_list else [],
        "starts": values.get("starts", "") if values.get("when") == "at" else "",
        "in_own_zone": is_list and bool(values.get("in_own_zone")) and values.get("when") == "at",
        **{name: values.get(name) or "" for name in ("quiet_from", "quiet_until")},
        "missed_minutes": values.get("missed_minutes") or 60,
        "pace": values.get("pace") or None,
        "ignores_cap": bool(values.get("ignores_cap")),
        "goal": _goal(_row(values, "goal")),
    }
    return CampaignDraft.model_validate(plan)


def content_of(row: Row, channel: str) -> Row:
    """What one variant says, in the draft's shape: only the fields of its kind."""
    kind = channel if channel in ("template", "notice") else str(row.get("kind") or "text")
    content: Row = {"kind": kind}
    for name in FIELDS.get(kind, ()):
        value = str(row.get(name) or "").replace("\r\n", "\n")
        if value or name not in ("url", "picture_url"):
            content[name] = value
    if kind in ("template", "notice"):
        content["values"] = {
            str(each.get("place")).strip(): str(each.get("value") or "")
            for each in rows(row, "values")
            if str(each.get("place") or "").strip()
        }
        program = _row(row, "miniprogram")
        if program.get("appid"):
            content["miniprogram"] = {name: str(program.get(name) or "") for name in ("appid", "pagepath")}
    if kind == "articles":
        stories = [{name: str(each.get(name) or "") for name in STORY} for each in rows(row, "articles")]
        content["articles"] = [story for story in stories if any(story.values())]
        content["send_ignore_reprint"] = bool(row.get("send_ignore_reprint"))
    return content


def refuse(form: Form, problem: Refused | ValidationError) -> None:
    """Bring what is wrong to the page's fields."""
    form.refuse(problem)
    moved = {}
    for name, sentence in form.errors.items():
        parts = name.split(".")
        if parts[-1] == "content" or name == "variants":
            parts = [*parts, "kind"] if parts[-1] == "content" else ["variants", "1", "name"]
        if len(parts) > 2 and parts[0] == "variants" and parts[-1] == "values":
            parts = [*parts, "0", "place"]
        if len(parts) > 2 and parts[0] == "variants" and parts[-1] == "articles":
            parts = [*parts, "0", "title"]
        name = {"reach": "whom"}.get(name, ".".join(parts))
        moved[name] = sentence
    if "starts" in moved and not form.at("starts"):
        moved["starts"] = _("Choose the day and the time.")
    form.errors = moved


@dataclass(slots=True)
class Sketch:
    """What stands in the form now, as far as it can be read."""

    campaign: Campaign  # of no session; its variants are those that are whole
    contents: dict[int, Content] = field(default_factory=dict)  # the form's variant → what it says
    places: list[int] = field(default_factory=list)  # campaign.variants' place → the form's


def sketch(session: Session, account: Account, form: Form) -> Sketch:
    """A campaign that is kept nowhere, to look at."""
    values, channel = form.values, _channel(form.values)
    whom = str(values.get("whom") or "everyone")
    segment_id = number_of(str(values.get("segment_id") or "")) if whom == "segment" else None
    try:
        found = segments.get(session, account, segment_id).id if segment_id else None
    except NotFound:
        found = None
    plan = Sketch(
        Campaign(
            account_id=account.id,
            name=str(values.get("name", "")),
            channel=Channel(channel),
            reach=Reach.LIST,
            to_everyone=found is None,
            segment_id=found,
            excluded_ids={},
            held_out=0,
            in_own_zone=False,
            quiet_from="",
            ignores_cap=False,
            salt="",
            variants=[],
        )
    )
    for at, row in enumerate(values["variants"]):
        given = content_of(_row(row, "content"), channel)
        try:
            content = ContentAdapter.validate_python(given)
        except ValidationError:
            continue
        if content.kind in KINDS[channel]:
            plan.contents[at] = content
            plan.places.append(at)
            plan.campaign.variants.append({"name": row.get("name", ""), "weight": 1, "content": content.model_dump()})
    return plan


def act(form: Form, action: str) -> str:
    """Do what a button of the form says; returns the field that gets the focus, "" for none."""
    verb, _sep, where = action.partition(":")
    given: list[Row] = form.values["variants"]
    if verb == "add" and len(given) < MOST_VARIANTS:
        taken = {str(row.get("name")) for row in given}
        name = next(letter for letter in "ABCDEFGHIJ" if letter not in taken)
        given.append({**given[-1], "name": name})
        return f"variants.{len(given) - 1}.name"
    if verb == "remove" and where.isdecimal() and int(where) < len(given) > 1:
        del given[int(where)]
        return f"variants.{max(0, int(where) - 1)}.name"
    return ""


def _channel(values: Mapping[str, Any]) -> str:
    given = str(values.get("channel") or "")
    return given if given in set(Channel) else Channel.MASS.value


def _goal(goal: Row) -> Row:
    kind = str(goal.get("kind") or "")
    of = str(goal.get("of") or "") if kind in ("key", "scene") else str(goal.get("tag") or goal.get("of") or "")
    return {"kind": kind, "of": of if kind in ("key", "scene", "tag") else "", "days": goal.get("days") or 3}


def _row(values: Mapping[str, Any], name: str) -> Row:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _shown(content: Mapping[str, Any]) -> Row:
    shown = dict(content)
    if "values" in shown:
        shown["values"] = [{"place": place, "value": value} for place, value in shown["values"].items()]
        shown["miniprogram"] = shown.get("miniprogram") or {}
    return shown

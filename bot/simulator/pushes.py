"""What followers do: each act changes what WeChat knows, then goes to the platform as a push."""

import math
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.simulator import autoreplies, delivery, envelope, followers, inbox, media, windows
from bot.simulator.accounts import Account
from bot.simulator.delivery import Outcome, Push
from bot.simulator.store import next_serial
from bot.simulator.world import World

# Beyond 2^53, so that a float on the way loses the difference between two neighbours.
FIRST_MSG_ID = 24_300_000_000_000_001

# However a test writes them, they go out in the case that WeChat uses.
SPELLINGS = "subscribe unsubscribe SCAN LOCATION CLICK VIEW view_miniprogram scancode_push scancode_waitmsg"
SPELLINGS += " pic_sysphoto pic_photo_or_album pic_weixin location_select"
EVENTS = {name.lower(): name for name in SPELLINGS.split()}
OPENED_BY = {
    "subscribe": "follow",
    "SCAN": "scan",
    "CLICK": "menu",
    "scancode_push": "menu",
    "scancode_waitmsg": "menu",
}
AWAITS_ANSWER = ("subscribe", "SCAN", "CLICK")  # else no failure notice
REPLY_IGNORED = ("VIEW", "view_miniprogram", "unsubscribe")

MEDIA_TYPES = ("image", "voice", "video", "shortvideo")


@dataclass(frozen=True)
class Act:
    """What a follower did, as the control calls and the phone describe it."""

    openid: str
    fields: Mapping[str, Any]  # for the XML, after the four that each push begins with
    type: str = "text"
    event: str = ""
    raw_xml: str = ""
    repeat: int = 0
    parallel: bool = False


@dataclass(frozen=True)
class Done:
    msg_id: int | None
    outcome: Outcome

    def shown(self) -> dict[str, Any]:
        return {
            "msg_id": self.msg_id,
            "attempts": [attempt.shown() for attempt in self.outcome.attempts],
            "reply": self.outcome.reply,
            "notice": self.outcome.notice,
            "why": self.outcome.why,
        }


def say(world: World, account: Account, act: Act, shown: Mapping[str, Any]) -> Done:
    """A message. `shown`: how it looks on the follower's own phone."""
    now = world.clock.now()
    with world.store.writing() as db:
        msg_id = next_serial(db, "msg_id", FIRST_MSG_ID)
        inbox.add(db, account.account, act.openid, inbox.MINE, act.type, now, dict(shown))
        heard = _is_heard(db, account, act.openid)
        if heard:
            # A tap on a msgmenu item arrives as a text, and counts as a tap.
            _interact(db, account, act.openid, "menu" if "bizmsgmenuid" in act.fields else "message", now)
    world.bell.ring()
    if not heard:
        return Done(msg_id, Outcome())
    head = _head(account, act.openid, now) | {"MsgType": act.type}
    xml = act.raw_xml or envelope.to_xml(head | dict(act.fields) | {"MsgId": msg_id})
    push = Push(act.openid, xml, news_limit=1, shows_notice=True)
    return Done(msg_id, _carry(world, account, push, act))


def trigger(world: World, account: Account, act: Act, shown: Mapping[str, Any] | None = None) -> Done:
    """An event: a follow, a scan, a tap on the menu, or anything else WeChat reports."""
    event = EVENTS.get(act.event.lower(), act.event)
    now = world.clock.now()
    with world.store.writing() as db:
        if shown is not None:
            inbox.add(db, account.account, act.openid, inbox.MINE, "event", now, {"event": event} | dict(shown))
        heard = _is_heard(db, account, act.openid) or event == "unsubscribe"
        if event == "subscribe":
            scene = str(act.fields.get("EventKey") or "").removeprefix("qrscene_")
            followers.follow(db, account.account, act.openid, now, scene)
        elif event == "unsubscribe":
            followers.unfollow(db, account.account, act.openid)
        if heard and event in OPENED_BY:
            _interact(db, account, act.openid, OPENED_BY[event], now)
    world.bell.ring()
    if not heard:
        return Done(None, Outcome())
    head = _head(account, act.openid, now) | {"MsgType": "event", "Event": event}
    xml = act.raw_xml or envelope.to_xml(head | dict(act.fields))
    push = Push(
        act.openid,
        xml,
        news_limit=8,
        shows_notice=event in AWAITS_ANSWER,
        shows_reply=event not in REPLY_IGNORED,
    )
    return Done(None, _carry(world, account, push, act))


def message_fields(
    world: World, account: Account, type_: str, given: dict[str, Any], base_url: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a message of this type carries: for the XML, and for the follower's own phone.

    Takes out of `given` what it uses.

    Raises:
        ValueError: a field is not what it should be.
    """
    if type_ == "text":
        text = given.pop("text", "")
        if not isinstance(text, str):
            raise ValueError("text: must be a text")
        fields: dict[str, Any] = {"Content": text}
        if "bizmsgmenuid" in given:
            fields["bizmsgmenuid"] = str(given.pop("bizmsgmenuid"))
        return fields, {"text": fields["Content"]}
    if type_ in MEDIA_TYPES:
        return _media_fields(world, account, type_, given, base_url)
    if type_ == "location":
        place = {
            "Location_X": _number(given, "latitude", 23.134521, 90),
            "Location_Y": _number(given, "longitude", 113.358803, 180),
            "Scale": int(_number(given, "scale", 15, 100)),
            "Label": str(given.pop("label", "广州市海珠区客村艺苑路12号")),
        }
        return place, {"text": place["Label"], "latitude": place["Location_X"], "longitude": place["Location_Y"]}
    if type_ == "link":
        link = {name.capitalize(): str(given.pop(name, "")) for name in ("title", "description", "url")}
        return link, {"text": link["Title"], "url": link["Url"]}
    return {}, {"text": str(given.pop("text", ""))}


def _media_fields(
    world: World, account: Account, type_: str, given: dict[str, Any], base_url: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    kind = "video" if type_ == "shortvideo" else type_
    media_id = str(given.pop("media_id", "") or media.add_sample(world, account.account, kind)["media_id"])
    fields = {"MediaId": media_id}
    if type_ == "image":
        fields = {"PicUrl": f"{base_url}/pic/{media_id}"} | fields
    elif type_ == "voice":
        voice_format = str(given.pop("format", "amr"))
        fields |= {"Format": voice_format, "MediaId16K": media_id + "_16k", "Recognition": ""}
    else:
        thumb = given.pop("thumb_media_id", "") or media.add_sample(world, account.account, "thumb")["media_id"]
        fields["ThumbMediaId"] = str(thumb)
    return fields, {"text": "", "media_id": media_id}


def _number(given: dict[str, Any], name: str, usual: float, most: float) -> float:
    value = given.pop(name, usual)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not -most <= number <= most:
        raise ValueError(f"{name}: must be a number from -{most} to {most}")
    return number


def _head(account: Account, openid: str, now: float) -> dict[str, Any]:
    return {"ToUserName": account.original_id, "FromUserName": openid, "CreateTime": int(now)}


def _is_heard(db: sqlite3.Connection, account: Account, openid: str) -> bool:
    """Nothing of a blacklisted follower reaches the platform."""
    follower = followers.find(db, account.account, openid)
    return follower is not None and not follower["blacklisted"]


def _interact(db: sqlite3.Connection, account: Account, openid: str, trigger: str, now: float) -> None:
    db.execute(
        "UPDATE followers SET interacted_at = ? WHERE account = ? AND openid = ?", (now, account.account, openid)
    )
    follower = followers.find(db, account.account, openid)
    if follower is not None and follower["following"]:
        windows.open_window(db, account.account, openid, trigger, now)


def _carry(world: World, account: Account, push: Push, act: Act) -> Outcome:
    if not account.callback_url:
        return _answered_by_console(world, account, act)
    return delivery.deliver(world, account, push, act.repeat, act.parallel)


def _answered_by_console(world: World, account: Account, act: Act) -> Outcome:
    """Without a callback address WeChat itself answers, by what the owner set on its pages."""
    with world.store.writing() as db:
        known = autoreplies.info(db, account.account)
        texts: list[str] = []
        if act.event.lower() == "subscribe":
            texts = list(autoreplies.to_follow(known))
        elif not act.event:
            texts = list(autoreplies.to_message(known, str(act.fields.get("Content", ""))))
        for text in texts:
            inbox.add(db, account.account, act.openid, "passive", "text", world.clock.now(), {"text": text})
    if not texts:
        return Outcome()
    world.bell.ring()
    return Outcome(reply={"kind": "text", "type": "text", "text": texts[0]})

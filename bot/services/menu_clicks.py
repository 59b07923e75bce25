"""How often each button was tapped.  It only counts; nothing depends on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from bot import clock
from bot.services.segment_queries import TookTooLong, at_most
from models import Account, InboundMessage

SHORT, LONG = 7, 30  # days

# A button's type → the event that its tap brings, and the field that comes with it; the other types bring none.
EVENTS = {
    "click": ("click", "key"),
    "view": ("view", "url"),
    "miniprogram": ("view_miniprogram", "pagepath"),
    "scancode_push": ("scancode_push", "key"),
    "scancode_waitmsg": ("scancode_waitmsg", "key"),
    "pic_sysphoto": ("pic_sysphoto", "key"),
    "pic_photo_or_album": ("pic_photo_or_album", "key"),
    "pic_weixin": ("pic_weixin", "key"),
    "location_select": ("location_select", "key"),
}


@dataclass(frozen=True, slots=True)
class Count:
    """Taps in the last days."""

    last_7: int = 0
    last_30: int = 0


@dataclass(frozen=True, slots=True)
class ButtonCount:
    """One button and its taps; None: WeChat tells nothing of taps on this kind."""

    place: str  # "2" or "2.3"
    name: str
    type: str
    count: Count | None


Counts = dict[tuple[str, str], Count]  # event and key
SECONDS = 5.0


def counts(
    session: Session, account: Account, menus: list[list[dict[str, Any]]], seconds: float = SECONDS
) -> Counts | None:
    """Taps by event and key, of the buttons of these menus.  Buttons that say the same are counted together.

    None: it took longer than that.
    """
    wanted = {known for buttons in menus for _place, each in leaves(buttons) if (known := _said(each))}
    if not wanted:
        return {}
    now, at = clock.now(), InboundMessage.received_at
    lately = func.sum(case((at >= now - timedelta(days=SHORT), 1), else_=0))
    query = (
        select(InboundMessage.event, InboundMessage.key, lately, func.count())
        .where(
            InboundMessage.account_id == account.id,
            InboundMessage.event.in_(sorted({event for event, _key in wanted})),
            InboundMessage.event != "",  # says nothing new, but lets SQLite take the index of events
            InboundMessage.key.in_(sorted({key for _event, key in wanted})),
            at >= now - timedelta(days=LONG),
        )
        .group_by(InboundMessage.event, InboundMessage.key)
    )
    try:
        with at_most(session, seconds):
            rows = session.execute(query).all()
    except TookTooLong:
        return None
    return {(event, key): Count(int(short), int(long)) for event, key, short, long in rows if (event, key) in wanted}


def per_button(buttons: list[dict[str, Any]], counted: Counts | None) -> list[ButtonCount]:
    return [ButtonCount(place, each["name"], each["type"], _of(each, counted)) for place, each in leaves(buttons)]


def leaves(buttons: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every button that does something, with its place."""
    for at, button in enumerate(buttons, start=1):
        if below := button.get("sub_button"):
            yield from ((f"{at}.{place}", each) for place, each in enumerate(below, start=1))
        elif button.get("type"):
            yield str(at), button


def _of(button: dict[str, Any], counted: Counts | None) -> Count | None:
    said = _said(button)
    return None if said is None or counted is None else counted.get(said, Count())


def _said(button: dict[str, Any]) -> tuple[str, str] | None:
    """The event and key that a tap on it brings."""
    event, field = EVENTS.get(button["type"], ("", ""))
    return (event, str(button[field])) if event else None

"""How often each button was tapped.  It only counts; nothing depends on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import clock
from bot.services.segment_queries import TookTooLong, at_most
from models import Account, InboundMessage

SHORT, LONG = 7, 30  # days in UTC, today's with them

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
    """Taps in the last 7 and 30 days, today with them."""

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
Taps = dict[tuple[str, str], int]
SECONDS = 5.0

SETTLING = timedelta(minutes=5)  # what came in before midnight is committed by then
KEPT_DAYS = 3_000  # of all accounts in one process
_counted: dict[tuple[int, datetime, datetime], Taps] = {}


def counts(
    session: Session, account: Account, menus: list[list[dict[str, Any]]], seconds: float = SECONDS
) -> Counts | None:
    """Taps by event and key, of the buttons of these menus.  Buttons that say the same are counted together.

    None: it took longer than that; the days that were counted by then are kept, and the next call goes on from there.
    """
    wanted = {known for buttons in menus for _place, each in leaves(buttons) if (known := _said(each))}
    if not wanted:
        return {}
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=back) for back in range(LONG)]
    settled = clock.now() - SETTLING
    try:
        with at_most(session, seconds):
            by_day = [_taps(session, account, day, is_over=day + timedelta(days=1) <= settled) for day in days]
    except TookTooLong:
        return None
    return {
        said: Count(sum(day.get(said, 0) for day in by_day[:SHORT]), sum(day.get(said, 0) for day in by_day))
        for said in wanted
    }


def _taps(session: Session, account: Account, day: datetime, *, is_over: bool) -> Taps:
    """Taps on anything within a day; what is over does not change, so each process counts it once."""
    of_day = account.id, account.created_at, day  # a number may be given again, to an account made later
    if (known := _counted.get(of_day)) is not None:
        return known
    at = InboundMessage.received_at
    rows = session.execute(
        select(InboundMessage.event, InboundMessage.key, func.count())
        .where(
            InboundMessage.account_id == account.id,
            InboundMessage.event.in_(sorted({event for event, _field in EVENTS.values()})),
            InboundMessage.event != "",  # says nothing new, but lets SQLite take the index of events
            at >= day,
            at < day + timedelta(days=1),
        )
        .group_by(InboundMessage.event, InboundMessage.key)
    )
    taps = {(event, key): count for event, key, count in rows}
    if is_over:
        if len(_counted) >= KEPT_DAYS:
            _counted.clear()
        _counted[of_day] = taps
    return taps


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

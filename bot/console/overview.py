"""The numbers on the first page.  It only counts; nothing else depends on it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from bot import clock
from models import Account, Follower, InboundMessage, Menu, Rule

DAYS = 14


@dataclass(frozen=True, slots=True)
class Overview:
    days: list[tuple[date, int]]  # messages per day of the account's zone, oldest first
    new_followers: int  # today
    lost_followers: int
    rules: int
    has_menu: bool

    @property
    def messages_today(self) -> int:
        return self.days[-1][1]


def read(session: Session, account: Account) -> Overview:
    starts = _day_starts(account)
    today = starts[-2]
    of_account = Follower.account_id == account.id
    return Overview(
        days=_messages_per_day(session, account, starts),
        new_followers=_count(session, select(Follower.id).where(of_account, Follower.subscribed_at >= today)),
        lost_followers=_count(session, select(Follower.id).where(of_account, Follower.unsubscribed_at >= today)),
        rules=_count(session, select(Rule.id).where(Rule.account_id == account.id, Rule.is_enabled)),
        has_menu=session.scalar(select(Menu.published_at).where(Menu.account_id == account.id)) is not None,
    )


def _messages_per_day(session: Session, account: Account, starts: list[datetime]) -> list[tuple[date, int]]:
    at = InboundMessage.received_at
    zone = ZoneInfo(account.timezone)
    sums = [func.sum(case(((at >= start) & (at < end), 1), else_=0)) for start, end in pairwise(starts)]
    row = session.execute(
        select(*sums).where(
            InboundMessage.account_id == account.id, InboundMessage.kind != "event", at >= starts[0], at < starts[-1]
        )
    ).one()
    return [(start.astimezone(zone).date(), int(count or 0)) for start, count in zip(starts, row, strict=False)]


def _day_starts(account: Account) -> list[datetime]:
    """Midnights of the account's zone, from DAYS days ago to tomorrow's."""
    zone = ZoneInfo(account.timezone)
    today = clock.now().astimezone(zone).date()
    return [datetime.combine(today + timedelta(days=ahead), time(), zone) for ahead in range(1 - DAYS, 2)]


def _count(session: Session, rows: Select[int]) -> int:
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0

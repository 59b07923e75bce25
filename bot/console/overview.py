"""The numbers on the first page.  It only counts; nothing else depends on it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
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


_whole: dict[tuple[int, datetime], int] = {}  # account and the beginning of a day that is over → its messages


def _messages_per_day(session: Session, account: Account, starts: list[datetime]) -> list[tuple[date, int]]:
    """Read off an index alone; a day that is over is counted once by each process."""
    zone, found = ZoneInfo(account.timezone), []
    at = InboundMessage.received_at
    for start, end in pairwise(starts):
        count = _whole.get((account.id, start))
        if count is None:
            of_day = (InboundMessage.account_id == account.id, at >= start, at < end, InboundMessage.event == "")
            count = session.scalar(select(func.count()).select_from(InboundMessage).where(*of_day)) or 0
            if end <= clock.now() - timedelta(minutes=1):
                _whole[account.id, start] = count
        found.append((start.astimezone(zone).date(), count))
    return found


def forget() -> None:
    _whole.clear()


def _day_starts(account: Account) -> list[datetime]:
    """Midnights of the account's zone, from DAYS days ago to tomorrow's."""
    zone = ZoneInfo(account.timezone)
    today = clock.now().astimezone(zone).date()
    return [datetime.combine(today + timedelta(days=ahead), time(), zone) for ahead in range(1 - DAYS, 2)]


def _count(session: Session, rows: Select[int]) -> int:
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0

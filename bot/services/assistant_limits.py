"""What a day may take: messages are counted when they are asked, tokens and money reserved before the model is."""

from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.services.assistant import Asked
from models import Account, Assistant, AssistantUsage, affected

FEN = 1_000_000  # ``cost`` counts millionths
MANY = 2**62


class Spent(NamedTuple):
    """Of one day."""

    messages: int
    tokens: int
    cost: int  # millionths of a fen


def day_of(timezone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(timezone)).date()


def cost_of(assistant: Assistant, tokens_in: int, tokens_out: int) -> int:
    """A million tokens cost so many fen: so one costs as many millionths."""
    return tokens_in * assistant.price_in_fen + tokens_out * assistant.price_out_fen


def count_message(session: Session, account_id: int, follower_id: int, day: date, asked: Asked) -> bool:
    """Count one question against the account's and the follower's limit; False: one is used up, nothing was counted."""
    if not _add(session, account_id, None, day, {"messages": 1}, {"messages": asked.account_messages}):
        return False
    if not asked.follower_messages:
        return True
    if _add(session, account_id, follower_id, day, {"messages": 1}, {"messages": asked.follower_messages}):
        return True
    _add(session, account_id, None, day, {"messages": -1}, {})
    return False


def reserve(session: Session, assistant: Assistant, follower_id: int | None, day: date, tokens: int, cost: int) -> bool:
    """Hold as much as one answer may take at most; False: it is not there any more, nothing was held."""
    added = {"tokens": tokens, "cost": cost}
    ours = {"tokens": assistant.account_tokens, "cost": assistant.account_fen * FEN}
    if not _add(session, assistant.account_id, None, day, added, ours):
        return False
    theirs = {"tokens": assistant.follower_tokens, "cost": assistant.follower_fen * FEN}
    if (
        follower_id is None
        or not is_limited(assistant)
        or _add(session, assistant.account_id, follower_id, day, added, theirs)
    ):
        return True
    adjust(session, assistant, None, day, -tokens, -cost)
    return False


def adjust(session: Session, assistant: Assistant, follower_id: int | None, day: date, tokens: int, cost: int) -> None:
    """Make what was reserved what it really took (negative numbers give back), for both."""
    both = (None, follower_id) if is_limited(assistant) else (None,)
    for whose in dict.fromkeys(both):  # in this order everywhere: nobody waits in a circle
        _add(session, assistant.account_id, whose, day, {"tokens": tokens, "cost": cost}, {})


def is_limited(assistant: Assistant) -> bool:
    """Whether a single follower's tokens or money are: else nobody counts them."""
    return bool(assistant.follower_tokens or assistant.follower_fen)


def spent(session: Session, account: Account, now: datetime, follower_id: int | None = None) -> Spent:
    """Today's."""
    row = session.execute(
        select(AssistantUsage.messages, AssistantUsage.tokens, AssistantUsage.cost).where(
            AssistantUsage.account_id == account.id,
            AssistantUsage.follower_id.is_(None) if follower_id is None else AssistantUsage.follower_id == follower_id,
            AssistantUsage.day == day_of(account.timezone, now),
        )
    ).one_or_none()
    return Spent(*row) if row else Spent(0, 0, 0)


def prune(session: Session, before: date) -> None:
    """Followers' days that are over limit nobody any more; the account's stay."""
    session.execute(
        delete(AssistantUsage)
        .where(AssistantUsage.follower_id.is_not(None), AssistantUsage.day < before)
        .execution_options(synchronize_session=False)
    )


def _add(
    session: Session, account_id: int, follower_id: int | None, day: date, added: dict[str, int], limit: dict[str, int]
) -> bool:
    """One conditional update: of two at once the second sees the first.  The day's first also makes the row."""
    of_account = AssistantUsage.follower_id.is_(None)
    table = AssistantUsage.__table__.c
    whose = of_account if follower_id is None else AssistantUsage.follower_id == follower_id
    within = [table[name] + added[name] <= most for name, most in limit.items() if most]
    add = (
        update(AssistantUsage)
        .where(AssistantUsage.account_id == account_id, whose, AssistantUsage.day == day, *within)
        .values({name: table[name] + value for name, value in added.items()})
        .execution_options(synchronize_session=False)
    )
    if affected(session.execute(add)):
        return True
    values: dict[str, Any] = {"account_id": account_id, "follower_id": follower_id, "day": day}
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    made = session.execute(
        insert(AssistantUsage)
        .values(**values, messages=0, tokens=0, cost=0)
        .on_conflict_do_nothing(
            index_elements=["account_id" if follower_id is None else "follower_id", "day"],
            index_where=of_account if follower_id is None else ~of_account,
        )
    )
    # There already: the limit is reached, unless somebody has made it since we looked.
    return bool(affected(made) or not within) and bool(affected(session.execute(add)))

"""Texts found by what stands in them, on either side of a talk, newest first.

Nothing is written with a message, so the webhook pays nothing: a job reads what has come since (``read``), and keeps
what each text can be found by (``keep``).  What was said before there was a search is read the same way, the oldest
first.  The bot's own answers are not read: they are in its rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any, NamedTuple

from sqlalchemy import and_, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from bot.errors import Refused
from bot.services import bigrams
from models import (
    Account,
    Conversation,
    Follower,
    InboundMessage,
    MessageReading,
    MessageTerms,
    Operator,
    Send,
    term_index,
)

ROWS = 500  # of a side, read and kept at once: SQLite's other writers wait some 20 ms
THE_ROW = 1
_SLACK = timedelta(seconds=1)  # a conversation is opened by a message, a moment after it


class Side(StrEnum):
    FOLLOWER = "follower"
    OPERATOR = "operator"  # a person, or a program by the API


_MARKS = {Side.FOLLOWER: "i", Side.OPERATOR: "o"}


# Reading -------------------------------------------------------------------------------------------------------------


class End(NamedTuple):
    """The newest message and send."""

    message_id: int
    send_id: int


@dataclass(frozen=True, slots=True)
class Some:
    """The next texts, as they are kept; from which state of the reading to which."""

    before: dict[str, int]
    after: dict[str, int]
    rows: list[dict[str, Any]]


def end(session: Session) -> End:
    newest = session.execute(
        select(select(func.max(InboundMessage.id)).scalar_subquery(), select(func.max(Send.id)).scalar_subquery())
    ).one()
    return End(newest[0] or 0, newest[1] or 0)


def share_read(session: Session) -> float:
    """How much of what followers sent is read, 0 to 1."""
    newest, state = end(session).message_id, _state(session)
    return state["message_id"] / newest if newest else 1.0


def is_behind(session: Session) -> bool:
    state, newest = _state(session), end(session)
    return newest.message_id > state["message_id"] or newest.send_id > state["send_id"]


def fence(session: Session) -> int:
    """Taken after ``end``: once ``is_over``, nobody can commit a row below that end any more.

    SQLite's writers commit in the order of their rows.  PostgreSQL's do not: a lower number may come later.
    """
    if session.get_bind().dialect.name == "sqlite":
        return 0
    return int(session.scalar(text("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)")))


def is_over(session: Session, fence: int) -> bool:
    if not fence:
        return True
    oldest = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")
    return int(session.scalar(oldest)) > fence


def read(session: Session, end: End) -> Some | None:
    """The next texts up to this end, both sides in the order of their times; None: all are read."""
    state = _state(session)
    if state["message_id"] >= end.message_id and state["send_id"] >= end.send_id:
        return None
    columns = InboundMessage.id, InboundMessage.account_id, InboundMessage.follower_id
    received: Sequence[Any] = session.execute(
        select(*columns, InboundMessage.received_at.label("at"), InboundMessage.text)
        .where(InboundMessage.id > state["message_id"], InboundMessage.id <= end.message_id)
        .where(InboundMessage.event == "", InboundMessage.text != "", InboundMessage.follower_id.is_not(None))
        .order_by(InboundMessage.id)
        .limit(ROWS)
    ).all()
    sent: Sequence[Any] = session.execute(
        select(Send.id, Send.account_id, Send.follower_id, Send.created_at.label("at"), Send.reply)
        .where(Send.id > state["send_id"], Send.id <= end.send_id, Send.message_id.is_(None))
        .order_by(Send.id)
        .limit(ROWS)
    ).all()
    # Neither side runs ahead of what the other may still have.
    horizon = min((max(row.at for row in rows) for rows in (received, sent) if len(rows) == ROWS), default=None)
    received, message_id = _until(horizon, received, state["message_id"], end.message_id)
    sent, send_id = _until(horizon, sent, state["send_id"], end.send_id)

    dialect, last_id = session.get_bind().dialect.name, state["last_id"]
    said = [(row, Side.FOLLOWER, row.text) for row in received]
    said += [(row, Side.OPERATOR, str(row.reply.get("text", ""))) for row in sent]
    rows = []
    for row, side, words in sorted(said, key=lambda each: each[0].at):
        found = dict.fromkeys(bigrams.terms(words))
        if not found:
            continue
        last_id += 1
        mark = term_index.mark(last_id, dialect) + _mark(row.account_id, side)
        own = "message_id" if side is Side.FOLLOWER else "send_id"
        rows.append(
            {"id": last_id, "account_id": row.account_id, "follower_id": row.follower_id}
            | {"message_id": None, "send_id": None, own: row.id}
            | {"terms": " ".join(mark + term for term in found)}
        )
    return Some(state, {"message_id": message_id, "send_id": send_id, "last_id": last_id}, rows)


def keep(session: Session, some: Some) -> bool:
    """Keep what was read, if nobody else has meanwhile."""
    write = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    unmoved = and_(*(getattr(MessageReading, name) == value for name, value in some.before.items()))
    moved = (
        write(MessageReading)
        .values(id=THE_ROW, **some.after)
        .on_conflict_do_update(index_elements=["id"], set_=some.after, where=unmoved)
        .returning(MessageReading.id)
    )
    if session.scalar(moved) is None:
        return False
    if some.rows:
        session.execute(insert(MessageTerms), some.rows)
    return True


def _state(session: Session) -> dict[str, int]:
    row = session.get(MessageReading, THE_ROW, populate_existing=True)
    names = ("message_id", "send_id", "last_id")
    return {name: getattr(row, name) if row else 0 for name in names}


def _until(horizon: datetime | None, rows: Sequence[Any], last: int, end: int) -> tuple[Sequence[Any], int]:
    """Those up to a time, and up to which id that side is read then."""
    kept = list(takewhile(lambda row: horizon is None or row.at <= horizon, rows))
    if len(kept) == len(rows) < ROWS:
        return kept, max(last, end)
    return kept, kept[-1].id if kept else last


def _mark(account_id: int, side: Side) -> str:
    """Each account's and side's terms are their own, so a word common elsewhere costs nothing here."""
    return f"{account_id}{_MARKS[side]}"


# Finding -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """One text with the words in it."""

    id: int  # "before" of what is older
    side: Side
    at: datetime
    text: str
    who: str  # the operator's name; "" for followers and programs
    follower: Follower
    conversation_id: int | None  # that it was said in; None: to the bot
    row: InboundMessage | Send


def words(search: str) -> list[str]:
    """What is looked for.

    Raises:
        Refused: nothing, or one character of a script without spaces.
    """
    wanted = bigrams.asked(search)
    if not wanted or any(len(term) == 1 and not term.isascii() for term in wanted):
        raise Refused("Search for two characters that stand together, or for a whole word.", field="search")
    return wanted


def find(
    session: Session,
    account: Account,
    search: str,
    *,
    sides: Sequence[Side] = tuple(Side),
    before: int | None = None,
    limit: int = 50,
) -> list[Found]:
    """The texts that hold all of the words, newest first; ``before`` is the last id of the page before.

    Raises:
        Refused: as ``words``.
    """
    wanted, dialect = words(search), session.get_bind().dialect.name
    marks = [term_index.ANY_MARK[dialect] + _mark(account.id, side) for side in sides]
    each = [bigrams.query([mark + term for term in wanted], dialect, needs_all=True) for mark in marks]
    last = session.scalar(select(func.max(MessageTerms.id))) or 0
    given = {
        "wanted": (" OR " if dialect == "sqlite" else " | ").join(f"({query})" for query in each),
        "before": min(before or last + 1, last + 1),
        "limit": limit,
    }
    ids = session.scalars(term_index.newest(MessageTerms, dialect), given).all()
    rows = session.execute(
        select(MessageTerms.id, InboundMessage, Send, Operator.name, Follower)
        .join(Follower, Follower.id == MessageTerms.follower_id)
        .outerjoin(InboundMessage, InboundMessage.id == MessageTerms.message_id)
        .outerjoin(Send, Send.id == MessageTerms.send_id)
        .outerjoin(Operator, Operator.id == Send.operator_id)
        .where(MessageTerms.id.in_(ids), MessageTerms.account_id == account.id)
        .order_by(MessageTerms.id.desc())
    ).all()
    talks = _talks(session, {follower.id for *_rest, follower in rows})
    found = []
    for number, message, send, name, follower in rows:
        row = message or send
        at = message.received_at if message else send.created_at
        said = message.text if message else send.reply.get("text", "")
        side = Side.FOLLOWER if message else Side.OPERATOR
        talk = next((talk.id for talk in talks if talk.follower_id == follower.id and _was_open(talk, at)), None)
        found.append(Found(number, side, at, said, name or "", follower, talk, row))
    return found


def _talks(session: Session, follower_ids: set[int]) -> Sequence[Any]:
    """Newest first."""
    columns = Conversation.id, Conversation.follower_id, Conversation.opened_at, Conversation.closed_at
    query = select(*columns).where(Conversation.follower_id.in_(follower_ids))
    return session.execute(query.order_by(Conversation.id.desc())).all()


def _was_open(talk: Any, at: datetime) -> bool:
    return talk.opened_at <= at + _SLACK and (talk.closed_at is None or at <= talk.closed_at)

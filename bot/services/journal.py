"""The journal: what happened in an account's conversations, numbered without a gap in the order of the commits.

Whoever adds an entry holds the account's head until they commit, so a reader who has seen number 7 will never find
a 6 that was not there yet (docs/decisions.md, 78).  That row is always the last one taken: add entries at the end of
a transaction, after the followers' and conversations' rows are held.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from bot import clock
from models import Conversation, JournalEntry, JournalHead, Operator

OPENED = "opened"  # {"waiting": the follower asked, "text": …}
WROTE = "wrote"  # {"text": the beginning}; by the follower
REPLIED = "replied"  # {"send": its id, "text": the beginning}
SETTLED = "settled"  # {"send": its id, "status": …}: how a reply ended
TAKEN = "taken"  # {"was": who had it}
ASSIGNED = "assigned"  # {"was": …, "to": a name, "why": by_hand, round_robin, least_loaded}
RETURNED = "returned"  # {"was": …, "why": by_hand, offline}: back to the queue
SNOOZED = "snoozed"  # {"until": …}
WOKEN = "woken"  # {"why": by_hand, time, wrote}
CLOSED = "closed"  # {"why": as closed_why, "was": what reopening restores}
REOPENED = "reopened"  # the undo of closing
LABELLED, UNLABELLED = "labelled", "unlabelled"  # {"label": its name}
NOTED = "noted"  # {"note": its id}
_NOTED_TOO = "journal.noted_too"
SAID = (WROTE, REPLIED)  # what an answer must not overlook


def append(
    session: Session,
    conversation: Conversation,
    kind: str,
    operator: Operator | None = None,
    who: str = "",
    **detail: Any,
) -> int:
    """Enter what was done to a conversation whose follower's row is held; its number.

    ``who``: an operator's name when there is one, else "API"; "" is the follower or the clock.
    """
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    seq = session.scalars(
        insert(JournalHead)
        .values(account_id=conversation.account_id, last=1)
        .on_conflict_do_update(index_elements=["account_id"], set_={"last": JournalHead.last + 1})
        .returning(JournalHead.last),
        execution_options={"populate_existing": True},
    ).one()
    session.add(
        JournalEntry(
            account_id=conversation.account_id,
            seq=seq,
            kind=kind,
            conversation_id=conversation.id,
            operator_id=operator.id if operator else None,
            who=(operator.name if operator else who)[:64],
            detail=detail | session.info.get(_NOTED_TOO, {}),
            at=clock.now(),
        )
    )
    conversation.seq = seq
    if kind in SAID:
        conversation.said_seq = seq
    session.flush()
    return seq


@contextmanager
def noting(session: Session, **more: Any) -> Iterator[None]:
    """What is done within one press on many conversations bears its mark, and what was before."""
    session.info[_NOTED_TOO] = more
    try:
        yield
    finally:
        del session.info[_NOTED_TOO]


def last(session: Session, account_id: int) -> int:
    """The number of the account's last entry; 0: there is none."""
    return session.scalar(select(JournalHead.last).where(JournalHead.account_id == account_id)) or 0


def of_conversation(
    session: Session, conversation: Conversation, after: int = 0, limit: int = 500
) -> list[JournalEntry]:
    """What was done in it, newest entries of at most ``limit``, in their order."""
    newest = (
        select(JournalEntry)
        .where(JournalEntry.conversation_id == conversation.id, JournalEntry.seq > after)
        .order_by(JournalEntry.seq.desc())
        .limit(limit)
    )
    return list(reversed(session.scalars(newest).all()))

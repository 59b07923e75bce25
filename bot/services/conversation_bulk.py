"""The same done to many conversations in one press, and taken back in one press as long as that is fresh."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.services import conversations, journal, labels
from models import Account, Conversation, Follower, JournalEntry, Label, Operator

MOST = 200  # one transaction's; it holds all of their followers
Act = Literal["assign", "give_back", "snooze", "wake", "label", "unlabel", "close"]


@dataclass(frozen=True, slots=True)
class Bulk:
    """What is wanted: ``to`` for assign, ``until`` for snooze, ``label`` for labels."""

    act: Act
    to: Operator | None = None
    until: datetime | None = None
    label: Label | None = None


@dataclass(slots=True)
class Outcome:
    """``id``: what takes it back.  ``refused``: conversation → why it stayed as it was."""

    id: str
    done: list[int] = field(default_factory=list)
    refused: dict[int, Refused] = field(default_factory=dict)


def run(
    session: Session,
    account: Account,
    ids: Sequence[int],
    bulk: Bulk,
    by: Operator | None = None,
    who: str = conversations.API,
) -> Outcome:
    """Do it to each that allows it.

    Raises:
        Refused: none, or too many; the same for all, such as a time that has passed.
        NotFound: one is not this account's.
    """
    if not ids:
        raise Refused("Choose conversations first.", field="ids")
    if len(ids) > MOST:
        raise Refused("Choose {max} conversations at most.", field="ids", max=MOST)
    found = _held(session, account, sorted(set(ids)))
    if len(found) != len(set(ids)):
        raise NotFound("There is no such conversation.")
    outcome = Outcome(uuid.uuid4().hex)
    for each in found:
        was = {"assignee_id": each.assignee_id, "snoozed_until": _iso(each.snoozed_until)}
        before = each.seq
        try:
            with journal.noting(session, bulk=outcome.id, was=was):
                _do(session, account, each, bulk, by, who)
        except Conflict as refused:
            outcome.refused[each.id] = refused
        else:
            outcome.done += [each.id] if each.seq != before else []
    return outcome


def undo(
    session: Session, account: Account, bulk_id: str, by: Operator | None = None, who: str = conversations.API
) -> Outcome:
    """Bring each back to where it was, unless somebody has moved it on since.

    Raises:
        Conflict: the half minute is over, or there was no such press.
    """
    since = clock.now() - conversations.UNDO
    newest = (
        select(JournalEntry)
        .where(JournalEntry.account_id == account.id, JournalEntry.at >= since)
        .order_by(JournalEntry.seq.desc())
        .limit(20 * MOST)
    )
    entries = [entry for entry in session.scalars(newest) if entry.detail.get("bulk") == bulk_id]
    if not entries or not bulk_id:
        raise Conflict("That was too long ago to take back.")
    found = {each.id: each for each in _held(session, account, [entry.conversation_id for entry in entries])}
    outcome = Outcome(uuid.uuid4().hex)
    for entry in entries:
        conversation = found[entry.conversation_id]
        try:
            _undo(session, account, conversation, entry, by, who)
        except Refused as refused:
            outcome.refused[conversation.id] = refused
        else:
            outcome.done.append(conversation.id)
    return outcome


def _held(session: Session, account: Account, ids: Sequence[int]) -> Sequence[Conversation]:
    """All of their followers, in one order, before the journal's head: nobody waits for us in a circle."""
    query = (
        select(Conversation)
        .join(Follower, Follower.id == Conversation.follower_id)
        .where(Conversation.account_id == account.id, Conversation.id.in_(ids))
        .order_by(Follower.id, Conversation.id)
        .with_for_update(of=Follower)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def _do(session: Session, account: Account, each: Conversation, bulk: Bulk, by: Operator | None, who: str) -> None:
    match bulk.act:
        case "assign":
            if bulk.to is None:
                raise Refused("Choose somebody.", field="operator")
            conversations.assign(session, account, each, bulk.to, by, who)
        case "give_back":
            conversations.give_back(session, account, each, by, who)
        case "snooze":
            if bulk.until is None:
                raise Refused("Choose a time within the next 30 days.", field="until")
            conversations.snooze(session, account, each, bulk.until, by, who)
        case "wake":
            conversations.wake(session, each, by, who)
        case "close":
            conversations.hand_back(session, account, each, by, who)
        case "label" | "unlabel":
            if bulk.label is None:
                raise Refused("Choose a label.", field="label")
            labels.put(session, each, bulk.label, by, who, on=bulk.act == "label")


def _undo(
    session: Session, account: Account, each: Conversation, entry: JournalEntry, by: Operator | None, who: str
) -> None:
    was: dict[str, Any] = entry.detail["was"]
    moved = Conflict("This conversation has moved on: look at it again.")
    match entry.kind:
        case journal.CLOSED:
            conversations.reopen(session, account, each, by, who)
            if was["snoozed_until"] and (until := datetime.fromisoformat(was["snoozed_until"])) > clock.now():
                conversations.snooze(session, account, each, until, by, who)
        case journal.ASSIGNED | journal.RETURNED:
            now_has = each.assignee.name if each.assignee else ""
            if now_has != entry.detail.get("to", ""):
                raise moved
            before = session.get(Operator, was["assignee_id"]) if was["assignee_id"] else None
            if before is not None:
                conversations.assign(session, account, each, before, by, who)
            else:
                conversations.give_back(session, account, each, by, who)
        case journal.SNOOZED:
            if each.snoozed_until != datetime.fromisoformat(entry.detail["until"]):  # in the zone it was given in
                raise moved
            conversations.wake(session, each, by, who)
        case journal.LABELLED | journal.UNLABELLED:
            named = select(Label).where(Label.account_id == account.id, Label.name == entry.detail["label"])
            if (label := session.scalar(named)) is None:
                raise moved
            labels.put(session, each, label, by, who, on=entry.kind == journal.UNLABELLED)
        case journal.WOKEN:
            until = datetime.fromisoformat(was["snoozed_until"])
            conversations.snooze(session, account, each, until, by, who)


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""

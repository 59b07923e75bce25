"""Mentions: a note that names a colleague, "@小美", waits for them until they have read it."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.services import access, conversations, journal, notes
from models import Account, Conversation, Mention, Note, Operator


def add_note(
    session: Session,
    account: Account,
    conversation: Conversation,
    text: str,
    by: Operator | None = None,
    who: str = conversations.API,
) -> Note:
    """Write a note about the conversation's follower, which only colleagues see, and tell those it names.

    Raises:
        Refused: nothing written, or too much.
    """
    conversation = conversations.fresh(session, conversation)
    note = notes.add(session, conversation.follower, text, by, by.name if by else who)
    for operator in named(session, account, note.text):
        if by is None or operator.id != by.id:
            session.add(Mention(account_id=account.id, note_id=note.id, operator_id=operator.id))
    journal.append(session, conversation, journal.NOTED, by, who, note=note.id)
    return note


def named(session: Session, account: Account, text: str) -> list[Operator]:
    """Whom a text names: of "@小美丽" the longer of 小美 and 小美丽."""
    found = []
    for operator in sorted(possible(session, account), key=lambda each: -len(each.name)):
        if f"@{operator.name}" in text:
            found.append(operator)
            text = text.replace(f"@{operator.name}", " ")
    return found


def possible(session: Session, account: Account) -> list[Operator]:
    """Those who read this account's conversations."""
    return access.who_may(session, account, "conversations:read")


def count(session: Session, account: Account, operator: Operator) -> int:
    query = select(func.count(Mention.id)).where(
        Mention.operator_id == operator.id, Mention.account_id == account.id, Mention.read_at.is_(None)
    )
    return session.scalar(query) or 0


def unread(session: Session, account: Account, operator: Operator, limit: int = 50) -> list[tuple[Mention, Note]]:
    """Newest first, each with its note."""
    query = (
        select(Mention, Note)
        .join(Note, Note.id == Mention.note_id)
        .where(Mention.operator_id == operator.id, Mention.account_id == account.id, Mention.read_at.is_(None))
        .order_by(Mention.id.desc())
        .limit(limit)
    )
    return [(mention, note) for mention, note in session.execute(query)]


def read(session: Session, account: Account, operator: Operator, follower_id: int) -> None:
    """They have looked at the follower's notes."""
    theirs = select(Note.id).where(Note.follower_id == follower_id)
    session.execute(
        update(Mention)
        .where(Mention.operator_id == operator.id, Mention.account_id == account.id, Mention.read_at.is_(None))
        .where(Mention.note_id.in_(theirs))
        .values(read_at=clock.now())
        .execution_options(synchronize_session=False)
    )

"""Notes: what operators write down about a follower, for each other."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.errors import Forbidden, NotFound, Refused
from bot.services import follower_events
from models import Account, Follower, Note, Operator

LENGTH = 2000
MOST_SHOWN = 200


def page(session: Session, follower: Follower, *, before: int | None = None, limit: int = MOST_SHOWN) -> list[Note]:
    """Newest first; ``before`` is the last id of the page before."""
    query = select(Note).where(Note.follower_id == follower.id).order_by(Note.id.desc()).limit(limit)
    return list(session.scalars(query if before is None else query.where(Note.id < before)))


def get(session: Session, account: Account, follower: Follower, note_id: int) -> Note:
    query = select(Note).where(Note.id == note_id, Note.account_id == account.id, Note.follower_id == follower.id)
    note = session.scalar(query)
    if note is None:
        raise NotFound("There is no such note.")
    return note


def add(session: Session, follower: Follower, text: str, operator: Operator | None, who: str) -> Note:
    """``operator``: whose it is; None: a program's, through the API."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise Refused("Write something first.", field="text")
    if len(text) > LENGTH:
        raise Refused("A note takes {max} characters at most.", field="text", max=LENGTH)
    operator_id = operator.id if operator else None
    note = Note(account_id=follower.account_id, follower_id=follower.id, operator_id=operator_id, text=text)
    session.add(note)
    session.flush()
    follower_events.note(session, follower, follower_events.NOTE, {}, who)
    return note


def delete(session: Session, follower: Follower, note: Note, operator: Operator | None, who: str) -> None:
    """
    Raises:
        Forbidden: somebody else wrote it.
    """
    if note.operator_id != (operator.id if operator else None):
        raise Forbidden("Only who wrote a note can delete it.")
    session.delete(note)
    session.flush()
    follower_events.note(session, follower, follower_events.NOTE, {"removed": True}, who)


def authors(session: Session, notes: list[Note]) -> dict[int, str]:
    """Operator → name, of all who wrote these."""
    ids = {note.operator_id for note in notes if note.operator_id}
    return {row.id: row.name for row in session.execute(select(Operator.id, Operator.name).where(Operator.id.in_(ids)))}

"""What was changed about a follower, and by whom: the timeline's side that no message tells."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from models import Follower, FollowerEvent

TAGGED, UNTAGGED = "tagged", "untagged"  # {"tag": name}
STAGE, OWNER = "stage", "owner"  # {"was": name, "is": name}; "" is none
FIELD = "field"  # {"field": name, "was": value, "is": value}, both as they are shown; "" is none
BLOCKED, UNBLOCKED = "blocked", "unblocked"  # {}
OPTED_OUT, OPTED_IN = "opted_out", "opted_in"  # {"word": what they wrote}, or {} where somebody else did it
NOTE = "note"  # {"removed": true} when one was deleted; the words themselves are the note's
KINDS = (TAGGED, UNTAGGED, STAGE, OWNER, FIELD, BLOCKED, UNBLOCKED, OPTED_OUT, OPTED_IN, NOTE)


def note(session: Session, follower: Follower, kind: str, detail: dict[str, Any], who: str) -> None:
    """Enter one change, in the change's own transaction.

    ``detail`` holds names as they are now, so that the line stays true when a tag is renamed or a stage deleted;
    ``who`` is an operator's name, "API", or what did it by itself, such as a rule's title.
    """
    note_all(session, follower.account_id, [follower.id], kind, detail, who)


def note_all(
    session: Session, account_id: int, follower_ids: Sequence[int], kind: str, detail: dict[str, Any], who: str
) -> None:
    """The same change of many followers, in one statement."""
    note_each(session, account_id, ((follower_id, detail) for follower_id in follower_ids), kind, who)


def note_each(
    session: Session, account_id: int, details: Iterable[tuple[int, dict[str, Any]]], kind: str, who: str
) -> None:
    """Changes of one kind, each with a detail of its own: (follower_id, detail)."""
    assert kind in KINDS, kind
    rows = [
        {"account_id": account_id, "follower_id": follower_id, "kind": kind, "detail": detail, "who": who[:64]}
        for follower_id, detail in details
    ]
    if rows:
        session.execute(insert(FollowerEvent), rows)

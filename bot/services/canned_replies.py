"""Canned replies: texts that operators put in with "/" and their name."""

import re

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.wechat.limits import TEXT_BYTES
from models import Account, CannedReply

LENGTH, MOST = 30, 500
VARIABLES = ("nickname", "account", "operator")
_GAP = re.compile(r"{{\s*([^{}]*?)\s*}}")


def list_all(session: Session, account: Account) -> list[CannedReply]:
    query = select(CannedReply).where(CannedReply.account_id == account.id)
    return list(session.scalars(query.order_by(CannedReply.name)))


def get(session: Session, account: Account, reply_id: int) -> CannedReply:
    query = select(CannedReply).where(CannedReply.id == reply_id, CannedReply.account_id == account.id)
    found = session.scalar(query)
    if found is None:
        raise NotFound("There is no such canned reply.")
    return found


def save(session: Session, account: Account, name: str, text: str, known: CannedReply | None = None) -> CannedReply:
    """Write a new one, or change the known one.

    Raises:
        Refused: empty, too long, or with a variable that there is not.
        Conflict: there is another one of this name.
    """
    name, text = "".join(name.split()).lstrip("/;；"), text.replace("\r\n", "\n").strip()
    if not name:
        raise Refused("Give the canned reply a name, to be typed after the “/”.", field="name")
    if len(name) > LENGTH:
        raise Refused("A canned reply's name takes {max} characters at most.", field="name", max=LENGTH)
    if not text:
        raise Refused("Write something first.", field="text")
    if len(text.encode()) > TEXT_BYTES:
        raise Refused(
            "This is too long for WeChat: {size} of {max} bytes; a Chinese character takes three.",
            field="text",
            size=len(text.encode()),
            max=TEXT_BYTES,
        )
    unknown = next((gap for gap in _GAP.findall(text) if gap not in VARIABLES), None)
    if unknown is not None:
        choices = ", ".join(f"{{{{{each}}}}}" for each in VARIABLES)
        raise Refused("“{name}” is no variable; there are {choices}.", field="text", name=unknown, choices=choices)
    other = select(CannedReply.id).where(
        CannedReply.account_id == account.id, CannedReply.name == name, CannedReply.id != (known.id if known else 0)
    )
    if session.scalar(other) is not None:
        raise Conflict("There is a canned reply of this name already.", field="name")
    if known is None:
        count = session.scalar(select(func.count(CannedReply.id)).where(CannedReply.account_id == account.id))
        if count == MOST:
            raise Refused("An account takes {max} canned replies at most.", field="name", max=MOST)
        known = CannedReply(account_id=account.id)
        session.add(known)
    known.name, known.text, known.updated_at = name, text, clock.now()
    session.flush()
    return known


def remove(session: Session, reply: CannedReply) -> None:
    session.delete(reply)
    session.flush()


def filled(text: str, values: dict[str, str]) -> tuple[str, list[str]]:
    """The text with its variables' values, and the names of those that are empty: whoever sends should look."""
    empty = [gap for gap in dict.fromkeys(_GAP.findall(text)) if not values.get(gap)]
    return _GAP.sub(lambda gap: values.get(gap[1], ""), text), empty

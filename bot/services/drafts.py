"""Drafts: what an operator has written and not sent, kept on the server so that another device has it too."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Refused
from models import Conversation, Draft, Operator

LENGTH = 5000  # more than WeChat takes: what is too long is kept until it was made shorter


def text_of(session: Session, conversation: Conversation, operator: Operator) -> str:
    query = select(Draft.text).where(Draft.conversation_id == conversation.id, Draft.operator_id == operator.id)
    return session.scalar(query) or ""


def save(session: Session, conversation: Conversation, operator: Operator, text: str) -> None:
    """Keep it as it is now; an empty one is forgotten.

    Raises:
        Refused: it is far too long.
    """
    if len(text) > LENGTH:
        raise Refused("A draft takes {max} characters at most.", field="text", max=LENGTH)
    if not text.strip():
        session.execute(delete(Draft).where(Draft.conversation_id == conversation.id, Draft.operator_id == operator.id))
        return
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    values = {"text": text, "saved_at": clock.now()}
    session.execute(
        insert(Draft)
        .values(conversation_id=conversation.id, operator_id=operator.id, **values)
        .on_conflict_do_update(index_elements=["conversation_id", "operator_id"], set_=values)
    )

"""WeChat reports how what we sent has ended: no answer.  Of a mass message there is no follower behind it either."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from bot.services import campaign_reports
from bot.wechat.messages import Message, Reply
from handlers.incoming import Incoming


def handle(connection: Connection, account_id: int, message: Message) -> tuple[list[dict[str, Any]], str]:
    """Apply a report about a job; the trace and the flag to keep with it.

    A number that no job of ours has changes nothing (T10).  It may be known in a moment: the answer to the call that
    it ends may come after it, and then looks here.
    """
    with Session(connection, join_transaction_mode="rollback_only", expire_on_commit=False) as session:
        known = message.event == campaign_reports.MASS and campaign_reports.report(session, account_id, message.fields)
        session.flush()
    if known:
        return [{"handler": "receipts", "why": "A campaign's message has ended."}], ""
    return [{"handler": "receipts", "why": "No job of ours has this number."}], "unknown job"


def report(incoming: Incoming) -> list[Reply] | None:
    """A template message or a notice to this follower has ended."""
    message = incoming.message
    if message.event not in campaign_reports.OF_CHANNEL.values():
        return None
    known = campaign_reports.one_ended(
        incoming.session, incoming.account.id, incoming.writer.id, message.event, message.fields
    )
    incoming.note("receipts", "A campaign's message has ended." if known else "No job of ours has this number.")
    return []

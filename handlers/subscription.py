"""Somebody begins to follow: welcome them.  Somebody leaves: remember it, and send them nothing more."""

from datetime import UTC, datetime

from bot.services import conversations, followers
from bot.wechat.messages import Reply
from handlers.incoming import Incoming
from models import Trigger


def handle(incoming: Incoming) -> list[Reply] | None:
    match incoming.message.event:
        case "subscribe":
            followers.subscribed(incoming.session, incoming.writer.id, incoming.message.key, incoming.now)
            return _welcome(incoming)
        case "unsubscribe":
            followers.unsubscribed(incoming.session, [incoming.writer.id], incoming.now)
            conversations.close(incoming.session, incoming.writer.id, "unsubscribed", incoming.now)
            incoming.note("subscription", "The follower left.")
            return []
        case _:
            if not incoming.writer.is_subscribed and incoming.message.opens_window:
                written_at = datetime.fromtimestamp(incoming.message.created_at, UTC)
                followers.wrote(incoming.session, incoming.writer.id, written_at, incoming.now)
            return None


def _welcome(incoming: Incoming) -> list[Reply] | None:
    """A code's own answer first, else the welcome."""
    scanned = incoming.book.for_key(Trigger.SCAN, incoming.message.key) if incoming.message.key else []
    return incoming.answer_with("subscription", scanned + incoming.book.for_key(Trigger.FOLLOW)) or []

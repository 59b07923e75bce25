"""A follower scans one of the account's codes."""

from bot.wechat.messages import Reply
from handlers.incoming import Incoming
from models import Trigger


def handle(incoming: Incoming) -> list[Reply] | None:
    if incoming.message.event != "scan":
        return None

    return incoming.answer_with("scan", incoming.book.for_key(Trigger.SCAN, incoming.message.key))

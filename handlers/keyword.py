"""Answers a text that one of the account's keyword rules matches."""

from bot.wechat.messages import Reply
from handlers.incoming import Incoming


def handle(incoming: Incoming) -> list[Reply] | None:
    if incoming.message.kind != "text":
        return None

    return incoming.answer_with("keyword", incoming.book.for_text(incoming.message.text))

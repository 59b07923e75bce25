"""A follower taps a button of the menu."""

from bot.wechat import limits
from bot.wechat.messages import Reply
from handlers.incoming import Incoming
from models import Trigger


def handle(incoming: Incoming) -> list[Reply] | None:
    if incoming.message.event not in limits.TAPS_THAT_OPEN:
        return None

    return incoming.answer_with("menu", incoming.book.for_key(Trigger.CLICK, incoming.message.key))

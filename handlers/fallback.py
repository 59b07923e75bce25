"""Nothing else answered a message or a tap: the default reply, if there is one."""

from bot.wechat.messages import Reply
from handlers.incoming import Incoming
from models import Trigger


def handle(incoming: Incoming) -> list[Reply] | None:
    message = incoming.message
    if not message.is_known or (message.kind == "event" and message.event not in ("click", "scan")):
        incoming.note("fallback", "Nothing answers this kind of message.")
        return None

    replies = incoming.answer_with("fallback", incoming.book.for_key(Trigger.DEFAULT))
    if replies is None:
        incoming.note("fallback", "There is no default reply either: the account stays silent.")
    return replies

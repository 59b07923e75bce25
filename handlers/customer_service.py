"""A follower wants a person: open a conversation, and keep the bot silent while a person is in charge."""

from bot.services import conversations
from bot.wechat.messages import Reply, Text
from handlers.incoming import Incoming


def handle(incoming: Incoming) -> list[Reply] | None:
    until = incoming.writer.silent_until
    if until is not None:
        if until > incoming.now:
            if incoming.message.kind != "event":
                said = incoming.message.text or f"[{incoming.message.kind}]"
                conversations.wrote(incoming.session, incoming.writer.id, incoming.now, said)
            incoming.note("customer_service", "A person is in charge.")
            return []
        conversations.close(incoming.session, incoming.writer.id, "timed_out", incoming.now)

    if incoming.message.kind != "text" or incoming.folded not in incoming.account.human_words:
        return None

    account = incoming.account
    conversations.open_for(
        incoming.session, account.id, incoming.writer.id, account.handover_minutes, incoming.now, is_waiting=True
    )
    incoming.note("customer_service", "The follower asked for a person.")
    return [Text(text=account.human_reply)]

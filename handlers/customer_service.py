"""A follower wants a person: open a conversation, and keep the bot silent while a person is in charge."""

from zoneinfo import ZoneInfo

from bot.services import conversations, opening_hours
from bot.services.rules import filled
from bot.wechat.messages import Reply, Text, TransferToAi, TransferToService
from handlers.incoming import Incoming


def handle(incoming: Incoming) -> list[Reply] | None:
    until = incoming.writer.silent_until
    if until is not None:
        if until > incoming.now:
            _note_what_they_wrote(incoming)
            incoming.note("customer_service", "A person is in charge.")
            return []
        conversations.close(incoming.session, incoming.writer.id, "timed_out", incoming.now)

    account = incoming.account
    if account.opening_hours and conversations.is_open(incoming.connection, incoming.writer.id):
        _note_what_they_wrote(incoming)  # nobody has taken it yet, so the bot goes on; whoever takes it reads this too

    if incoming.message.kind != "text" or incoming.folded not in incoming.account.human_words:
        return None

    match account.desk:
        case "wechat":
            incoming.note("customer_service", "Handed to WeChat's own service desk.")
            return [TransferToService()]
        case "wechat_ai":
            incoming.note("customer_service", "Handed to WeChat's own AI.")
            return [TransferToAi()]

    zone = ZoneInfo(account.timezone)
    if not opening_hours.is_open(account.opening_hours, zone, incoming.now):
        conversations.open_for(
            incoming.session,
            account.id,
            incoming.writer.id,
            0,
            incoming.now,
            is_waiting=True,
            text=incoming.message.text,
            keeps_bot=True,
        )
        incoming.note("customer_service", "The follower asked for a person; nobody is there.")
        opens = opening_hours.opens_next(account.opening_hours, zone, incoming.now)
        return [Text(text=filled(account.away_reply, {"opens": opening_hours.words(opens, zone, incoming.now)}))]

    conversations.open_for(
        incoming.session,
        account.id,
        incoming.writer.id,
        account.handover_minutes,
        incoming.now,
        is_waiting=True,
        text=incoming.message.text,
    )
    incoming.note("customer_service", "The follower asked for a person.")
    return [Text(text=account.human_reply)]


def _note_what_they_wrote(incoming: Incoming) -> None:
    if incoming.message.kind != "event":
        said = incoming.message.text or f"[{incoming.message.kind}]"
        conversations.wrote(incoming.session, incoming.writer.id, incoming.now, said)

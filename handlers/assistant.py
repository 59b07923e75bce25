"""No rule answers a text: the assistant does, if it is on, within the day's limits."""

from bot.services import assistant, assistant_limits, moderation
from bot.services.folding import fold
from bot.wechat.messages import Reply, Text
from handlers.incoming import Incoming


def handle(incoming: Incoming) -> list[Reply] | None:
    """Only asks: the answer comes while WeChat's request waits, or later (bot.waiting)."""
    message = incoming.message
    if message.kind != "text" or not message.text.strip():
        return None
    asked = assistant.find_enabled(incoming.connection, incoming.account.id)
    if asked is None:
        return None
    question = message.text.strip()
    if asked.prefix:
        begin = fold(asked.prefix)
        if not incoming.folded.startswith(begin) or incoming.folded == begin:
            incoming.note("assistant", "The text does not begin with the assistant's word.")
            return None
        question = question[len(asked.prefix) :].lstrip(" :：,，") or question
    if word := moderation.found(asked.words_in, question):
        incoming.note("assistant", "The question holds a word that is not asked.", title=word)
        return [Text(text=asked.fallback_reply)]
    day = assistant_limits.day_of(incoming.account.timezone, incoming.now)
    if not assistant_limits.count_message(incoming.session, incoming.account.id, incoming.writer.id, day, asked):
        incoming.note("assistant", "The day's limit of questions is used up.")
        return [Text(text=asked.fallback_reply)]
    incoming.note("assistant", "The assistant is asked.")
    incoming.question = question
    return []

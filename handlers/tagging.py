"""Tags that a message gives by itself, before anybody answers: a rule for those who have the tag answers at once."""

from bot.services import auto_tags, tags
from handlers.incoming import Incoming
from models import Account


def tag(incoming: Incoming) -> None:
    """Give the tags; with them go a line in the timeline and what WeChat must hear, all with the message itself."""
    writer, message = incoming.writer, incoming.message
    if message.event == "subscribe" and not writer.is_subscribed:
        account = incoming.session.get_one(Account, incoming.account.id)
        tags.came_back(incoming.session, account, writer.id)
    if not writer.auto_tags_version:
        return
    for found in auto_tags.book(incoming.connection, incoming.account.id, writer.auto_tags_version).found(message):
        if auto_tags.is_new(incoming.connection, writer.id, found):
            auto_tags.given(incoming.session, incoming.account.id, writer.id, found)
            incoming.note("tagging", "The follower was given this tag.", title=found.name)

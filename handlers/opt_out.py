"""A follower wants no campaigns any more, or wants them again."""

from bot.services import followers
from bot.wechat.messages import Reply, Text
from handlers.incoming import Incoming
from models import Follower


def handle(incoming: Incoming) -> list[Reply] | None:
    """Also while a person is in charge: who says so must not wait for anybody.  Said twice, it is answered twice."""
    account = incoming.account
    if incoming.message.kind != "text":
        return None
    goes, comes = (incoming.folded in words for words in (account.opt_out_words, account.opt_in_words))
    if not goes and not comes:
        return None

    follower = incoming.session.get_one(Follower, incoming.writer.id)
    if comes and follower.opted_out_at is None:
        return None  # to them the word means nothing special: a rule may answer it
    followers.set_opted_out(incoming.session, follower, goes, "", word=incoming.message.text.strip())
    if goes:
        incoming.note("opt_out", "The follower wants no campaigns any more.")
        return [Text(text=account.opt_out_reply)]
    incoming.note("opt_out", "The follower wants campaigns again.")
    return [Text(text=account.opt_in_reply)]

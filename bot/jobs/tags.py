"""Tells WeChat what was changed of tags and the blocklist, some followers a call."""

from bot.database import transaction
from bot.fault_points import fault_point
from bot.services import tag_pushes, tasks, tokens
from bot.services.tag_pushes import Batch, Wish
from bot.services.tasks import Claimed
from bot.wechat.client import Client
from bot.wechat.errors import BadConfiguration, WeChatError
from models import Account, PushAction

NOT_ALLOWED = 48001
NO_SUCH_TAG = (45159, 40152)
NAME_TAKEN = 45157


def look(account_id: int) -> None:
    """Something of this account may wait to be told."""
    with transaction() as session:
        account = session.get(Account, account_id)
        if account is not None:
            tag_pushes.start(session, account)


def push(claimed: Claimed) -> Claimed | None:
    """One call to WeChat and what follows from it; None: nothing waits, or the lease was lost.

    Raises:
        WeChatError: it may be told later; nothing of this step is lost.
    """
    with transaction() as session:
        account = session.get_one(Account, claimed.account_id)
        batch = tag_pushes.claim(session, account.id)
        if batch is None:
            tasks.finish(session, claimed)
            return None
    # The claim is committed: whoever changes their mind from here on makes another call of it.
    client = tokens.client_for(account)
    try:
        wechat_id = _tell(client, batch)
        fault_point("K19 after POST before mark")
    except WeChatError as error:
        _refused(account.id, batch, error)
        wechat_id = None
    else:
        with transaction() as session:
            if wechat_id is not None:
                tag_pushes.saved(session, batch, wechat_id)
            else:
                tag_pushes.done(session, batch.wishes)
    finally:
        client.close()
    with transaction() as session:
        left = tag_pushes.waiting(session, account)
        done = claimed.done + len(batch.wishes)
        return tasks.progress(session, claimed, done=done, total=done + left, state=claimed.state)


def _tell(client: Client, batch: Batch) -> int | None:
    """Make the call; for a tag that is kept, WeChat's number of it."""
    openids = [wish.openid for wish in batch.wishes]
    match batch.action:
        case PushAction.SAVE:
            return _save(client, batch)
        case PushAction.DELETE:
            wechat_id = batch.wechat_id or _named(client, batch.name_before)
            if wechat_id is not None:
                client.delete_tag(wechat_id)
        case PushAction.TAG | PushAction.UNTAG:
            assert batch.wechat_id is not None
            client.tag_followers(batch.wechat_id, openids, batch.action is PushAction.TAG)
        case PushAction.BLOCK | PushAction.UNBLOCK:
            client.block(openids, batch.action is PushAction.BLOCK)
    return None


def _save(client: Client, batch: Batch) -> int:
    # An answer that got lost may have been that of a tag just made.
    wechat_id = batch.wechat_id or _named(client, batch.name_before)
    if wechat_id is None:
        try:
            return client.create_tag(batch.name)
        except WeChatError as error:
            namesake = _named(client, batch.name) if error.errcode == NAME_TAKEN else None
            if namesake is None:
                raise
            return namesake
    client.rename_tag(wechat_id, batch.name)
    return wechat_id


def _named(client: Client, name: str) -> int | None:
    """WeChat's number of the tag with this name."""
    return next((int(tag["id"]) for tag in client.tags() if tag["name"] == name), None) if name else None


def _refused(account_id: int, batch: Batch, error: WeChatError) -> None:
    """Keep what WeChat said of these; raises what concerns the account as a whole, or may pass."""
    wishes: tuple[Wish, ...] = batch.wishes
    with transaction() as session:
        if error.errcode == NOT_ALLOWED:
            tag_pushes.give_up(session, account_id)
        elif error.retry or isinstance(error, BadConfiguration):
            raise error
        elif error.errcode in NO_SUCH_TAG and batch.action is PushAction.DELETE:
            tag_pushes.done(session, wishes)
        elif error.errcode in NO_SUCH_TAG and batch.tag_id is not None:
            tag_pushes.gone(session, batch.tag_id)
        elif len(wishes) == 1:
            tag_pushes.refused(session, wishes, error.advice("en"))
        elif error.openids:
            tag_pushes.done(session, [wish for wish in wishes if wish.openid not in error.openids])
            tag_pushes.part(session, [wish for wish in wishes if wish.openid in error.openids])
        else:
            tag_pushes.part(session, wishes)


JOBS = (look,)

"""Reads an account's followers: tags, then the list by 10,000, who left, then details by 100, then the blocklist."""

from typing import Any

from bot import clock
from bot.database import reading, transaction
from bot.services import follower_sync, tasks, tokens
from bot.services.tasks import Claimed
from bot.wechat import limits
from bot.wechat.client import Client
from models import Account


def step(claimed: Claimed) -> Claimed | None:
    """One call to WeChat and what follows from it; None: finished, or the lease was lost.

    Raises:
        WeChatError: nothing of this step is kept; it can be repeated.
    """
    with reading() as session:
        account = session.get_one(Account, claimed.account_id)
    client = tokens.client_for(account)
    try:
        return _PHASES[claimed.state["phase"]](claimed, client)
    finally:
        client.close()


def _list(claimed: Claimed, client: Client) -> Claimed | None:
    state = claimed.state
    began = follower_sync.began_at(state)
    if not state["next"]:
        asked_at = clock.now()
        tags = client.tags()
        with transaction() as session:
            follower_sync.note_tags(session, claimed.account_id, tags, asked_at)
    openids, following, total = client.follower_page(state["next"])
    for start in range(0, len(openids), follower_sync.ROWS):
        with transaction() as session:
            follower_sync.note_listed(session, claimed.account_id, openids[start : start + follower_sync.ROWS], began)
    # The last page names a next one too, which is empty: only that ends the list.
    ended = not openids or not following or following == state["next"]
    state = {**state, "next": following, "phase": "gone" if ended else "list", "told": total or state.get("told", 0)}
    return _progress(claimed, state, total=max(total, claimed.done))


def _gone(claimed: Claimed, _client: Client) -> Claimed | None:
    began = follower_sync.began_at(claimed.state)
    with transaction() as session:
        total = follower_sync.count_listed(session, claimed.account_id, began)
        # A list far shorter than WeChat's own count is a broken list: nobody is taken for gone.
        whole = total >= 0.9 * claimed.state["told"]
        marked = follower_sync.mark_gone(session, claimed.account_id, began) if whole else 0
    state = claimed.state if marked else {**claimed.state, "phase": "details", "after": 0}
    return _progress(claimed, state, total=total)


def _details(claimed: Claimed, client: Client) -> Claimed | None:
    state = claimed.state
    began = follower_sync.began_at(state)
    with reading() as session:
        ids = follower_sync.next_listed(session, claimed.account_id, began, state["after"], limits.USER_BATCH)
    if not ids:
        return _progress(claimed, {**state, "phase": "blocked"}, total=claimed.total or 0)
    asked_at = clock.now()
    infos = client.follower_infos(list(ids))
    done = claimed.done + len(ids)
    with transaction() as session:
        follower_sync.note_infos(session, claimed.account_id, ids, infos, asked_at)
        # Together with the rows, so that "done" counts nobody twice.
        return tasks.progress(
            session,
            claimed,
            done=done,
            total=max(claimed.total or 0, done),
            state={**state, "after": max(ids.values())},
        )


def _blocked(claimed: Claimed, client: Client) -> Claimed | None:
    """The whole blocklist, a thousand a page: it is short, and only all of it says who is no longer on it."""
    asked_at, blocked, following = clock.now(), list[str](), ""
    while True:
        openids, following = client.blocked_page(following)
        blocked += openids
        if not openids or not following:
            break
        held = _progress(claimed, claimed.state, total=claimed.total or 0)  # another lease
        if held is None:
            return None
        claimed = held
    with transaction() as session:
        follower_sync.note_blocked(session, claimed.account_id, blocked, asked_at)
        tasks.finish(session, claimed)
    return None


def _progress(claimed: Claimed, state: dict[str, Any], *, total: int) -> Claimed | None:
    with transaction() as session:
        return tasks.progress(session, claimed, done=claimed.done, total=total, state=state)


_PHASES = {"list": _list, "gone": _gone, "details": _details, "blocked": _blocked}

"""Publishes an account's menus, one call to WeChat at a time, and asks WeChat which one a follower sees."""

from dataclasses import replace
from typing import Any

from bot.database import reading, transaction
from bot.jobs import retrying
from bot.services import menu_audience, menu_sets, menus, tasks, tokens
from bot.services.menu_sets import Act, Call, MenuSet
from bot.services.menus import Wanted
from bot.services.tasks import Claimed
from bot.wechat.client import Client
from bot.wechat.errors import QuotaReached, WeChatError
from models import Account

NO_ROOM = (65305, 65316, 45010)  # too many menus, or too many domains: those on their way out still count


def publish(claimed: Claimed) -> Claimed | None:
    """One step towards what is wanted, or, once WeChat refused, back to what followers had; None: nothing is left.

    Each begins by reading what is there, so it does not matter where the one before was killed.

    Raises:
        WeChatError: it was not taken; repeating it is harmless.
    """
    with reading() as session:
        account = session.get_one(Account, claimed.account_id)
        wanted = menus.wanted(session, claimed)
    client = tokens.client_for(account)
    try:
        there = menu_sets.read(client.get_menu())
        if "before" not in claimed.state:
            with transaction() as session:
                return menus.begin(session, claimed, there)
        if "refused" in claimed.state:
            return _give_back(claimed, there, client)
        return _go_on(claimed, there, wanted, client)
    except WeChatError as error:
        if retrying.wait(claimed, error) is not None:
            raise  # the version is still on its way
        told = claimed.state.get("refused")  # what began the giving back that WeChat does not let us end
        number, sentence = (told["number"], told["sentence"]) if told else (wanted.number, error.advice("en"))
        fault = {**told["fault"], "is_lost": True} if told else {}
        with transaction() as session:
            is_newest = menus.refused(session, claimed, number, sentence, fault)
        if is_newest:
            raise
        return None
    finally:
        client.close()


def try_match(claimed: Claimed) -> None:
    """Which menu WeChat shows one follower.

    Raises:
        WeChatError: it did not say; asking again is harmless.
    """
    with reading() as session:
        account = session.get_one(Account, claimed.account_id)
    client = tokens.client_for(account)
    try:
        buttons = client.try_match(claimed.state["openid"])
    finally:
        client.close()
    with transaction() as session:
        menu_audience.answered(session, claimed, buttons)


def _go_on(claimed: Claimed, there: MenuSet, wanted: Wanted, client: Client) -> Claimed | None:
    state = claimed.state
    if state.get("number") != wanted.number:  # what an earlier version put there is not what this one means
        state = {"before": state["before"], "number": wanted.number, "made": {}}
    room_first = state.get("room_first", False)
    call = menu_sets.next_call(there, wanted.menus, state["made"], room_first=room_first)
    if call is None:
        with transaction() as session:
            menus.published(session, claimed, wanted)
        return None
    try:
        made = _do(call, wanted.menus, client)
    except QuotaReached as error:
        if not state["made"] and not room_first:
            raise  # nothing has changed yet: the whole is tried again when the quota is
        return _refused(claimed, state, call, wanted, error)
    except WeChatError as error:
        if error.retry:
            raise
        if error.errcode in NO_ROOM and call.act is Act.ADD and not room_first:
            return _progress(claimed, {**state, "room_first": True})
        return _refused(claimed, state, call, wanted, error)
    return _progress(claimed, {**state, "made": {**state["made"], **made}}, done=1)


def _give_back(claimed: Claimed, there: MenuSet, client: Client) -> Claimed | None:
    state = claimed.state
    before = menu_sets.brought_back(state["before"])
    before = replace(before, conditional=[each for each in before.conditional if menu_sets.can_come_back(each)])
    again = state.get("again", {})
    call = menu_sets.next_call(there, before, again, room_first=True)
    is_whole = True
    if call is not None:
        try:
            made = _do(call, before, client)
        except WeChatError as error:
            if error.retry:
                raise
            is_whole = False
        else:
            return _progress(claimed, {**state, "again": {**again, **made}})
    with transaction() as session:
        menus.given_back(session, claimed, is_whole=is_whole)
    return None


def _do(call: Call, wanted: MenuSet, client: Client) -> dict[str, int]:
    """Make the call; returns what it made, as ``menu_sets.next_call`` takes it."""
    match call.act:
        case Act.CREATE:
            client.create_menu({"button": wanted.buttons})
            return {"": 0}
        case Act.ADD:
            one = wanted.conditional[call.at]
            return {client.add_conditional_menu({"button": one.buttons, "matchrule": one.matchrule}): call.at}
        case Act.DELETE:
            client.delete_conditional_menu(call.menuid)
        case Act.CLEAR:
            client.delete_menu()
    return {}


def _refused(claimed: Claimed, state: dict[str, Any], call: Call, wanted: Wanted, error: WeChatError) -> Claimed | None:
    one = wanted.menus.conditional[call.at] if call.act is Act.ADD else None
    buttons = one.buttons if one else wanted.menus.buttons
    # Counted from 1 in the version's list; 0 is the usual menu.
    fault = {"menu": call.at + 1, "buttons": menu_sets.at_fault(buttons, error.errcode)}
    told = {"number": wanted.number, "sentence": error.advice("en"), "fault": fault}
    return _progress(claimed, {"before": state["before"], "refused": told})


def _progress(claimed: Claimed, state: dict[str, Any], *, done: int = 0) -> Claimed | None:
    with transaction() as session:
        return tasks.progress(session, claimed, done=claimed.done + done, total=None, state=state)

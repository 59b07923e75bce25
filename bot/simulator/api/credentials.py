"""Calls without the account's token: token, stable_token, clear_quota/v2 (by appid and secret), web sign-in's."""

from collections.abc import Callable
from typing import Any

from flask import Request, Response

from bot.simulator import accounts
from bot.simulator.api import quotas, tokens, web_sign_in
from bot.simulator.api.account import clear_quota
from bot.simulator.api.calls import OK, cut_off, faulty_without_account, read_json, refuse, written
from bot.simulator.clock import CHINA_SECONDS, DAY_SECONDS
from bot.simulator.errors import Refusal
from bot.simulator.world import World

TOKEN = "/cgi-bin/token"  # noqa: S105
STABLE_TOKEN = "/cgi-bin/stable_token"  # noqa: S105
CLEAR_QUOTA = "/cgi-bin/clear_quota/v2"


def token(world: World, request: Request) -> dict[str, Any]:
    if request.method != "GET":
        raise Refusal(43001)
    account = _caller(world, request, TOKEN, tokens.CLASSIC_A_DAY, request.args, "secret", grant=True)
    with world.store.writing() as db:
        return _written_token(tokens.fetch_classic(db, account, world.clock.now()))


def stable_token(world: World, request: Request) -> dict[str, Any]:
    if request.method != "POST":
        raise Refusal(43002)
    body = read_json(request.get_data(), 47002)
    account = _caller(world, request, STABLE_TOKEN, tokens.STABLE_A_DAY, body, "secret", grant=True)
    now = world.clock.now()
    with world.store.writing() as db:
        if body.get("force_refresh") is True:
            midnight = world.clock.day() * DAY_SECONDS - CHINA_SECONDS
            return _written_token(tokens.force_stable(db, account, now, midnight))
        return _written_token(tokens.fetch_stable(db, account, now))


def clear_quota_v2(world: World, request: Request) -> dict[str, Any]:
    if request.method != "POST":
        raise Refusal(43002)
    body = read_json(request.get_data(), 47002)
    account = _caller(world, request, CLEAR_QUOTA, None, body, "appsecret", grant=False)
    clear_quota(world, account)
    return OK


CALLS: dict[str, Callable[[World, Request], dict[str, Any]]] = {
    TOKEN: token,
    STABLE_TOKEN: stable_token,
    CLEAR_QUOTA: clear_quota_v2,
    **web_sign_in.CALLS,
}


def answer(world: World, path: str, request: Request) -> Response:
    fault, instead = faulty_without_account(world, path)
    if instead is not None:
        return instead
    try:
        done = CALLS[path](world, request)
    except Refusal as refusal:
        return refuse(world, refusal)
    return cut_off(request) if fault is not None and fault.cut else written(done)


def _caller(
    world: World, request: Request, path: str, daily: int | None, given: Any, secret: str, *, grant: bool
) -> accounts.Account:
    if grant and given.get("grant_type") != "client_credential":
        raise Refusal(40002)
    appid = given.get("appid")
    if not appid:
        raise Refusal(41002)
    with world.store.reading() as db:
        account = accounts.find_by_appid(db, str(appid))
    quota_left = account is None or quotas.count(world, account, path, daily)
    account = tokens.check_caller(account, str(given.get(secret) or ""), request.remote_addr or "")
    if not quota_left:
        raise Refusal(45009)
    return account


def _written_token(token: tokens.Token) -> dict[str, Any]:
    return {"access_token": token.text, "expires_in": token.expires_in}

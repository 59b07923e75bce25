"""/sns/…: what a page learns of somebody who allowed it. Its token is none of the account's API."""

import secrets
import sqlite3
from collections.abc import Callable
from typing import Any

from flask import Request

from bot.simulator import accounts, followers
from bot.simulator.api import quotas, tokens
from bot.simulator.errors import Refusal
from bot.simulator.world import World

TOKEN = "/sns/oauth2/access_token"  # noqa: S105
USERINFO = "/sns/userinfo"
TOKEN_SECONDS = 7200


def access_token(world: World, request: Request) -> dict[str, Any]:
    if request.method != "GET":
        raise Refusal(43001)
    given = request.args
    if given.get("grant_type") != "authorization_code":
        raise Refusal(40002)
    if not given.get("appid"):
        raise Refusal(41002)
    with world.store.reading() as db:
        found = accounts.find_by_appid(db, given["appid"])
    # No whitelist here: WeChat keeps one for the account's own token only.
    account = tokens.check_caller(found and found.model_copy(update={"ip_whitelist": ()}), given.get("secret"), "")
    if not given.get("code"):
        raise Refusal(41008)
    quotas.count(world, account, TOKEN, None)
    now = world.clock.now()
    with world.store.writing() as db:
        row = _code(db, given["code"], account.account)
        if now >= row["expires_at"]:
            raise Refusal(42003)
        # One of several that come at once is first: the others find it used.
        db.execute("UPDATE web_codes SET used = 1 WHERE code = ?", (given["code"],))
        token = secrets.token_urlsafe(72)
        db.execute(
            "INSERT INTO web_tokens VALUES (?, ?, ?, ?, ?)",
            (token, account.account, row["openid"], row["scope"], now + TOKEN_SECONDS),
        )
    told = {
        "access_token": token,
        "expires_in": TOKEN_SECONDS,
        "refresh_token": secrets.token_urlsafe(72),
        "openid": row["openid"],
        "scope": row["scope"],
    }
    return told | ({"is_snapshotuser": 1} if row["snapshot"] else {})


def userinfo(world: World, request: Request) -> dict[str, Any]:
    if request.method != "GET":
        raise Refusal(43001)
    token, openid = request.args.get("access_token"), request.args.get("openid")
    if not token:
        raise Refusal(41001)
    if not openid:
        raise Refusal(41009)
    with world.store.reading() as db:
        row = db.execute("SELECT * FROM web_tokens WHERE token = ?", (token,)).fetchone()
        if row is None:
            raise Refusal(40001)
        if world.clock.now() >= row["expires_at"]:
            raise Refusal(42001)
        if row["openid"] != openid:
            raise Refusal(40003)
        if row["scope"] != "snsapi_userinfo":
            raise Refusal(48001)
        person = followers.find(db, row["account"], openid)
        account = accounts.find(db, row["account"])
    if person is None or account is None:
        raise Refusal(40003)
    quotas.count(world, account, USERINFO, None)
    retired = {"sex": 0, "province": "", "city": "", "country": ""}
    return {"openid": openid, "nickname": person["name"], **retired, "headimgurl": "", "privilege": []}


CALLS: dict[str, Callable[[World, Request], dict[str, Any]]] = {TOKEN: access_token, USERINFO: userinfo}


def _code(db: sqlite3.Connection, code: str, account: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM web_codes WHERE code = ? AND account = ?", (code, account)
    ).fetchone()
    if row is None:
        raise Refusal(40029)
    if row["used"]:
        raise Refusal(40163)
    return row

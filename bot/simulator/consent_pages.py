"""WeChat's web sign-in as a phone shows it: who allows a page to know them, and where the browser goes back to."""

import re
import secrets
import sqlite3
from typing import NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template, request
from markupsafe import escape

from bot.simulator import accounts, followers
from bot.simulator.accounts import Account
from bot.simulator.world import World

PATH = "/connect/oauth2/authorize"
ORDER = ["appid", "redirect_uri", "response_type", "scope", "state"]  # WeChat refuses another one
SCOPES = ("snsapi_base", "snsapi_userinfo")
STATE = re.compile(r"[a-zA-Z0-9]{0,128}", re.ASCII)
CODE_SECONDS = 300
MOST_PEOPLE = 200


class Asked(NamedTuple):
    account: Account
    redirect_uri: str
    scope: str
    state: str


class Wrong(Exception):
    """What the phone shows instead of the page."""


def make(world: World) -> Blueprint:
    bp = Blueprint("consent_pages", __name__)

    @bp.get(PATH)
    def ask() -> Response:
        with world.store.reading() as db:
            asked = _asked(db, request.query_string.decode("ascii", "replace"))
            people = db.execute(
                "SELECT openid, name FROM followers WHERE account = ? AND bulk = 0 ORDER BY rowid LIMIT ?",
                (asked.account.account, MOST_PEOPLE),
            ).fetchall()
        back = urlsplit(asked.redirect_uri)
        html = render_template(
            "consent.html",
            title=asked.account.shown_title,
            host=back.hostname,
            people=people,
            asks=asked.scope == "snsapi_userinfo",
        )
        # The form's answer leads back to the page that asked, so this is a place that it may go to.
        policy = f"default-src 'none'; style-src 'self'; form-action 'self' {back.scheme}://{back.netloc}"
        return Response(html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy})

    @bp.post(PATH)
    def answer() -> Response:
        openid, decision = request.form.get("openid", ""), request.form.get("decision", "")
        now = world.clock.now()
        with world.store.writing() as db:
            asked = _asked(db, request.query_string.decode("ascii", "replace"))
            if followers.find(db, asked.account.account, openid) is None:
                raise Wrong("Choose whose phone this is.")
            if decision == "refuse" and asked.scope == "snsapi_userinfo":
                return _back(asked, {"state": asked.state})
            code = "0" + secrets.token_hex(15) + "w"
            db.execute(
                "INSERT INTO web_codes VALUES (?, ?, ?, ?, ?, ?, 0)",
                (code, asked.account.account, openid, asked.scope, decision == "snapshot", now + CODE_SECONDS),
            )
        return _back(asked, {"code": code, "state": asked.state})

    @bp.errorhandler(Wrong)
    def wrong(error: Wrong) -> Response:
        return Response(f"<!doctype html><p>{escape(str(error))}</p>", content_type="text/html; charset=utf-8")

    return bp


def _asked(db: sqlite3.Connection, query: str) -> Asked:
    """
    Raises:
        Wrong: in WeChat's own words where it has some.
    """
    given = parse_qs(query, keep_blank_values=True)
    if [name for name, _value in parse_qsl(query, keep_blank_values=True)] not in (ORDER, ORDER[:-1]):
        raise Wrong("链接错误: the parameters are " + "&".join(ORDER) + ", in this order.")
    account = accounts.find_by_appid(db, given["appid"][0])
    if account is None:
        raise Wrong("AppID 参数错误 (10013)")
    if given["response_type"] != ["code"]:
        raise Wrong("response_type 参数错误: code")
    scope, state = given["scope"][0], given.get("state", [""])[0]
    if scope not in SCOPES:
        raise Wrong("Scope 参数错误或没有 Scope 权限 (10005)")
    if account.kind != "service" or not account.verified:
        raise Wrong("Scope 参数错误或没有 Scope 权限 (10005)")
    back = urlsplit(given["redirect_uri"][0])
    if back.scheme not in ("http", "https") or not account.web_domain or back.hostname != account.web_domain:
        raise Wrong("redirect_uri 域名与后台配置不一致，错误码：10003")
    if not STATE.fullmatch(state):
        raise Wrong("state 参数错误: [a-zA-Z0-9], 128")
    return Asked(account, given["redirect_uri"][0], scope, state)


def _back(asked: Asked, told: dict[str, str]) -> Response:
    parts = urlsplit(asked.redirect_uri)
    query = urlencode(parse_qsl(parts.query, keep_blank_values=True) + list(told.items()))
    return redirect(urlunsplit(parts._replace(query=query)), 302)  # type: ignore[return-value]  # as in every view

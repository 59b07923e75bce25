"""The phone in the browser: its page, what it shows, and the news it waits for."""

import hashlib
import re
import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from lucide.jinja import lucide
from markupsafe import Markup

from bot.simulator import accounts, followers, inbox, media, menus, qrcodes, windows
from bot.simulator.accounts import Account
from bot.simulator.api.files import FORMATS, LIMITS, sniffed
from bot.simulator.phone_words import LANGUAGES, WORDS
from bot.simulator.world import World

WAIT_SECONDS = 20
RETRY_MS = 1500  # for phones that found no seat to wait in
MOST_PEOPLE = 200

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; img-src 'self' blob: http: https:; media-src 'self' http: https:"
)

ICONS = (
    *("send", "plus", "keyboard", "panel-bottom", "image", "mic", "map-pin", "scan-line", "user-plus", "user-minus"),
    *("clock", "x", "play", "music", "chevron-up", "settings-2", "volume-2", "app-window", "link", "languages"),
    *("message-circle", "users", "hourglass", "check", "film", "store", "triangle-alert"),
)


def make(world: World) -> Blueprint:
    bp = Blueprint("phone", __name__, url_prefix="/phone")

    @bp.get("/")
    def page() -> Response:
        language = request.args.get("lang", "")
        if language not in LANGUAGES:
            language = request.accept_languages.best_match(["zh-CN", "zh", "en"], "en")[:2]
        text = render_template("phone.html", words=WORDS[language], language=LANGUAGES[language], sprite=_sprite())
        response = Response(text, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = CSP
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Vary"] = "Accept-Language"
        return response

    @bp.get("/state")
    def state() -> Response:
        with world.store.reading() as db:
            everyone = accounts.all_of_them(db)
            account = _chosen(everyone, request.args.get("account", ""))
            shown: dict[str, Any] = {"accounts": [_account(one) for one in everyone], "clock": _clock(world)}
            if account is not None:
                shown |= {"account": _account(account), "people": _people(db, account)}
                shown |= {"codes": _codes(db, account, world.clock.now())}
                me = _me(db, account, request.args.get("as", ""))
                if me is not None:
                    shown |= _screen(world, db, account, me["openid"], 0)
        return jsonify(shown)

    @bp.post("/people")
    def meet() -> tuple[dict[str, Any], int] | dict[str, Any]:
        """Someone who may not follow yet: {account, name, following}."""
        body = request.get_json()
        if not isinstance(body, dict):
            return {"error": "Choose an account and a name."}, 400
        name = str(body.get("name", "")).strip()[:64]
        with world.store.writing() as db:
            account = accounts.find(db, str(body.get("account", "")))
            if account is None or not name:
                return {"error": "Choose an account and a name."}, 400
            now = world.clock.now()
            row = followers.ensure(db, account.account, name, now, following=body.get("following") is True)
        return {"openid": row["openid"], "name": row["name"]}

    @bp.get("/events")
    def events() -> Response:
        account_name, openid = request.args.get("account", ""), request.args.get("openid", "")
        after, mark = request.args.get("after", 0, type=inbox.place), request.args.get("mark", "")

        def look() -> dict[str, Any] | None:
            with world.store.reading() as db:
                account = accounts.find(db, account_name)
                if account is None or followers.find(db, account_name, openid) is None:
                    return {"items": [], "gone": True}
                screen = _screen(world, db, account, openid, after)
            return screen if screen["items"] or screen["mark"] != mark else None

        news = world.bell.wait_for(look, WAIT_SECONDS)
        return jsonify(news or {"items": [], "wait_ms": RETRY_MS if world.bell.is_full else 0})

    @bp.post("/pictures")
    def upload() -> tuple[dict[str, Any], int] | dict[str, Any]:
        """A picture that the follower is about to send; its bytes are the whole body."""
        # Only our own page can set this header without the browser asking us first.
        if request.headers.get("X-Phone") != "1":
            return {"error": "Only the phone may do this."}, 400
        content = request.get_data()
        content_type = sniffed(content)
        if content_type not in FORMATS["image"] or len(content) > LIMITS["image"][0]:
            return {"error": "Choose a PNG, JPEG or GIF picture of at most 10 MB."}, 400
        with world.store.reading() as db:
            account = accounts.find(db, request.args.get("account", ""))
        if account is None:
            return {"error": "There is no such account."}, 404
        row = media.add(world, account.account, "image", "photo", content_type, content)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()  # what pic_… events tell of it
        return {"media_id": row["media_id"], "md5": md5}

    return bp


def _screen(world: World, db: sqlite3.Connection, account: Account, openid: str, after: int) -> dict[str, Any]:
    """What one phone shows now. `mark` changes whenever anything but the messages does."""
    now = world.clock.now()
    row = followers.find(db, account.account, openid)
    assert row is not None
    menu = menus.seen_by(db, account.account, openid)
    buttons = menu.buttons if menu else menus.console_menu(db, account.account)
    items = inbox.everything(db, account.account, openid, after)
    window = windows.state(db, account.account, openid, now)
    is_typing = row["typing_until"] > now
    return {
        "me": {"openid": openid, "name": row["name"], "following": bool(row["following"])},
        "menu": {"menuid": menu.menuid if menu else 0, "button": buttons} if buttons else None,
        "items": items,
        "cursor": items[-1]["id"] if items else after,
        "window": window,
        "typing_seconds": max(0.0, round(row["typing_until"] - now, 1)),
        "clock": _clock(world),
        "mark": f"{row['following']}.{menu.menuid if menu else 0}.{window['remaining']}.{is_typing}."
        f"{round(world.clock.offset)}.{row['interacted_at']}.{account.shown_title}",
    }


def _chosen(everyone: list[Account], name: str) -> Account | None:
    """The account of this name; else the first one: a link to one that is gone still shows a phone that works."""
    return next((one for one in everyone if one.account == name), everyone[0] if everyone else None)


def _me(db: sqlite3.Connection, account: Account, name: str) -> followers.Follower | None:
    """The person of this name; without a name, the first one."""
    row: followers.Follower | None = db.execute(
        "SELECT * FROM followers WHERE account = ? AND bulk = 0 AND (name = ? OR ? = '') ORDER BY rowid LIMIT 1",
        (account.account, name, name),
    ).fetchone()
    return row


def _account(account: Account) -> dict[str, Any]:
    return {"account": account.account, "title": account.shown_title}


def _people(db: sqlite3.Connection, account: Account) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT openid, name FROM followers WHERE account = ? AND bulk = 0 ORDER BY rowid LIMIT ?",
        (account.account, MOST_PEOPLE),
    )
    return [dict(row) for row in rows]


def _codes(db: sqlite3.Connection, account: Account, now: float) -> list[dict[str, Any]]:
    return [
        {"ticket": code["ticket"], "scene": code["scene"], "permanent": code["expires_at"] is None}
        for code in qrcodes.latest(db, account.account, now)
    ]


def _clock(world: World) -> dict[str, float]:
    return {"now": world.clock.now(), "offset_seconds": world.clock.offset}


def _sprite() -> Markup:
    """All icons once; the page and its script point at them."""
    symbols = []
    for name in ICONS:
        inner = re.sub(r"^<svg[^>]*>|</svg>$", "", str(lucide(name)).strip())
        symbols.append(f'<symbol id="i-{name}" viewBox="0 0 24 24">{inner}</symbol>')
    return Markup('<svg class="sprite" aria-hidden="true">' + "".join(symbols) + "</svg>")  # noqa: S704 (our icons)

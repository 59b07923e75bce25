"""How tests and scripts steer the simulator: JSON under /sim/."""

import sqlite3
from collections.abc import Collection
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import ValidationError

from bot.simulator import (
    accounts,
    autoreplies,
    control_bodies,
    control_sends,
    delivery,
    faults,
    followers,
    inbox,
    menus,
    pushes,
    qrcodes,
    windows,
)
from bot.simulator.accounts import Account
from bot.simulator.api import quotas
from bot.simulator.clock import DAY_SECONDS
from bot.simulator.control_reading import (
    Unusable,
    check_follower,
    explain,
    explain_field,
    find_account,
    read,
    read_object,
)
from bot.simulator.errors import TEXTS
from bot.simulator.pushes import Act
from bot.simulator.world import World

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# The few event fields that may be named in our style; all others go into the XML under the name given.
XML_NAMES = {name.lower(): name for name in ("Ticket", "MenuId", "Latitude", "Longitude", "Precision")}

# WeChat's times are numbers of 32 bits.
MOST_AHEAD_SECONDS = 10 * 366 * DAY_SECONDS


def make(world: World, paths: Collection[str]) -> Blueprint:
    """`paths`: of all API calls there are; a fault ordered for another would never come."""
    bp = Blueprint("control", __name__, url_prefix="/sim")
    bp.register_error_handler(Unusable, explain)
    bp.register_error_handler(ValidationError, explain_field)

    @bp.get("/health")
    def health() -> dict[str, Any]:
        return {"ok": True, "now": world.clock.now()}

    @bp.get("/accounts")
    def list_accounts() -> Response:
        with world.store.reading() as db:
            return jsonify([account.model_dump() for account in accounts.all_of_them(db)])

    @bp.post("/accounts")
    def save_account() -> dict[str, Any]:
        fields = read_object()
        if not fields.get("account"):
            raise Unusable("account: is missing.")
        try:
            with world.store.writing() as db:
                account = accounts.save(db, fields)
        except sqlite3.IntegrityError:
            raise Unusable("appid or original_id: belongs to another account.") from None
        world.bell.ring()
        return account.model_dump()

    @bp.get("/followers")
    def list_followers() -> Response:
        account = find_account(world, request.args.get("account", ""))
        with world.store.reading() as db:
            rows = db.execute("SELECT * FROM followers WHERE account = ? ORDER BY follow_seq", (account.account,))
            return jsonify([_follower(row) for row in rows])

    @bp.post("/followers")
    def save_follower() -> dict[str, Any]:
        body = read(control_bodies.FollowerBody)
        account = find_account(world, body.account)
        now = world.clock.now()
        if body.count is not None:
            _check_tag(world, account, body.tag_id)
            followers.make_many(world, account.account, body.count, body.tag_id)
            return {"count": body.count}
        with world.store.writing() as db:
            row = followers.ensure(db, account.account, body.name, now, following=not body.follow)
            openid: str = row["openid"]
            if body.refuses_messages is not None:
                db.execute(
                    "UPDATE followers SET refuses_messages = ? WHERE account = ? AND openid = ?",
                    (body.refuses_messages, account.account, openid),
                )
            if body.platform is not None:
                menus.set_platform(db, account.account, openid, body.platform)
        if not body.follow:
            return {"openid": openid}
        act = Act(openid, {"EventKey": ""}, event="subscribe")
        return {"openid": openid} | pushes.trigger(world, account, act, {"text": ""}).shown()

    @bp.post("/messages")
    def write() -> dict[str, Any]:
        body = read(control_bodies.MessageBody)
        account = _known_follower(world, body)
        extra = dict(body.model_extra or {})  # what the type does not use goes into the XML as it is
        try:
            fields, shown = pushes.message_fields(world, account, body.type, extra, request.host_url.rstrip("/"))
        except ValueError as error:
            raise Unusable(f"{error}.") from None
        act = Act(body.openid, fields | extra, body.type, "", body.raw_xml, body.repeat, body.parallel)
        return pushes.say(world, account, act, shown).shown()

    @bp.post("/events")
    def trigger() -> dict[str, Any]:
        body = read(control_bodies.EventBody)
        account = _known_follower(world, body)
        extra = dict(body.model_extra or {})
        fields = {} if body.event_key is None else {"EventKey": body.event_key}
        fields |= {XML_NAMES.get(name, name): value for name, value in extra.items()}
        act = Act(body.openid, fields, "event", body.event, body.raw_xml, body.repeat, body.parallel)
        return pushes.trigger(world, account, act, {"text": body.event_key or ""}).shown()

    @bp.post("/scans")
    def scan() -> dict[str, Any]:
        body = read(control_bodies.ScanBody)
        account = _known_follower(world, body)
        try:
            return qrcodes.scan(world, account, body.openid, scene=body.scene, ticket=body.ticket).shown()
        except qrcodes.NoSuchCode as error:
            raise Unusable(str(error), 404) from None

    @bp.get("/followers/<openid>/inbox")
    def read_inbox(openid: str) -> Response:
        account = find_account(world, request.args.get("account", ""))
        after = request.args.get("after", 0, type=inbox.place)
        with world.store.reading() as db:
            check_follower(db, account, openid)
            return jsonify(inbox.received(db, account.account, openid, after))

    @bp.post("/faults")
    def order_fault() -> dict[str, Any]:
        body = read(control_bodies.FaultBody)
        if body.path != faults.CALLBACK and body.path not in paths and body.path not in faults.ENDS:
            raise Unusable(f"path: {body.path} is no call or job's end that is simulated, and not “callback”.")
        if body.account is not None:
            find_account(world, body.account)
        if body.errcode is not None and body.errcode not in TEXTS:
            raise Unusable(f"errcode: {body.errcode} is not one WeChat answers.")
        fault = faults.Fault(**body.model_dump(exclude={"path", "account", "times"}))
        with world.store.writing() as db:
            return {"id": faults.order(db, body.path, body.account, body.times, fault)}

    @bp.delete("/faults")
    def clear_faults() -> dict[str, Any]:
        with world.store.writing() as db:
            return {"cleared": faults.clear(db)}

    @bp.get("/clock")
    def read_clock() -> dict[str, Any]:
        return {"offset_seconds": world.clock.offset, "now": world.clock.now()}

    @bp.post("/clock")
    def move_clock() -> dict[str, Any]:
        seconds = read(control_bodies.ClockBody).advance_seconds
        if abs(world.clock.offset + seconds) > MOST_AHEAD_SECONDS:
            raise Unusable("advance_seconds: the clock can stand at most ten years from the real time.")
        world.clock.advance(seconds)
        world.bell.ring()
        world.alarm.ring()
        return read_clock()

    @bp.get("/ledger")
    def read_ledger() -> dict[str, Any]:
        account = find_account(world, request.args.get("account", ""))
        with world.store.reading() as db:
            return {
                "account": account.account,
                "followers": inbox.counts(db, account.account),
                "calls": quotas.totals(db, account.account),
            }

    @bp.get("/windows")
    def read_window() -> dict[str, Any]:
        account = find_account(world, request.args.get("account", ""))
        openid = request.args.get("openid", "")
        with world.store.reading() as db:
            check_follower(db, account, openid)
            return windows.state(db, account.account, openid, world.clock.now())

    @bp.post("/verify")
    def verify() -> dict[str, Any]:
        account = find_account(world, read(control_bodies.VerifyBody).account)
        if not account.callback_url:
            raise Unusable("callback_url: the account has none.")
        return delivery.verify(world, account)

    @bp.post("/autoreplies")
    def set_autoreplies() -> dict[str, Any]:
        body = read(control_bodies.AutoRepliesBody)
        account = find_account(world, body.account)
        with world.store.writing() as db:
            autoreplies.save(db, account.account, body.model_dump(exclude_unset=True))
        return {"account": account.account}

    @bp.post("/menus")
    def set_console_menu() -> dict[str, Any]:
        body = read(control_bodies.ConsoleMenuBody)
        account = find_account(world, body.account)
        with world.store.writing() as db:
            menus.set_console_menu(db, account.account, body.model_dump(exclude_unset=True)["button"])
        return {"account": account.account}

    control_sends.add_to(bp, world)

    @bp.route("/", defaults={"path": ""}, methods=METHODS)
    @bp.route("/<path:path>", methods=METHODS)
    def no_such_call(path: str) -> Response:
        raise Unusable(f"There is no {request.method} /sim/{path}; bot/simulator/README.md lists what there is.", 404)

    return bp


def _known_follower(world: World, body: control_bodies.ActBody | control_bodies.ScanBody) -> Account:
    account = find_account(world, body.account)
    with world.store.reading() as db:
        check_follower(db, account, body.openid)
    return account


def _check_tag(world: World, account: Account, tag_id: int | None) -> None:
    with world.store.reading() as db:
        row = db.execute("SELECT 1 FROM tags WHERE account = ? AND id = ?", (account.account, tag_id)).fetchone()
    if tag_id is not None and row is None:
        raise Unusable(f"tag_id: {account.account} has no tag {tag_id}.", 404)


def _follower(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "openid": row["openid"],
        "name": row["name"],
        "following": bool(row["following"]),
        "blocked": bool(row["blacklisted"]),
    }

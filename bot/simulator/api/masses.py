"""Mass messages: to all, to a tag, to a list of followers; a look before, and what became of them."""

import hashlib
import json
import re
import sqlite3
from typing import Any

from bot.simulator import drafts, finishes, followers, inbox, masses
from bot.simulator.api import mass_contents, quotas
from bot.simulator.api.calls import OK, Asked, Call
from bot.simulator.errors import Refusal
from bot.simulator.permissions import Allowed

SEND, SEND_ALL = "/cgi-bin/message/mass/send", "/cgi-bin/message/mass/sendall"
SENDS_A_DAY = 100  # both together
PREVIEWS_A_DAY = 100
LEAST_OPENIDS, MOST_OPENIDS = 2, 10_000
CLIENT_ID_BYTES = 32
REAL_SPEEDS = (100, 75, 55, 30, 15)

OPENID = re.compile(r"[\w-]{28}", re.ASCII)


def send(asked: Asked) -> dict[str, Any]:
    openids = asked.body["touser"]
    if not isinstance(openids, list):
        raise Refusal(40031)
    if len(openids) < LEAST_OPENIDS:
        raise Refusal(40130)
    if len(openids) > MOST_OPENIDS:
        raise Refusal(40032)
    if not all(isinstance(openid, str) and OPENID.fullmatch(openid) for openid in openids):
        raise Refusal(40031)
    _count(asked)
    with asked.world.store.writing() as db:
        rowids = [
            row[0]
            for row in db.execute(
                "SELECT followers.rowid FROM json_each(?) CROSS JOIN followers ON account = ? AND openid = value",
                (json.dumps(openids), asked.account.account),
            )
        ]
        if len(rowids) != len(openids):  # someone is not one of this account's people, and never was
            raise Refusal(40031)
        answer, early = _submit(db, asked, "list", json.dumps(rowids), len(rowids), sorted(openids))
    return _taken_on(asked, answer, early)


def send_all(asked: Asked) -> dict[str, Any]:
    filter_ = asked.body["filter"]
    if not isinstance(filter_, dict):
        raise Refusal(47003, "argument invalid! filter")
    account, to_all = asked.account.account, filter_.get("is_to_all", False)
    if not isinstance(to_all, bool):
        raise Refusal(47003, "argument invalid! filter.is_to_all")
    _count(asked)
    with asked.world.store.writing() as db:
        if to_all:
            query, of = "SELECT count(*) FROM followers WHERE account = ? AND following = 1", (account,)
            answer, early = _submit(db, asked, "all", None, db.execute(query, of).fetchone()[0], filter_)
        else:
            tag = filter_.get("tag_id", filter_.get("group_id"))  # its name of before 2016, which some clients send
            tag_id = _tag(db, account, tag)
            query = "SELECT count(*) FROM tagged WHERE account = ? AND tag_id = ?"
            total = db.execute(query, (account, tag_id)).fetchone()[0]
            answer, early = _submit(db, asked, "tag", str(tag_id), total, filter_)
    return _taken_on(asked, answer, early)


def preview(asked: Asked) -> dict[str, Any]:
    account = asked.account.account
    _count(asked, shares_day=False)
    with asked.world.store.writing() as db:
        if name := asked.body.get("towxname"):
            row = db.execute(
                "SELECT * FROM followers WHERE account = ? AND name = ? AND bulk = 0", (account, str(name))
            ).fetchone()
            if row is None:
                raise Refusal(40132)
        else:
            row = followers.find(db, account, str(asked.body.get("touser", "")))
            if row is None:
                raise Refusal(40003)
        if not row["following"]:
            raise Refusal(43004)
        content = mass_contents.read(db, asked, preview=True)
        msg_id = masses.next_id(db)
        inbox.add(db, account, row["openid"], "preview", content.type, asked.now, content.shown | {"msg_id": msg_id})
    asked.world.bell.ring()
    return {"errcode": 0, "errmsg": "preview success", "msg_id": msg_id}


def get(asked: Asked) -> dict[str, Any]:
    _count(asked, shares_day=False)
    with asked.world.store.writing() as db:
        row = masses.find(db, asked.account.account, asked.body["msg_id"])
        if row is None:
            raise Refusal(40059)
        return {"msg_id": row["msg_id"], "msg_status": row["status"]}


def delete(asked: Asked) -> dict[str, Any]:
    """The articles go, one or all; what lies on phones stays and leads nowhere."""
    account, place = asked.account.account, asked.body.get("article_idx", 0)
    _count(asked, shares_day=False)
    with asked.world.store.writing() as db:
        row = masses.find(db, account, asked.body["msg_id"])
        if row is None:
            raise Refusal(40059)
        if row["status"] != "SEND_SUCCESS" or row["type"] not in ("mpnews", "mpvideo"):
            raise Refusal(40065)
        shown = json.loads(row["content"])
        count = len(shown.get("articles", [None]))
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place <= count:
            raise Refusal(40060)
        gone = sorted({*json.loads(row["deleted"]), *([place] if place else range(1, count + 1))})
        for number, one in enumerate(shown.get("articles", []), 1):
            one["deleted"] = number in gone
        shown["deleted"] = len(gone) == count
        text = json.dumps(shown, ensure_ascii=False)
        db.execute(
            "UPDATE masses SET deleted = ?, content = ?, status = ? WHERE msg_id = ?",
            (json.dumps(gone), text, "DELETE" if shown["deleted"] else row["status"], row["msg_id"]),
        )
        db.execute("UPDATE chat SET data = ? WHERE id = ?", (text, row["item"]))
        drafts.take_page_down(db, shown.get("page_id", ""), gone)
    asked.world.bell.ring()
    return OK


def get_speed(asked: Asked) -> dict[str, Any]:
    with asked.world.store.reading() as db:
        speed = masses.speed(db, asked.account.account)
    return {"speed": speed, "realspeed": REAL_SPEEDS[speed]}


def set_speed(asked: Asked) -> dict[str, Any]:
    if "speed" not in asked.body:
        raise Refusal(45084)
    speed = asked.body["speed"]
    if isinstance(speed, bool) or not isinstance(speed, int) or speed not in range(len(masses.SPEEDS)):
        raise Refusal(45083)
    with asked.world.store.writing() as db:
        masses.set_speed(db, asked.account.account, speed)
    return OK


def _count(asked: Asked, *, shares_day: bool = True) -> None:
    """The quotas that mass calls share: of the minute, and of the day for those that send.

    In a transaction of its own: a call that is refused for another reason has been made all the same.
    """
    account = asked.account
    most = account.mass_a_minute
    with asked.world.store.writing() as db:
        if most and not quotas.count_in_minute(db, account.account, "mass", most, asked.now):
            raise Refusal(45011)
        used = quotas.used_today(db, account.account, asked.world.clock.day(), (SEND, SEND_ALL))
    if shares_day:
        limits = [account.daily_limits.get(path, SENDS_A_DAY) for path in (SEND, SEND_ALL)]
        if used > max(limits):
            raise Refusal(45009)


def _submit(
    db: sqlite3.Connection, asked: Asked, scope: str, recipients: str | None, total: int, whom: Any
) -> tuple[dict[str, Any], bool]:
    """The answer, and whether the job's end is to come before it."""
    client_id = asked.body.get("clientmsgid")
    if client_id is None:
        # Without one WeChat makes it of whom it goes to and what it says: the same again is a repeat.
        facts = {name: value for name, value in asked.body.items() if name not in ("touser", "filter")}
        client_id = hashlib.md5(json.dumps([whom, facts], sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    if not isinstance(client_id, str) or not 0 < len(client_id.encode()) <= CLIENT_ID_BYTES:
        raise Refusal(45067)
    masses.check_client_id(asked.world, db, asked.account, client_id)
    reprint = asked.body.get("send_ignore_reprint", 0)
    if reprint not in (0, 1):
        raise Refusal(47003, "argument invalid! send_ignore_reprint")
    content = mass_contents.read(db, asked)
    order = masses.Order(
        content.type, scope, recipients, total, content.shown, content.draft_id, client_id, reprint == 1
    )
    msg_id, plan = masses.accept(asked.world, db, asked.account, order, asked.base_url)
    answer = {"errcode": 0, "errmsg": "send job submission success", "msg_id": msg_id}
    if content.type == "mpnews":
        answer["msg_data_id"] = masses.next_data_id(db)
    return answer, plan.early


def _taken_on(asked: Asked, answer: dict[str, Any], early: bool) -> dict[str, Any]:
    if early:
        masses.deliver(asked.world, answer["msg_id"])
        finishes.push_early(asked.world, asked.account.account)
    else:
        asked.world.alarm.ring()
    return answer


def _tag(db: sqlite3.Connection, account: str, tag_id: object) -> int:
    if isinstance(tag_id, str) and tag_id.isdecimal() and len(tag_id) < 10:  # some clients send it as a text
        tag_id = int(tag_id)
    if isinstance(tag_id, bool) or not isinstance(tag_id, int):
        raise Refusal(40152)
    if db.execute("SELECT 1 FROM tags WHERE account = ? AND id = ?", (account, tag_id)).fetchone() is None:
        raise Refusal(40152)
    return tag_id


CALLS = (
    Call(SEND, send, allowed=Allowed.VERIFIED_SERVICE, fields=("touser", "msgtype")),
    Call(SEND_ALL, send_all, fields=("filter", "msgtype")),
    Call("/cgi-bin/message/mass/preview", preview, daily=PREVIEWS_A_DAY, fields=("msgtype",)),
    Call("/cgi-bin/message/mass/get", get, fields=("msg_id",)),
    Call("/cgi-bin/message/mass/delete", delete, fields=("msg_id",)),
    Call("/cgi-bin/message/mass/speed/get", get_speed),
    Call("/cgi-bin/message/mass/speed/set", set_speed),
)

"""Template messages: short forms that a verified service account may send to a follower at any time."""

import re
import sqlite3
from typing import Any

from bot.simulator import faults, finishes, followers, inbox, templates
from bot.simulator.accounts import Account
from bot.simulator.api.calls import OK, Asked, Call
from bot.simulator.errors import Refusal
from bot.simulator.faults import Fault
from bot.simulator.permissions import Allowed
from bot.simulator.store import next_serial

EVENT = "TEMPLATESENDJOBFINISH"
DAILY = 100_000
FIRST_MSG_ID = 9_107_199_254_740_993  # beyond 2^53, and apart from those of mass messages
REMEMBERED_SECONDS = 600
URL_BYTES = 1024
BLOCKED, FAILED = "failed:user block", "failed: system failed"  # the space differs at WeChat too

OPENID = re.compile(r"[\w-]{28}", re.ASCII)
KINDS = (templates.MESSAGE, templates.MESSAGE)
INDUSTRY = {"primary_industry": "IT科技", "deputy_industry": "互联网|电子商务"}


def send(asked: Asked) -> dict[str, Any]:
    account, body = asked.account.account, asked.body
    with asked.world.store.writing() as db:
        template = templates.find(db, account, body["template_id"], KINDS)
        follower = addressee(db, asked)
        shown = {"title": template["title"], "text": templates.filled(template["content"], body["data"])}
        shown |= target(asked.account, body, "url", 40039)
        client_id = _client_id(body)
        before = client_id and _sent_before(db, account, follower["openid"], client_id, asked.now)
        if before:
            return OK | {"msgid": before}
        msg_id = next_serial(db, "template_msg_id", FIRST_MSG_ID)
        if client_id:
            db.execute(
                "INSERT OR REPLACE INTO template_keys VALUES (?, ?, ?, ?, ?)",
                (account, follower["openid"], client_id, msg_id, asked.now),
            )
        plan = faults.take_in(db, EVENT, account) or Fault()
        status = plan.result or (BLOCKED if follower["refuses_messages"] else "success")
        if status == "success":
            shown |= {"msg_id": msg_id, "client_msg_id": client_id}
            inbox.add(db, account, follower["openid"], "template", "template", asked.now, shown)
        fields = {"MsgID": msg_id, "Status": status}
        finishes.enqueue(db, account, follower["openid"], EVENT, fields, asked.now, plan)
    announce(asked, plan)
    return OK | {"msgid": msg_id}


def addressee(db: sqlite3.Connection, asked: Asked) -> followers.Follower:
    """
    Raises:
        Refusal: 40003, 43019, 43004.
    """
    openid = asked.body["touser"]
    row = None
    if isinstance(openid, str) and OPENID.fullmatch(openid):
        row = followers.find(db, asked.account.account, openid)
    if row is None:
        raise Refusal(40003)
    if row["blacklisted"]:
        raise Refusal(43019)
    if not row["following"]:
        raise Refusal(43004)
    return row


def target(account: Account, body: dict[str, Any], name: str, bad_url: int) -> dict[str, str]:
    """Where a tap leads: a mini program before an address."""
    url, program = body.get(name, ""), body.get("miniprogram")
    if (
        not isinstance(url, str)
        or len(url.encode()) > URL_BYTES
        or (url and not url.startswith(("http://", "https://")))
    ):
        raise Refusal(bad_url)
    if not program:
        return {"url": url}
    if not isinstance(program, dict) or program.get("appid") not in account.miniprograms:
        raise Refusal(40166)
    if not isinstance(program.get("pagepath", ""), str):
        raise Refusal(40165)
    return {"url": url, "appid": program["appid"], "pagepath": program.get("pagepath", "")}


def announce(asked: Asked, plan: Fault) -> None:
    asked.world.bell.ring()
    if plan.early:
        finishes.push_early(asked.world, asked.account.account)
    else:
        asked.world.alarm.ring()


def get_all(asked: Asked) -> dict[str, Any]:
    with asked.world.store.reading() as db:
        rows = templates.all_of(db, asked.account.account, KINDS)
    names = ("template_id", "title", "content", "example")
    return {"template_list": [{name: row[name] for name in names} | INDUSTRY for row in rows]}


def add(asked: Asked) -> dict[str, Any]:
    short, keywords = asked.body["template_id_short"], asked.body.get("keyword_name_list")
    if not isinstance(short, str) or not re.fullmatch(r"(TM|OPENTM)?\d{1,12}", short):
        raise Refusal(40037)
    if short.startswith(("TM", "OPENTM")):  # of an industry: no longer given out
        raise Refusal(40247)
    if not isinstance(keywords, list) or not keywords or not all(isinstance(one, str) and one for one in keywords):
        raise Refusal(40246)
    with asked.world.store.writing() as db:
        content = templates.content_of(keywords)
        template_id = templates.add(db, asked.account.account, templates.MESSAGE, f"模板 {short}", content, short)
    return OK | {"template_id": template_id}


def delete(asked: Asked) -> dict[str, Any]:
    with asked.world.store.writing() as db:
        template = templates.find(db, asked.account.account, asked.body["template_id"], KINDS)
        db.execute("DELETE FROM templates WHERE template_id = ?", (template["template_id"],))
    return OK


def industry(asked: Asked) -> dict[str, Any]:
    return {
        "primary_industry": {"first_class": "IT科技", "second_class": "互联网|电子商务"},
        "secondary_industry": {"first_class": "IT科技", "second_class": "IT软件与服务"},
    }


def _client_id(body: dict[str, Any]) -> str:
    client_id = body.get("client_msg_id", "")
    if not isinstance(client_id, str):
        raise Refusal(47003, "argument invalid! client_msg_id")
    return client_id


def _sent_before(db: sqlite3.Connection, account: str, openid: str, client_id: str, now: float) -> int | None:
    row = db.execute(
        "SELECT msg_id FROM template_keys WHERE account = ? AND openid = ? AND client_id = ? AND at > ?",
        (account, openid, client_id, now - REMEMBERED_SECONDS),
    ).fetchone()
    return None if row is None else int(row[0])


CALLS = (
    Call(
        "/cgi-bin/message/template/send",
        send,
        allowed=Allowed.VERIFIED_SERVICE,
        daily=DAILY,
        fields=("touser", "template_id", "data"),
    ),
    Call("/cgi-bin/template/get_all_private_template", get_all, method="GET", allowed=Allowed.VERIFIED_SERVICE),
    Call("/cgi-bin/template/api_add_template", add, allowed=Allowed.VERIFIED_SERVICE, fields=("template_id_short",)),
    Call("/cgi-bin/template/del_private_template", delete, allowed=Allowed.VERIFIED_SERVICE, fields=("template_id",)),
    Call("/cgi-bin/template/get_industry", industry, method="GET", allowed=Allowed.VERIFIED_SERVICE),
)

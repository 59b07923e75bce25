"""Mass messages: taken on at once, delivered when checked, each remembered by its client's id for a day."""

import json
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bot.simulator import accounts, drafts, faults, finishes, followers, inbox
from bot.simulator.accounts import Account
from bot.simulator.clock import CHINA_SECONDS, DAY_SECONDS
from bot.simulator.errors import Refusal
from bot.simulator.faults import Fault
from bot.simulator.store import next_serial
from bot.simulator.world import World

EVENT = "MASSSENDJOBFINISH"
FIRST_MSG_ID = 9_007_199_254_740_993  # beyond 2^53: a float loses it
FIRST_DATA_ID = 2_247_483_000
REMEMBERED_SECONDS = DAY_SECONDS
TOO_FAST_SECONDS = 60
MONTHLY_EACH = 4  # of a service account to one follower
MONTHLY_TO_ALL = 4
SPEEDS = (800_000, 600_000, 450_000, 300_000, 100_000)  # followers a minute
CHUNK = 5_000  # followers in one transaction: others get their turn between

Mass = sqlite3.Row


@dataclass(frozen=True)
class Order:
    """A mass message that was found well-formed."""

    type: str
    scope: str  # list, tag, all
    recipients: str | None  # rowids as JSON; a tag's id
    total: int  # how many are meant, for the time it takes
    content: dict[str, Any]  # what a phone will show
    draft_id: str | None
    client_id: str
    takes_reprints: bool


def check_client_id(world: World, db: sqlite3.Connection, account: Account, client_id: str) -> None:
    """Before everything else: a repeat must learn of its first, whatever has changed since, a draft gone or a quota.

    Raises:
        Refusal: 45066 too soon, 45065 with the msg_id of the first.
    """
    now = world.clock.now()
    before = db.execute(
        "SELECT * FROM masses WHERE account = ? AND client_id = ? AND created_at > ? ORDER BY created_at DESC LIMIT 1",
        (account.account, client_id, now - REMEMBERED_SECONDS),
    ).fetchone()
    if before is not None:
        if before["status"] == "SENDING" or now - before["created_at"] < TOO_FAST_SECONDS:
            raise Refusal(45066)
        raise Refusal(45065, msg_id=before["msg_id"])


def next_id(db: sqlite3.Connection) -> int:
    return next_serial(db, "mass_msg_id", FIRST_MSG_ID)


def next_data_id(db: sqlite3.Connection) -> int:
    return next_serial(db, "msg_data_id", FIRST_DATA_ID)


def accept(world: World, db: sqlite3.Connection, account: Account, order: Order, base_url: str) -> tuple[int, Fault]:
    """Take a job on whose `client_id` has been checked.

    Returns:
        Its msg_id, and what a test has ordered for its end.

    Raises:
        Refusal: 45028.
    """
    now = world.clock.now()
    _check_quota(world, db, account, order.scope, now)
    plan = faults.take_in(db, EVENT, account.account) or Fault()
    seconds = account.moderation_seconds + order.total * 60 / SPEEDS[speed(db, account.account)]
    msg_id = next_id(db)
    db.execute(
        "INSERT INTO masses (msg_id, account, client_id, status, type, scope, recipients, content, draft_id, plan,"
        " base_url, created_at, due_at) VALUES (?, ?, ?, 'SENDING', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(msg_id, account.account, order.client_id, order.type, order.scope, order.recipients),
            json.dumps(order.content | {"msg_id": msg_id, "client_msg_id": order.client_id}, ensure_ascii=False),
            order.draft_id,
            json.dumps(vars(plan) | {"takes_reprints": order.takes_reprints, "meant": order.total}),
            base_url,
            now,
            now + seconds,
        ),
    )
    return msg_id, plan


def find(db: sqlite3.Connection, account: str, msg_id: object) -> Mass | None:
    """`msg_id` as a number, or as digits in a text."""
    text = str(msg_id)
    if isinstance(msg_id, bool) or not text.isdecimal() or len(text) > 18:
        return None
    row: Mass | None = db.execute(
        "SELECT * FROM masses WHERE msg_id = ? AND account = ?", (int(text), account)
    ).fetchone()
    return row


def speed(db: sqlite3.Connection, account: str) -> int:
    row = db.execute("SELECT value FROM facts WHERE name = ?", (f"speed:{account}",)).fetchone()
    return int(row[0]) if row else 0


def set_speed(db: sqlite3.Connection, account: str, value: int) -> None:
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (f"speed:{account}", str(value)))


def deliver_due(world: World) -> None:
    while True:
        with world.store.reading() as db:
            row = db.execute(
                "SELECT msg_id FROM masses WHERE status = 'SENDING' AND due_at <= ? ORDER BY due_at, msg_id LIMIT 1",
                (world.clock.now(),),
            ).fetchone()
        if row is None:
            return
        deliver(world, row["msg_id"])


def deliver(world: World, msg_id: int) -> None:
    """All of one job, a chunk of followers at a time; a process that dies goes on where it was."""
    going_on = True
    while going_on:
        with world.store.writing() as db:
            going_on = _deliver_some(world, db, msg_id)
        time.sleep(0.001)  # or this thread would take the writers' turn again before any other wakes
    world.bell.ring()


def _deliver_some(world: World, db: sqlite3.Connection, msg_id: int) -> bool:
    row = db.execute("SELECT * FROM masses WHERE msg_id = ?", (msg_id,)).fetchone()
    account = accounts.find(db, row["account"])
    if row["status"] != "SENDING" or account is None:
        return False
    plan = json.loads(row["plan"])
    takes_reprints, meant = plan.pop("takes_reprints"), plan.pop("meant")
    fault, now = Fault(**plan), world.clock.now()
    failure = _failure(fault.result, takes_reprints)
    if failure is not None:
        _finish(db, row, fault, failure, meant, now)
        return False
    item: int = (
        row["item"]
        or inbox.add(db, row["account"], inbox.EVERYONE, "mass", row["type"], now, json.loads(row["content"]))["id"]
    )
    some, place = _some(db, row)
    cap = MONTHLY_EACH if account.kind == "service" else 0
    kept = _receive(db, row["account"], item, some, cap, world.clock.month_start())
    db.execute(
        "UPDATE masses SET item = ?, place = ?, total = total + ?, kept = kept + ? WHERE msg_id = ?",
        (item, place, len(some), kept, msg_id),
    )
    if row["scope"] != "list" and len(some) == CHUNK:
        return True
    row = db.execute("SELECT * FROM masses WHERE msg_id = ?", (msg_id,)).fetchone()
    _finish(db, row, fault, "send success", row["total"], now)
    return False


def _some(db: sqlite3.Connection, row: Mass) -> tuple[list[int], int]:
    """The next followers' rowids, and the place after them."""
    if row["scope"] == "list":
        return json.loads(row["recipients"]), 0
    if row["scope"] == "tag":
        rows = db.execute(
            "SELECT followers.rowid, tagged.id FROM tagged CROSS JOIN followers USING (account, openid)"
            " WHERE tagged.account = ? AND tag_id = ? AND tagged.id > ? ORDER BY tagged.id LIMIT ?",
            (row["account"], int(row["recipients"]), row["place"], CHUNK),
        ).fetchall()
    else:
        rows = db.execute(
            "SELECT rowid, follow_seq FROM followers WHERE account = ? AND following = 1 AND follow_seq > ?"
            " ORDER BY follow_seq LIMIT ?",
            (row["account"], row["place"], CHUNK),
        ).fetchall()
    return [one[0] for one in rows], rows[-1][1] if rows else row["place"]


def _receive(db: sqlite3.Connection, account: str, item: int, some: list[int], cap: int, month_start: float) -> int:
    """Put the item on the phones that may have it; the others are left out in silence.  Returns how many got it."""
    first = db.execute(
        "SELECT min(item) FROM masses JOIN chat ON chat.id = item WHERE masses.account = ? AND at >= ?",
        (account, month_start),
    ).fetchone()[0]
    # Somebody named twice gets it twice: a referee shall see it.
    rowcount = db.execute(
        "INSERT INTO received SELECT value, :item, count(*) FROM json_each(:some)"
        " CROSS JOIN followers ON followers.rowid = value"
        " WHERE following = 1 AND blacklisted = 0 AND refuses_messages = 0 AND (:cap = 0 OR :cap >"
        " (SELECT coalesce(sum(times), 0) FROM received WHERE follower = value AND item >= :first)) GROUP BY value",
        {"item": item, "some": json.dumps(some), "cap": cap, "first": first or item},
    ).rowcount
    more = {follower: times - 1 for follower, times in Counter(some).items() if times > 1}
    for follower, times in more.items():
        if db.execute("SELECT 1 FROM received WHERE follower = ? AND item = ?", (follower, item)).fetchone():
            rowcount += times
    return rowcount


def _finish(db: sqlite3.Connection, row: Mass, fault: Fault, status: str, total: int, now: float) -> None:
    is_sent = status == "send success"
    db.execute(
        "UPDATE masses SET status = ?, sent_at = ?, recipients = NULL, total = ? WHERE msg_id = ?",
        ("SEND_SUCCESS" if is_sent else "SEND_FAIL", now, total, row["msg_id"]),
    )
    if is_sent and row["draft_id"] is not None:
        drafts.delete(db, row["account"], row["draft_id"])
    articles = json.loads(row["content"]).get("articles", [])
    fields = {
        "MsgID": row["msg_id"],
        "Status": status,
        "TotalCount": total,
        "FilterCount": row["kept"],
        "SentCount": row["kept"],
        "ErrorCount": 0,
        "CopyrightCheckResult": _copyright(fault.result, len(articles)),
        "ArticleUrlResult": _listed(
            [{"ArticleIdx": place, "ArticleUrl": one["url"]} for place, one in enumerate(articles, 1) if is_sent]
        ),
    }
    helper = followers.mass_helper(row["account"])
    finishes.enqueue(db, row["account"], helper, EVENT, fields, now, fault)


def _failure(result: str, takes_reprints: bool) -> str | None:
    """The status of a job that ends otherwise than well; None: it is sent."""
    if result == "reprint":
        return None if takes_reprints else "err(30003)"
    return "err(30002)" if result == "reprint forbidden" else result or None


def _copyright(result: str, articles: int) -> dict[str, Any]:
    if not articles or not result.startswith("reprint"):
        return _listed([]) | {"CheckState": 1 if articles else 0}
    may = result == "reprint"
    found = {"UserDeclareState": 0, "AuditState": 2, "OriginalArticleUrl": "http://mp.weixin.qq.com/s/original"}
    found |= {"OriginalArticleType": 1, "CanReprint": int(may), "NeedReplaceContent": 1, "NeedShowReprintSource": 1}
    return _listed([{"ArticleIdx": 1} | found]) | {"CheckState": 2 if may else 3}


def _listed(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Count": len(items), "ResultList": {"item": items}}


def _check_quota(world: World, db: sqlite3.Connection, account: Account, scope: str, now: float) -> None:
    """The account's own: a subscription account's one a day, a service account's four to all a month."""
    if account.kind == "subscription":
        midnight = world.clock.day() * DAY_SECONDS - CHINA_SECONDS
        query, most, since = "SELECT count(*) FROM masses WHERE account = ? AND created_at >= ?", 1, float(midnight)
    elif scope == "all":
        query = "SELECT count(*) FROM masses WHERE account = ? AND created_at >= ? AND scope = 'all'"
        most, since = MONTHLY_TO_ALL, world.clock.month_start()
    else:
        return
    if db.execute(query, (account.account, since)).fetchone()[0] >= most:
        raise Refusal(45028)

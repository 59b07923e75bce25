"""Drafts that go public: not into chats, but under an address, once they are checked."""

import json
import secrets
import sqlite3
from typing import Any

from bot.simulator import drafts, faults, finishes, followers
from bot.simulator.accounts import Account
from bot.simulator.faults import Fault
from bot.simulator.store import next_serial
from bot.simulator.world import World

EVENT = "PUBLISHJOBFINISH"
PUBLISHED, CHECKED = 0, 1
FIRST_PUBLISH_ID = 100_000_001

Publication = sqlite3.Row


def submit(
    world: World, db: sqlite3.Connection, account: Account, draft_id: str, articles: list[drafts.Article], base_url: str
) -> tuple[int, Fault]:
    """Take a draft on. Returns the publish_id, and what a test has ordered for its end."""
    plan = faults.take_in(db, EVENT, account.account) or Fault()
    publish_id, article_id = next_serial(db, "publish_id", FIRST_PUBLISH_ID), secrets.token_urlsafe(48)
    for article, url in zip(articles, drafts.give_pages(db, article_id, articles, base_url), strict=True):
        article["url"] = url
    db.execute(
        "INSERT INTO publications VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            *(publish_id, account.account, draft_id, json.dumps(articles, ensure_ascii=False), article_id, CHECKED),
            world.clock.now() + account.moderation_seconds,
            json.dumps(vars(plan)),
        ),
    )
    return publish_id, plan


def find(db: sqlite3.Connection, account: str, publish_id: object) -> Publication | None:
    text = str(publish_id)
    if isinstance(publish_id, bool) or not text.isdecimal() or len(text) > 18:
        return None
    row: Publication | None = db.execute(
        "SELECT * FROM publications WHERE publish_id = ? AND account = ?", (int(text), account)
    ).fetchone()
    return row


def publish_due(world: World) -> None:
    with world.store.reading() as db:
        rows = db.execute(
            "SELECT publish_id FROM publications WHERE status = ? AND due_at <= ?", (CHECKED, world.clock.now())
        ).fetchall()
    for row in rows:
        publish(world, row["publish_id"])


def publish(world: World, publish_id: int) -> None:
    with world.store.writing() as db:
        row = db.execute("SELECT * FROM publications WHERE publish_id = ?", (publish_id,)).fetchone()
        if row["status"] != CHECKED:
            return
        fault, now = Fault(**json.loads(row["data"])), world.clock.now()
        status = int(fault.result or PUBLISHED)
        db.execute(
            "UPDATE publications SET status = ?, published_at = ? WHERE publish_id = ?",
            (status, int(now) if status == PUBLISHED else None, publish_id),
        )
        if status == PUBLISHED:
            drafts.delete(db, row["account"], row["draft_id"])
        row = db.execute("SELECT * FROM publications WHERE publish_id = ?", (publish_id,)).fetchone()
        fields = {"PublishEventInfo": told(row)}
        finishes.enqueue(db, row["account"], followers.mass_helper(row["account"]), EVENT, fields, now, fault)


def told(row: Publication) -> dict[str, Any]:
    """How it stands, in the words of the event and of freepublish/get."""
    facts: dict[str, Any] = {"publish_id": row["publish_id"], "publish_status": row["status"]}
    articles = json.loads(row["articles"])
    if row["status"] == PUBLISHED:
        items = [{"idx": place, "article_url": one["url"]} for place, one in enumerate(articles, 1)]
        return facts | {"article_id": row["article_id"], "article_detail": {"count": len(items), "item": items}}
    return facts | {"fail_idx": [] if row["status"] == CHECKED else list(range(1, len(articles) + 1))}

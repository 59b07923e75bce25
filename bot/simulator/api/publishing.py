"""Publishing drafts: they go under an address, into nobody's chat, and cost no mass quota."""

import json
import sqlite3
from typing import Any

from bot.simulator import drafts, finishes, masses, publications
from bot.simulator.api.calls import OK, Asked, Call
from bot.simulator.api.materials import check_page
from bot.simulator.errors import Refusal


def submit(asked: Asked) -> dict[str, Any]:
    account, draft_id = asked.account, str(asked.body["media_id"])
    with asked.world.store.writing() as db:
        articles = drafts.find(db, account.account, draft_id)
        if articles is None:
            raise Refusal(40007)
        publish_id, plan = publications.submit(asked.world, db, account, draft_id, articles, asked.base_url)
        data_id = masses.next_data_id(db)
    if plan.early:
        publications.publish(asked.world, publish_id)
        finishes.push_early(asked.world, account.account)
    else:
        asked.world.alarm.ring()
    return {"errcode": 0, "errmsg": "ok", "publish_id": publish_id, "msg_data_id": data_id}


def get(asked: Asked) -> dict[str, Any]:
    with asked.world.store.reading() as db:
        row = publications.find(db, asked.account.account, asked.body["publish_id"])
    if row is None:
        raise Refusal(47003)
    told = {"fail_idx": []} | publications.told(row)
    return told | {"publish_id": str(told["publish_id"])}


def delete(asked: Asked) -> dict[str, Any]:
    index = asked.body.get("index", 0)
    with asked.world.store.writing() as db:
        row = _published(db, asked)
        count = len(json.loads(row["articles"]))
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index <= count:
            raise Refusal(40114)
        drafts.take_page_down(db, row["article_id"], [index] if index else range(1, count + 1))
    return OK


def get_article(asked: Asked) -> dict[str, Any]:
    with asked.world.store.reading() as db:
        row = _published(db, asked)
        return {"news_item": _shown(db, row, content=True)}


def page(asked: Asked) -> dict[str, Any]:
    check_page(asked.body["offset"], asked.body["count"])
    account, content = asked.account.account, asked.body.get("no_content") != 1
    where, of = "account = ? AND status = ?", (account, publications.PUBLISHED)
    with asked.world.store.reading() as db:
        total = db.execute(f"SELECT count(*) FROM publications WHERE {where}", of).fetchone()[0]  # noqa: S608 (ours)
        rows = db.execute(
            f"SELECT * FROM publications WHERE {where} ORDER BY publish_id DESC LIMIT ? OFFSET ?",  # noqa: S608
            (*of, asked.body["count"], asked.body["offset"]),
        ).fetchall()
        items = [
            {
                "article_id": row["article_id"],
                "content": {"news_item": _shown(db, row, content=content)},
                "update_time": row["published_at"],
            }
            for row in rows
        ]
    return {"total_count": total, "item_count": len(items), "item": items}


def _published(db: sqlite3.Connection, asked: Asked) -> publications.Publication:
    row: publications.Publication | None = db.execute(
        "SELECT * FROM publications WHERE account = ? AND article_id = ? AND status = ?",
        (asked.account.account, str(asked.body["article_id"]), publications.PUBLISHED),
    ).fetchone()
    if row is None:
        raise Refusal(53600)
    return row


def _shown(db: sqlite3.Connection, row: publications.Publication, *, content: bool) -> list[dict[str, Any]]:
    shown = []
    for place, article in enumerate(json.loads(row["articles"]), 1):
        told = article | {"is_deleted": drafts.on_page(db, row["article_id"], place) is None}
        if not content:
            del told["content"]
        shown.append(told)
    return shown


CALLS = (
    Call("/cgi-bin/freepublish/submit", submit, fields=("media_id",)),
    Call("/cgi-bin/freepublish/get", get, fields=("publish_id",)),
    Call("/cgi-bin/freepublish/delete", delete, fields=("article_id",)),
    Call("/cgi-bin/freepublish/getarticle", get_article, fields=("article_id",)),
    Call("/cgi-bin/freepublish/batchget", page, fields=("offset", "count")),
)

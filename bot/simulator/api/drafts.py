"""The box of drafts: what may be sent to all or published, under an id that dies with it."""

import json
from typing import Any

from bot.simulator import drafts
from bot.simulator.api.calls import OK, Asked, Call
from bot.simulator.api.materials import check_page
from bot.simulator.errors import Refusal


def add(asked: Asked) -> dict[str, Any]:
    account = asked.account.account
    with asked.world.store.writing() as db:
        articles = drafts.read_all(db, account, asked.body["articles"], asked.now, asked.base_url)
        return {"media_id": drafts.add(db, account, articles, asked.now), "item": []}


def get(asked: Asked) -> dict[str, Any]:
    with asked.world.store.reading() as db:
        row = db.execute(
            "SELECT * FROM drafts WHERE account = ? AND media_id = ?",
            (asked.account.account, str(asked.body["media_id"])),
        ).fetchone()
    if row is None:
        raise Refusal(40007)
    news = _shown(asked, row["media_id"], json.loads(row["articles"]), content=True)
    return {"news_item": news, "create_time": row["created_at"], "update_time": row["updated_at"]}


def update(asked: Asked) -> dict[str, Any]:
    account, media_id, index = asked.account.account, str(asked.body["media_id"]), asked.body["index"]
    if isinstance(asked.body["articles"], list):  # one article, although its name is plural
        raise Refusal(47001)
    with asked.world.store.writing() as db:
        articles = drafts.find(db, account, media_id)
        if articles is None:
            raise Refusal(40007)
        if isinstance(index, bool) or not isinstance(index, int) or index not in range(len(articles)):
            raise Refusal(40114)
        given = asked.body["articles"]
        articles[index] = drafts.read(db, account, given, asked.now, asked.base_url, alone=len(articles) == 1)
        drafts.replace(db, account, media_id, articles, asked.now)
    return OK


def delete(asked: Asked) -> dict[str, Any]:
    with asked.world.store.writing() as db:  # twice is no error
        drafts.delete(db, asked.account.account, asked.body["media_id"])
    return OK


def page(asked: Asked) -> dict[str, Any]:
    check_page(asked.body["offset"], asked.body["count"])
    content = asked.body.get("no_content") != 1
    account = asked.account.account
    with asked.world.store.reading() as db:
        total = db.execute("SELECT count(*) FROM drafts WHERE account = ?", (account,)).fetchone()[0]
        rows = db.execute(
            "SELECT * FROM drafts WHERE account = ? ORDER BY updated_at DESC, rowid DESC LIMIT ? OFFSET ?",
            (account, asked.body["count"], asked.body["offset"]),
        ).fetchall()
    items = [
        {
            "media_id": row["media_id"],
            "content": {"news_item": _shown(asked, row["media_id"], json.loads(row["articles"]), content=content)},
            "update_time": row["updated_at"],
        }
        for row in rows
    ]
    return {"total_count": total, "item_count": len(items), "item": items}


def count(asked: Asked) -> dict[str, Any]:
    with asked.world.store.reading() as db:
        row = db.execute("SELECT count(*) FROM drafts WHERE account = ?", (asked.account.account,)).fetchone()
    return {"total_count": row[0]}


def _shown(asked: Asked, media_id: str, articles: list[drafts.Article], *, content: bool) -> list[dict[str, Any]]:
    shown = []
    for place, article in enumerate(articles, 1):
        told = article | {"url": f"{asked.base_url}/s/draft/{media_id}/{place}"}
        if not content:
            del told["content"]
        shown.append(told)
    return shown


CALLS = (
    Call("/cgi-bin/draft/add", add, fields=("articles",)),
    Call("/cgi-bin/draft/get", get, fields=("media_id",)),
    Call("/cgi-bin/draft/update", update, fields=("media_id", "index", "articles")),
    Call("/cgi-bin/draft/delete", delete, fields=("media_id",)),
    Call("/cgi-bin/draft/batchget", page, fields=("offset", "count")),
    Call("/cgi-bin/draft/count", count, method="GET"),
)

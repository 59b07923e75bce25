"""Permanent media: what drafts and mass messages are made of, and pictures inside articles."""

from typing import Any

from bot.simulator import media, strict
from bot.simulator.api import files
from bot.simulator.api.calls import OK, Answer, Asked, Call
from bot.simulator.errors import Refusal

FORMATS = files.FORMATS | {"image": (*files.FORMATS["image"], "image/bmp")}
MOST_PICTURES = 100_000
MOST_OTHERS = 1000
ARTICLE_PICTURE_BYTES = 1 << 20
MOST_A_PAGE = 20

KINDS = ("image", "voice", "video", "thumb")


def add(asked: Asked) -> dict[str, Any]:
    account, type_ = asked.account.account, asked.query.get("type", "")
    filename, content_type, content = files.read_file(asked, type_, FORMATS)
    title, introduction = _caption(asked) if type_ == "video" else ("", "")
    with asked.world.store.reading() as db:
        there = db.execute(
            "SELECT count(*) FROM media WHERE account = ? AND type = ? AND expires_at IS NULL", (account, type_)
        ).fetchone()[0]
    if there >= (MOST_PICTURES if type_ == "image" else MOST_OTHERS):
        raise Refusal(45034)
    row = media.add(asked.world, account, type_, filename, content_type, content, life_seconds=None)
    if type_ == "video":
        with asked.world.store.writing() as db:
            db.execute("INSERT INTO captions VALUES (?, ?, ?)", (row["media_id"], title, introduction))
    made = {"media_id": row["media_id"]}
    return made | ({"url": f"{asked.base_url}/pic/{row['media_id']}"} if type_ in media.THUMBS else {})


def get(asked: Asked) -> Answer:
    row = _known(asked)
    if row["type"] != "video":
        return files.as_attachment(asked, row)
    with asked.world.store.reading() as db:
        caption = db.execute("SELECT * FROM captions WHERE media_id = ?", (row["media_id"],)).fetchone()
    told = {"title": caption["title"], "description": caption["introduction"]}
    return told | {"down_url": f"{asked.base_url}/pic/{row['media_id']}"}


def delete(asked: Asked) -> dict[str, Any]:
    row = _known(asked)
    with asked.world.store.writing() as db:
        # The file stays: phones keep showing what once arrived.
        db.execute("UPDATE media SET expires_at = 0 WHERE media_id = ?", (row["media_id"],))
    return OK


def count(asked: Asked) -> dict[str, Any]:
    account = asked.account.account
    with asked.world.store.reading() as db:
        rows = db.execute(
            "SELECT type, count(*) FROM media WHERE account = ? AND expires_at IS NULL GROUP BY type", (account,)
        )
        counts = {row[0]: row[1] for row in rows}
    return {f"{kind}_count": counts.get(kind, 0) for kind in ("voice", "video", "image")} | {"news_count": 0}


def page(asked: Asked) -> dict[str, Any]:
    type_, offset, size = asked.body["type"], asked.body["offset"], asked.body["count"]
    if type_ not in ("image", "voice", "video", "news"):
        raise Refusal(40004)
    check_page(offset, size)
    where, of = "account = ? AND type = ? AND expires_at IS NULL", (asked.account.account, type_)
    with asked.world.store.reading() as db:
        total = db.execute(f"SELECT count(*) FROM media WHERE {where}", of).fetchone()[0]  # noqa: S608 (ours)
        rows = db.execute(
            f"SELECT * FROM media WHERE {where} ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?",  # noqa: S608
            (*of, size, offset),
        ).fetchall()
    items = [_item(asked, row) for row in rows]
    return {"total_count": total, "item_count": len(items), "item": items}


def upload_picture(asked: Asked) -> dict[str, Any]:
    _, content_type, content = files.read_file(asked, "image", FORMATS)
    if content_type not in ("image/jpeg", "image/png"):
        raise Refusal(40005)
    if len(content) >= ARTICLE_PICTURE_BYTES:
        raise Refusal(40009)
    # Of another type than a material: it has no id that anything else may use.
    row = media.add(asked.world, asked.account.account, "article", "picture", content_type, content, life_seconds=None)
    return {"url": f"{asked.base_url}/pic/{row['media_id']}"}


def retired(asked: Asked) -> dict[str, Any]:
    raise Refusal(48001)


def check_page(offset: Any, size: Any) -> None:
    for number, least, most in ((offset, 0, 2**31), (size, 1, MOST_A_PAGE)):
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise Refusal(40097)


def _known(asked: Asked) -> media.Media:
    with asked.world.store.reading() as db:
        row = media.find(db, asked.account.account, str(asked.body["media_id"]), asked.now, KINDS)
    if row is None or row["expires_at"] is not None:
        raise Refusal(40007)
    return row


def _item(asked: Asked, row: media.Media) -> dict[str, Any]:
    item = {"media_id": row["media_id"], "name": row["filename"], "update_time": row["created_at"]}
    return item | ({"url": f"{asked.base_url}/pic/{row['media_id']}"} if row["type"] == "image" else {})


def _caption(asked: Asked) -> tuple[str, str]:
    """Out of the form beside the file, where WeChat's page has it, or out of the address, as some clients do."""
    given = asked.form.get("description") or asked.query.get("description") or ""
    try:
        caption = strict.read_json(given.encode())
    except ValueError:
        raise Refusal(47001) from None
    if not isinstance(caption, dict) or not isinstance(caption.get("title"), str):
        raise Refusal(47003, "argument invalid! missing title")
    return caption["title"], str(caption.get("introduction") or "")


CALLS = (
    Call("/cgi-bin/material/add_material", add, takes="file"),
    Call("/cgi-bin/material/get_material", get, fields=("media_id",)),
    Call("/cgi-bin/material/del_material", delete, fields=("media_id",)),
    Call("/cgi-bin/material/get_materialcount", count, method="GET"),
    Call("/cgi-bin/material/batchget_material", page, fields=("type", "offset", "count")),
    Call("/cgi-bin/media/uploadimg", upload_picture, takes="file"),
    *(
        Call(f"/cgi-bin/{path}", retired)
        for path in ("material/add_news", "material/update_news", "media/uploadnews", "media/uploadvideo")
    ),
)

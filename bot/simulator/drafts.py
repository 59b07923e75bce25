"""Articles that wait to be sent or published: checked when they come, gone once they have gone out."""

import json
import re
import secrets
import sqlite3
from collections.abc import Collection
from typing import Any

from bot.simulator import media
from bot.simulator.errors import Refusal

MOST_ARTICLES = 8
TITLE_LETTERS = 32
AUTHOR_LETTERS = 16
DIGEST_LETTERS = 120
USUAL_DIGEST_LETTERS = 54
CONTENT_LETTERS = 20_000
CONTENT_BYTES = 1 << 20
SOURCE_URL_BYTES = 1024
NEWSPIC_PICTURES = 20

SCRIPTS = re.compile(r"<script\b.*?</script\s*>|\son\w+\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE | re.DOTALL)
PICTURES = re.compile(r"<img\b[^>]*\bsrc\s*=\s*[\"']([^\"']*)[\"'][^>]*>", re.IGNORECASE)
TAGS = re.compile(r"<[^>]*>")

Article = dict[str, Any]


def add(db: sqlite3.Connection, account: str, articles: list[Article], now: float) -> str:
    media_id = secrets.token_urlsafe(48)
    db.execute(
        "INSERT INTO drafts VALUES (?, ?, ?, ?, ?)",
        (media_id, account, json.dumps(articles, ensure_ascii=False), int(now), int(now)),
    )
    return media_id


def find(db: sqlite3.Connection, account: str, media_id: object) -> list[Article] | None:
    row = db.execute(
        "SELECT articles FROM drafts WHERE media_id = ? AND account = ?", (str(media_id), account)
    ).fetchone()
    articles: list[Article] | None = json.loads(row[0]) if row else None
    return articles


def find_any(db: sqlite3.Connection, media_id: str) -> list[Article]:
    """Whoever owns it: the address of a draft that is still to go out shows it too."""
    row = db.execute("SELECT articles FROM drafts WHERE media_id = ?", (media_id,)).fetchone()
    articles: list[Article] = json.loads(row[0]) if row else []
    return articles


def replace(db: sqlite3.Connection, account: str, media_id: str, articles: list[Article], now: float) -> None:
    db.execute(
        "UPDATE drafts SET articles = ?, updated_at = ? WHERE media_id = ? AND account = ?",
        (json.dumps(articles, ensure_ascii=False), int(now), media_id, account),
    )


def delete(db: sqlite3.Connection, account: str, media_id: object) -> None:
    db.execute("DELETE FROM drafts WHERE media_id = ? AND account = ?", (str(media_id), account))


def read_all(db: sqlite3.Connection, account: str, given: Any, now: float, base_url: str) -> list[Article]:
    """
    Raises:
        Refusal: the list or an article is not as WeChat takes it.
    """
    if not isinstance(given, list) or not given:
        raise Refusal(44003)
    if len(given) > MOST_ARTICLES:
        raise Refusal(45008)
    return [read(db, account, one, now, base_url, alone=len(given) == 1) for one in given]


def read(db: sqlite3.Connection, account: str, given: Any, now: float, base_url: str, alone: bool = False) -> Article:
    """One article, as it is kept: scripts and pictures from elsewhere are gone."""
    if not isinstance(given, dict):
        raise Refusal(47001)
    kind = given.get("article_type", "news")
    if kind not in ("news", "newspic"):
        raise Refusal(47003, "argument invalid! article_type")
    article: Article = {"article_type": kind}
    article["title"] = _letters(given, "title", TITLE_LETTERS, 45003)
    article["author"] = _letters(given, "author", AUTHOR_LETTERS, 45110)
    content = _letters(given, "content", CONTENT_LETTERS - 1, 45002)
    if not article["title"]:
        raise Refusal(45003)
    if not content:
        raise Refusal(44004)
    if len(content.encode()) >= CONTENT_BYTES:
        raise Refusal(45002)
    source = given.get("content_source_url", "")
    if not isinstance(source, str) or len(source.encode()) > SOURCE_URL_BYTES:
        raise Refusal(41039)
    for name in ("need_open_comment", "only_fans_can_comment"):
        if given.get(name, 0) not in (0, 1):
            raise Refusal(47003, f"argument invalid! {name}")
        article[name] = int(given.get(name, 0))
    if kind == "newspic":
        return article | {"content": TAGS.sub("", content), "image_info": _pictures(db, account, given, now)}
    article["content"] = PICTURES.sub(lambda found: _kept(found, base_url), SCRIPTS.sub("", content))
    digest = _letters(given, "digest", DIGEST_LETTERS, 45004)
    article["digest"] = digest or (TAGS.sub("", article["content"])[:USUAL_DIGEST_LETTERS] if alone else "")
    article["content_source_url"] = source
    article["thumb_media_id"] = _material(db, account, given.get("thumb_media_id"), now)
    article["thumb_url"] = f"{base_url}/pic/{article['thumb_media_id']}"
    article["show_cover_pic"] = 0
    return article


def give_pages(db: sqlite3.Connection, page_id: str, articles: list[Article], base_url: str) -> list[str]:
    """Addresses under which articles that go out can be read."""
    db.execute("INSERT INTO pages VALUES (?, ?)", (page_id, json.dumps(articles, ensure_ascii=False)))
    return [f"{base_url}/s/{page_id}/{place}" for place in range(1, len(articles) + 1)]


def take_page_down(db: sqlite3.Connection, page_id: str, places: Collection[int]) -> None:
    row = db.execute("SELECT articles FROM pages WHERE page_id = ?", (page_id,)).fetchone()
    articles: list[Article | None] = json.loads(row[0]) if row else []
    left = [None if place in places else article for place, article in enumerate(articles, 1)]
    db.execute("UPDATE pages SET articles = ? WHERE page_id = ?", (json.dumps(left, ensure_ascii=False), page_id))


def on_page(db: sqlite3.Connection, page_id: str, place: int) -> Article | None:
    """The article at an address; None: it never was, or its account has deleted it."""
    row = db.execute("SELECT articles FROM pages WHERE page_id = ?", (page_id,)).fetchone()
    articles: list[Article | None] = json.loads(row[0]) if row else []
    return articles[place - 1] if 1 <= place <= len(articles) else None


def as_cards(articles: list[Article], urls: list[str], base_url: str) -> list[dict[str, Any]]:
    """What a phone shows of articles that arrived."""
    cards = []
    for article, url in zip(articles, urls, strict=True):
        pictures = article.get("image_info", {}).get("image_list", [])
        cover = article.get("thumb_media_id") or (pictures[0]["image_media_id"] if pictures else "")
        picurl = f"{base_url}/pic/{cover}" if cover else ""
        card = {"title": article["title"], "description": article.get("digest", "")}
        cards.append(card | {"picurl": picurl, "url": url})
    return cards


def _letters(given: Article, name: str, most: int, errcode: int) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise Refusal(errcode)
    return value


def _pictures(db: sqlite3.Connection, account: str, given: Article, now: float) -> dict[str, Any]:
    info = given.get("image_info")
    pictures = info.get("image_list") if isinstance(info, dict) else None
    if not isinstance(pictures, list) or not 1 <= len(pictures) <= NEWSPIC_PICTURES:
        raise Refusal(47003, "argument invalid! image_list")
    ids = [one.get("image_media_id") if isinstance(one, dict) else None for one in pictures]
    return {"image_list": [{"image_media_id": _material(db, account, one, now)} for one in ids]}


def _material(db: sqlite3.Connection, account: str, media_id: object, now: float) -> str:
    """A permanent picture: a temporary one would be gone before its article."""
    row = media.find(db, account, str(media_id or ""), now, media.THUMBS)
    if row is None or row["expires_at"] is not None:
        raise Refusal(40007)
    return str(row["media_id"])


def _kept(found: re.Match[str], base_url: str) -> str:
    address = found[1]
    is_ours = address.startswith((base_url + "/pic/", "http://mmbiz.qpic.cn/", "https://mmbiz.qpic.cn/"))
    return found[0] if is_ours else ""

"""Templates with places for values, and whether given values fit them."""

import re
import secrets
import sqlite3
from datetime import datetime
from typing import Any

from bot.simulator.errors import Refusal

MESSAGE, ONE_TIME, LONG_TERM = 0, 2, 3
MOST_EACH = 25

PLACE = re.compile(r"\{\{(\w+)\.DATA\}\}", re.ASCII)

# By the place's name without its number: the most letters.
LETTERS = {
    "thing": 20,
    "character_string": 32,
    "phone_number": 17,
    "car_number": 8,
    "const": 20,
    "phrase": 5,
    "name": 10,
    "letter": 32,
    "number": 32,
    "symbol": 5,
}
SHAPES = {
    "amount": re.compile(r"[¥￥$]?\d{1,10}(\.\d{1,2})?元?"),
    "number": re.compile(r"\d{1,32}(\.\d+)?"),
    "phone_number": re.compile(r"[\d+() -]{1,17}"),
    "character_string": re.compile(r"[\x20-\x7e]{1,32}"),
}
MOMENTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日", "%H:%M")

# What a keyword of a template that is added is called; else thing.
KINDS = (
    ("time", ("时间", "日期", "time", "date")),
    ("amount", ("金额", "价格", "amount", "price")),
    ("phone_number", ("电话", "手机", "phone")),
    ("character_string", ("单号", "编号", "number", "code")),
)

Template = sqlite3.Row


def add(db: sqlite3.Connection, account: str, kind: int, title: str, content: str, tid: str = "") -> str:
    """
    Raises:
        Refusal: 45026, 200012: the account has as many as it may.
    """
    kinds = (MESSAGE, MESSAGE) if kind == MESSAGE else (ONE_TIME, LONG_TERM)
    there = db.execute(
        "SELECT count(*) FROM templates WHERE account = ? AND kind IN (?, ?)", (account, *kinds)
    ).fetchone()[0]
    if there >= MOST_EACH:
        raise Refusal(45026 if kind == MESSAGE else 200012)
    template_id = secrets.token_urlsafe(33)[:43]
    db.execute(
        "INSERT INTO templates VALUES (?, ?, ?, ?, ?, ?, ?)",
        (template_id, account, kind, title, content, PLACE.sub("…", content), tid),
    )
    return template_id


def find(db: sqlite3.Connection, account: str, template_id: object, kinds: tuple[int, ...]) -> Template:
    """
    Raises:
        Refusal: 40037.
    """
    row: Template | None = db.execute(
        "SELECT * FROM templates WHERE template_id = ? AND account = ?", (str(template_id), account)
    ).fetchone()
    if row is None or row["kind"] not in kinds:
        raise Refusal(40037)
    return row


def all_of(db: sqlite3.Connection, account: str, kinds: tuple[int, int]) -> list[Template]:
    return db.execute(
        "SELECT * FROM templates WHERE account = ? AND kind IN (?, ?) ORDER BY rowid", (account, *kinds)
    ).fetchall()


def content_of(keywords: list[str]) -> str:
    """The lines of a template for these keywords, as “Time:{{time1.DATA}}”."""
    lines = []
    for number, keyword in enumerate(keywords, 1):
        name = next((kind for kind, words in KINDS if any(word in keyword.lower() for word in words)), "thing")
        lines.append(f"{keyword}:{{{{{name}{number}.DATA}}}}")
    return "\n".join(lines)


def filled(content: str, data: Any) -> str:
    """The text with its values; what else is in `data` is passed over, colours too.

    Raises:
        Refusal: 47003, naming the value that is missing or does not fit.
    """
    if not isinstance(data, dict):
        raise Refusal(47003, "argument invalid! data")

    def value_of(found: re.Match[str]) -> str:
        given = data.get(found[1])
        value = given.get("value") if isinstance(given, dict) else None
        if not isinstance(value, str | int | float) or isinstance(value, bool) or str(value) == "":
            raise Refusal(47003, f"argument invalid! data.{found[1]}.value is empty")
        if not _fits(found[1].rstrip("0123456789"), str(value)):
            raise Refusal(47003, f"argument invalid! data.{found[1]}.value invalid")
        return str(value)

    return PLACE.sub(value_of, content)


def _fits(kind: str, value: str) -> bool:
    if kind in ("time", "date"):
        return any(_is_moment(value, moment) for moment in MOMENTS)
    if kind in LETTERS and len(value) > LETTERS[kind]:
        return False
    return kind not in SHAPES or SHAPES[kind].fullmatch(value) is not None


def _is_moment(value: str, moment: str) -> bool:
    try:
        datetime.strptime(value, moment)  # noqa: DTZ007 (only whether it is one)
    except ValueError:
        return False
    return True

"""Sentences in the member's language: English in the code, Chinese in locale/zh*.json."""

import json
from functools import lru_cache
from pathlib import Path

from flask import g, request

from bot.errors import Refused

COOKIE = "lobby-moments-language"
LANGUAGES = ("zh", "en")


@lru_cache
def catalogue() -> dict[str, str]:
    """English sentence → Chinese."""
    found: dict[str, str] = {}
    for path in sorted((Path(__file__).parent / "locale").glob("zh*.json")):  # of people, and of posts
        found |= json.loads(path.read_text("utf-8"))
    return found


def language() -> str:
    """What this browser chose, else what it asks for; Chinese when it asks for neither."""
    known: str | None = g.get("language")
    if known is None:
        chosen = request.cookies.get(COOKIE, "")
        known = chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "zh")
        g.language = known
    return known


def look_up(sentence: str) -> str:
    return catalogue().get(sentence, sentence) if language() == "zh" else sentence


def _(sentence: str, **values: object) -> str:
    """The sentence in the member's language, its {named} gaps filled."""
    text = look_up(sentence)
    return text.format(**values) if values else text


def _n(one: str, many: str, n: int, **values: object) -> str:
    """Like ``_`` for a counted thing; {n} is the number.  Chinese has one form, kept under ``many``."""
    text = look_up(many) if language() == "zh" or n != 1 else one
    return text.format(n=f"{n:,}", **values)


def worded(refused: Refused) -> str:
    return refused.sentence(look_up)

"""Words that may not be asked or said, found whatever their width, case or script, and written apart.  Pure."""

import re
from collections.abc import Iterable

from bot.services.folding import fold

_APART = re.compile(r"[\s\u200b-\u200f\u2060\ufeff·•*_.\-]+")


def found(words: Iterable[str], text: str) -> str:
    """The first of the words that the text holds; "" for none.

    Written apart ("赌 博", "g.a.m.e") a word of Chinese or of four letters and more is found too; a shorter Latin one
    only as it is, or it would be found across the ends of others.
    """
    folded = fold(text)
    closed = _APART.sub("", folded)
    for word in words:
        plain = fold(word)
        if plain and (plain in folded or ((len(plain) > 3 or not plain.isascii()) and _APART.sub("", plain) in closed)):
            return word
    return ""

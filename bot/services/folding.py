"""What counts as the same text: width, case, simplified and traditional are folded away."""

import re
import unicodedata
from functools import cache


def fold(text: str) -> str:
    """“ＰＲＩＣＥ” and “price”, “價格” and “价格” become one; outer white space goes."""
    if text.isascii():  # most of what programs and many followers send; the same result, 10 times cheaper
        return text.casefold().strip()
    return _plain(text).strip()


def fold_pattern(pattern: str) -> str:
    """The same for a regular expression: only characters that stand for themselves change."""
    return "".join(char if char.isascii() else re.escape(_plain(char)) for char in pattern)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(_simplified())


@cache
def _simplified() -> dict[int, str]:
    """Traditional to simplified, character by character."""
    from zhconv import zhconv  # its table takes 30 ms to read: not before it is needed

    table = zhconv.getdict("zh-hans")
    return {ord(char): plain for char, plain in table.items() if len(char) == 1 and len(plain) == 1}

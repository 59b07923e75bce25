"""What a text can be found by: Latin words whole, Chinese by pairs of characters, which no word list has to know.

Pure.  Kept terms and asked terms are spelt alike (folded), so that SQLite's FTS5 and PostgreSQL's tsvector, which get
them ready made, find the same.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import TypeVar

from bot.services.folding import fold

Row = TypeVar("Row")

LONGEST = 32  # characters of a term; a longer word is cut, on both sides alike
ASKED = 48  # terms of a question; past that, the first ones

# Scripts written without spaces: Han, kana, hangul.
_DENSE = r"\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_DENSE += r"\uf900-\ufaff\U00020000-\U0003ffff"
_RUNS = re.compile(rf"([{_DENSE}]+)|([^\W_{_DENSE}]+)")

# Said in nearly every question, and about nothing.
_EMPTY = re.compile(
    "a|an|and|are|at|can|could|do|does|for|how|i|in|is|it|me|my|of|on|or|please|the|to|what|when|where|which|who|will|"
    "with|would|you|your|什么|怎么|多少|请问|你们|我们|他们|可以|是否|有没|没有|一下|这个|那个|哪些|哪里|能不|不能|"
    "[吗呢的了是我你在有]"
)


def terms(text: str) -> list[str]:
    """In the order of the text, with repeats.  预约退款 has 预 (its first), 预约, 约退, 退款 and 款 (its last)."""
    found: list[str] = []
    for dense, word in _RUNS.findall(fold(text)):
        if word:
            found.append(word[:LONGEST])
            continue
        found.append(dense[0])
        found += [one + two for one, two in pairwise(dense)]
        if len(dense) > 1:
            found.append(dense[-1])
    return found


def document(text: str) -> str:
    """The terms as a column ``terms`` keeps them (models.term_index)."""
    return " ".join(terms(text))


def asked(text: str) -> list[str]:
    """What a question or a search looks for: each once, without what says nothing and without a pair's ends.

    A single character is looked for only when it stands alone: then nothing longer could be.
    """
    pairs: list[str] = []
    for dense, word in _RUNS.findall(fold(text)):
        pairs += [word[:LONGEST]] if word else [one + two for one, two in pairwise(dense)] or [dense]
    meant = [term for term in dict.fromkeys(pairs) if not _EMPTY.fullmatch(term)]
    return (meant or list(dict.fromkeys(pairs)))[:ASKED]


def query(wanted: Sequence[str], dialect: str, *, needs_all: bool = False) -> str:
    """As FTS5's MATCH or a tsquery takes it; terms hold letters and digits only, so nothing in them is an operator."""
    if dialect == "sqlite":
        return (" AND " if needs_all else " OR ").join(f'"{term}"' for term in wanted)
    return (" & " if needs_all else " | ").join(f"'{term}'" for term in wanted)


def spans(text: str, wanted: Collection[str]) -> list[tuple[int, int]]:
    """Where these terms stand in a text, from and to, in its order; what touches is one."""
    folded = [(fold(character) or character, at) for at, character in enumerate(text)]
    places = [at for piece, at in folded for _each in piece]
    hits: list[tuple[int, int]] = []
    for run in _RUNS.finditer("".join(piece for piece, _at in folded)):
        begin, dense = run.start(), run[1]
        size = min(2, len(dense)) if dense else len(run[2])
        for at in range(begin, run.end() - size + 1):
            if run[0][at - begin : at - begin + size][:LONGEST] in wanted:
                hits.append((places[at], places[at + size - 1] + 1))
    joined: list[tuple[int, int]] = []
    for first, end in hits:
        if joined and first <= joined[-1][1]:
            first = joined.pop()[0]
        joined.append((first, end))
    return joined


def rank(
    rows: Sequence[Row], wanted: Sequence[str], terms_of: Callable[[Row], str], total: int
) -> list[tuple[float, Row]]:
    """BM25 over what an index found, best first; ``total``: how many rows there are to choose from.

    How rare a term is, is counted among the rows given: the index gave all that have any, or the best of them.
    """
    counted = [Counter(terms_of(row).split()) for row in rows]
    sizes = [sum(each.values()) for each in counted]
    usual = sum(sizes) / len(sizes) if sizes else 1.0
    weights = {}
    for term in wanted:
        having = sum(term in each for each in counted)
        weights[term] = math.log(1 + (max(total, having) - having + 0.5) / (having + 0.5))
    scored = []
    for row, counts, size in zip(rows, counted, sizes, strict=True):
        damp = 1.2 * (0.25 + 0.75 * size / (usual or 1.0))
        score = sum(weight * counts[term] * 2.2 / (counts[term] + damp) for term, weight in weights.items())
        scored.append((score, row))
    return sorted(scored, key=lambda each: -each[0])

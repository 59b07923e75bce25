"""Followers found by any part of a name: in characters, in pinyin, or by the initials of its pinyin.

Every ending of a name is kept as a term, in each of the three spellings; what stands anywhere within the name begins
one of them, so an index range finds it on any database.  小明 has 小明, 明, xiaoming, ming and xm.
"""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

from sqlalchemy import ColumnElement, delete, exists, func, insert, select, true
from sqlalchemy.orm import Session

from bot.services.folding import fold
from models import Follower, NameTerm

LENGTH = 24  # of a term; what is searched is cut to it too
READINGS = 2  # of one character, the common ones
COMBINATIONS = 6  # of the readings of one ending; past that, later characters keep their first
COMMON = 10_000  # terms
ROWS = 1000  # followers of one transaction of a filling

# Read otherwise as a surname than as a word: the dictionary has that reading late or never.
SURNAMES = {
    "仇": "qiu", "单": "shan", "曾": "zeng", "解": "xie", "查": "zha", "区": "ou", "朴": "piao", "盖": "ge",
    "种": "chong", "乐": "yue", "缪": "miao", "员": "yun", "翟": "zhai", "冼": "xian", "秘": "bi", "繁": "po",
    "折": "she", "黑": "he", "召": "shao", "车": "che", "万": "wan", "那": "na", "洗": "xian", "覃": "qin",
}  # fmt: skip


def spell(text: str) -> str:
    """As terms are spelt: folded, without white space, and ü as v, which is how it is typed."""
    return "".join(fold(text).split()).replace("ü", "v")


def terms(name: str) -> set[str]:
    """All that one name can be found by."""
    spelt = spell(name)
    found: set[str] = set()
    for at in range(len(spelt)):
        ending = spelt[at : at + LENGTH]
        found.add(ending)
        if not ending.isascii():
            for syllables in _read(ending, is_whole=at == 0):
                found.add("".join(syllables)[:LENGTH])
                if len(ending) > 1:  # one alone begins its own syllable
                    found.add("".join(syllable[0] for syllable in syllables))
    return found


def keep(session: Session, account_id: int, followers: Iterable[tuple[int, str, str]]) -> None:
    """Write anew what each of (id, nickname, remark) is found by; their rows are held or just written."""
    given = list(followers)
    session.execute(
        delete(NameTerm)
        .where(NameTerm.follower_id.in_([follower_id for follower_id, *_names in given]))
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"account_id": account_id, "follower_id": follower_id, "term": term}
        for follower_id, *names in given
        for term in sorted(set().union(*map(terms, names)))
    ]
    if rows:
        session.execute(insert(NameTerm), rows)


def fill(session: Session, account_id: int, after: int) -> Sequence[int]:
    """Write the terms of the next followers past this id, at most ROWS; their ids."""
    rows = session.execute(
        select(Follower.id, Follower.nickname, Follower.remark)
        .where(Follower.account_id == account_id, Follower.id > after)
        .order_by(Follower.id)
        .limit(ROWS)
        .with_for_update()  # nobody renames them between our reading and our writing
    ).all()
    keep(session, account_id, ((row.id, row.nickname, row.remark) for row in rows if row.nickname or row.remark))
    return [row.id for row in rows]


def matches(account_id: int, search: str) -> ColumnElement[bool]:
    """Terms that begin with what is searched: one range of the index (account_id, term, follower_id)."""
    return (NameTerm.account_id == account_id) & _begins(search)


def of_follower(search: str) -> ColumnElement[bool]:
    """The same, asked of one follower of an outer query; no account, or SQLite takes the other index for each."""
    return exists().where(NameTerm.follower_id == Follower.id, _begins(search))


def _begins(search: str) -> ColumnElement[bool]:
    begin = spell(search)[:LENGTH]
    return (NameTerm.term >= begin) & (NameTerm.term < _after(begin)) if begin else true()


def is_common(session: Session, account_id: int, search: str) -> bool:
    """Whether so many terms begin with it that sorting those who have them takes long."""
    some = select(NameTerm.id).where(matches(account_id, search)).limit(COMMON).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) == COMMON


def _after(text: str) -> str:
    """The first text that sorts behind all that begin with this one."""
    last = ord(text[-1]) + 1
    if 0xD800 <= last <= 0xDFFF:
        last = 0xE000
    return text[:-1] + chr(last) if last <= 0x10FFFF else text + chr(0x10FFFF)


def _read(ending: str, *, is_whole: bool) -> list[tuple[str, ...]]:
    read: list[tuple[str, ...]] = [()]
    for at, character in enumerate(ending):
        options = readings(character)
        if is_whole and at == 0 and character in SURNAMES:
            options = tuple(dict.fromkeys((SURNAMES[character], *options)))
        if len(read) * len(options) > COMBINATIONS:
            options = options[:1]
        read = [(*before, option) for before in read for option in options]
    return read


@cache
def readings(character: str) -> tuple[str, ...]:
    """A character's common readings without tones; anything else reads as itself."""
    if character.isascii() or not (told := _dictionary().get(ord(character))):
        return (character,)
    plain = dict.fromkeys(_without_tone(each) for each in told.split(","))
    return tuple(plain)[:READINGS]


def _without_tone(syllable: str) -> str:
    parts = unicodedata.normalize("NFD", syllable).replace("u\u0308", "v")
    return "".join(part for part in parts if not unicodedata.combining(part))


@cache
def _dictionary() -> dict[int, str]:
    """Code point → its readings with tones, the most common first; who never writes a name never loads it."""
    # Without its phrases and a second copy it takes 12 MB and 80 ms instead of 57 MB and 300 ms.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    from pypinyin.constants import PINYIN_DICT

    known: dict[int, str] = PINYIN_DICT
    return known

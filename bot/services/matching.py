"""The account's rules, compiled: one dictionary, one Aho-Corasick automaton, a few RE2 sets.

Ten thousand rules cost what ten do; see docs/benchmarks.md.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import re2
from ahocorasick_rs import AhoCorasick

from bot.services.folding import fold, fold_pattern
from models import MatchMode, Trigger

SET_SIZE = 2000  # patterns in one RE2 set
SET_MEMORY = 64 << 20
PATTERN_MEMORY = 1 << 18  # for one pattern, checked when it is saved
TEXT_LIMIT = 4096  # characters looked at; WeChat's own limit for a text is half of that


@dataclass(frozen=True, slots=True)
class CompiledRule:
    id: int
    title: str
    trigger: Trigger
    keywords: tuple[tuple[MatchMode, str], ...]
    replies: tuple[dict[str, Any], ...]
    is_random: bool
    starts_on: date | None = None
    ends_on: date | None = None
    hours: tuple[time, time] | None = None  # from the first to before the second, in the account's zone
    tag_id: int | None = None
    is_enabled: bool = True

    @property
    def is_conditional(self) -> bool:
        return bool(self.starts_on or self.ends_on or self.hours or self.tag_id)

    def wrong_time(self, local: datetime) -> str:
        """Why it does not answer at this time of the account's zone; "" when it does."""
        day, at = local.date(), local.time()
        if self.hours:
            start, end = self.hours
            after_midnight = end < start and at < end
            if not (start <= at < end or (end < start <= at) or after_midnight):
                return "It is outside its hours."
            day -= timedelta(days=after_midnight)  # this night began yesterday
        if self.starts_on and day < self.starts_on:
            return "It starts on a later day."
        if self.ends_on and day > self.ends_on:
            return "Its last day is over."
        return ""


# What a rule says, field by field, as a version keeps it and as two versions are compared.
FIELDS = (
    "title",
    "group_name",
    "trigger",
    "keywords",
    "replies",
    "reply_mode",
    "is_enabled",
    "starts_on",
    "ends_on",
    "time_from",
    "time_to",
    "tag_id",
)

COLUMNS = ("id", "created_at", *FIELDS)

Item = dict[str, Any]  # one rule as data: FIELDS, with "id" and "created_at"


def as_item(rule: Any) -> Item:
    """A rule as JSON can keep it."""
    return plain({name: getattr(rule, name) for name in COLUMNS})


def plain(item: Item) -> Item:
    """The values of a rule's columns, made into what JSON can keep."""
    item["trigger"], item["reply_mode"] = str(item["trigger"]), str(item["reply_mode"])
    item["starts_on"] = item["starts_on"].isoformat() if item["starts_on"] else None
    item["ends_on"] = item["ends_on"].isoformat() if item["ends_on"] else None
    item["created_at"] = item["created_at"].isoformat()
    return item


def compiled(item: Mapping[str, Any]) -> CompiledRule:
    starts_on, ends_on = item["starts_on"], item["ends_on"]
    return CompiledRule(
        id=item["id"],
        title=item["title"],
        trigger=Trigger(item["trigger"]),
        keywords=tuple((MatchMode(keyword["mode"]), keyword["text"]) for keyword in item["keywords"]),
        replies=tuple(item["replies"]),
        is_random=item["reply_mode"] == "random",
        starts_on=date.fromisoformat(starts_on) if starts_on else None,
        ends_on=date.fromisoformat(ends_on) if ends_on else None,
        hours=(
            (time.fromisoformat(item["time_from"]), time.fromisoformat(item["time_to"])) if item["time_from"] else None
        ),
        tag_id=item["tag_id"],
        is_enabled=item["is_enabled"],
    )


def pattern_options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    return options


@lru_cache(maxsize=2_000)
def compile_pattern(pattern: str) -> Any:
    """An RE2 program: no back-references, and no pattern that takes more than linear time.

    Raises:
        re2.error: what is wrong with it, in RE2's words.
    """
    return re2.compile(fold_pattern(pattern), pattern_options())


def matches(mode: MatchMode, keyword: str, folded: str) -> bool:
    """One keyword against one folded text: what the automata below do for all at once."""
    if mode is MatchMode.EXACT:
        return fold(keyword) == folded
    if mode is MatchMode.CONTAINS:
        return fold(keyword) in folded
    return compile_pattern(keyword).search(folded) is not None


class RuleBook:
    """All enabled rules of one account at one version, in order."""

    def __init__(self, version: int, rules: Iterable[CompiledRule]) -> None:
        self.version = version
        self.rules = [rule for rule in rules if rule.is_enabled]
        self._exact: defaultdict[str, list[int]] = defaultdict(list)
        self._keys: defaultdict[tuple[Trigger, str], list[int]] = defaultdict(list)  # menu keys and scenes, as they are
        contains: defaultdict[str, list[int]] = defaultdict(list)
        patterns: list[tuple[str, int]] = []
        for index, rule in enumerate(self.rules):
            if rule.trigger in (Trigger.FOLLOW, Trigger.DEFAULT):
                self._keys[rule.trigger, ""].append(index)
            for mode, text in rule.keywords:
                if rule.trigger is not Trigger.KEYWORD:
                    self._keys[rule.trigger, text].append(index)
                elif mode is MatchMode.EXACT:
                    self._exact[fold(text)].append(index)
                elif mode is MatchMode.CONTAINS:
                    contains[fold(text)].append(index)
                else:
                    patterns.append((fold_pattern(text), index))
        self._contains = list(contains.values())
        self._automaton = AhoCorasick(list(contains)) if contains else None
        self._sets = [
            made for at in range(0, len(patterns), SET_SIZE) for made in _pattern_sets(patterns[at : at + SET_SIZE])
        ]

    def for_text(self, text: str) -> list[CompiledRule]:
        """Every keyword rule that the text matches, in order; conditions are not looked at."""
        folded = fold(text[:TEXT_LIMIT])
        hits = {*self.exact(folded), *self.contained(folded), *self.fitting(folded)}
        return [self.rules[index] for index in sorted(hits)]

    def exact(self, folded: str) -> list[int]:
        """Places in ``rules`` of those that have this very text as a keyword."""
        return self._exact.get(folded, [])

    def contained(self, folded: str) -> Iterator[int]:
        """Of those with a keyword that the text contains."""
        if self._automaton is not None:
            for pattern, _start, _end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
                yield from self._contains[pattern]

    def fitting(self, folded: str) -> Iterator[int]:
        """Of those with a pattern that the text fits."""
        for search, indexes in self._sets:
            for found in search(folded) or ():
                yield indexes[found]

    def for_key(self, trigger: Trigger, key: str = "") -> list[CompiledRule]:
        """Every rule for a menu key or a scene ("" for follow and default), in order."""
        return [self.rules[index] for index in self._keys.get((trigger, key), ())]


def _pattern_sets(patterns: list[tuple[str, int]]) -> list[tuple[Callable[[str], list[int] | None], list[int]]]:
    """One set; or as many as it takes where the patterns, each small enough, are too large together."""
    options = pattern_options()
    options.max_mem = SET_MEMORY
    found = re2.Set.SearchSet(options)
    for pattern, _index in patterns:
        found.Add(pattern)
    try:
        found.Compile()
    except re2.error:
        half = len(patterns) // 2
        return _pattern_sets(patterns[:half]) + _pattern_sets(patterns[half:])
    return [(found.Match, [index for _pattern, index in patterns])]

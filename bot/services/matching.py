"""The account's rules, compiled: one dictionary, one Aho-Corasick automaton, a few RE2 sets.

Ten thousand rules cost what ten do; see docs/benchmarks.md.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import re2
from ahocorasick_rs import AhoCorasick

from bot.services.folding import fold, fold_pattern
from models import MatchMode, Rule, Trigger

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


def compiled(rule: Rule) -> CompiledRule:
    return CompiledRule(
        id=rule.id,
        title=rule.title,
        trigger=rule.trigger,
        keywords=tuple((MatchMode(keyword["mode"]), keyword["text"]) for keyword in rule.keywords),
        replies=tuple(rule.replies),
        is_random=rule.reply_mode == "random",
        starts_on=rule.starts_on,
        ends_on=rule.ends_on,
        hours=(time.fromisoformat(rule.time_from), time.fromisoformat(rule.time_to)) if rule.time_from else None,
        tag_id=rule.tag_id,
    )


def pattern_options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    return options


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
        self.rules = list(rules)
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
        hits = set(self._exact.get(folded, ()))
        if self._automaton is not None:
            for pattern, _start, _end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
                hits.update(self._contains[pattern])
        for search, indexes in self._sets:
            hits.update(indexes[found] for found in search(folded) or ())
        return [self.rules[index] for index in sorted(hits)]

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

"""What is wrong with rules before anybody writes: words that never get their turn, replies that WeChat cuts.

Every claim is proved from the rules alone: “never” means for no text, follower or time.  One pass over the compiled
book finds all of it, so ten thousand rules take well under a second.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.services import matching, rule_versions
from bot.services.folding import fold, fold_pattern
from bot.services.matching import CompiledRule, RuleBook
from bot.wechat import limits
from bot.wechat.replies import split_text
from models import Account, MatchMode, Tag, Trigger

LOOKED_AT = 20  # rules that one keyword is compared with, where many would match it
OVERLAPPING = 2_000  # notes of that kind in all: an account with more has a plan we do not know
# Texts with nothing in common: a pattern that fits most of them was not meant for any.
UNLIKE = ("你好", "price", "42", "😀", "？", "订单多少钱")
# Words of one character that stand in half of all Chinese messages.
COMMON = frozenset("的了是我你他吗呢吧啊不有在和就都一个这那好要想")


@dataclass(frozen=True, slots=True)
class Finding:
    """``why`` is a sentence for the catalogue with gaps for ``values``."""

    rule_id: int
    kind: str  # "dead", "shadowed", "duplicate", "overlapping", "long", "articles", "broad"
    why: str
    values: Mapping[str, Any] = field(default_factory=dict)
    keyword: int | None = None  # which of the rule's keywords, from 0
    other_id: int | None = None  # the rule that stands in the way

    @property
    def level(self) -> str:
        """“bad”: never answers; “warn”: not as it looks; “note”: as most people want it."""
        return {"dead": "bad", "shadowed": "warn", "duplicate": "warn", "broad": "warn"}.get(self.kind, "note")

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        return translate(self.why).format(**self.values)


def check(rules: Iterable[CompiledRule], today: date, tags: Collection[int]) -> list[Finding]:
    """All findings, in the order of the rules; ``today`` and ``tags`` are the account's."""
    book = RuleBook(0, rules)
    written = _Words(book)
    found: list[Finding] = []
    overlaps = 0
    for index, rule in enumerate(book.rules):
        shadows = [_shadow(book, written, index, mode, text) for mode, text in rule.keywords]
        if rule.trigger in (Trigger.FOLLOW, Trigger.DEFAULT):
            shadows = [_first(book, (at for at in written.always[rule.trigger] if at < index))]
        found += _dead(rule, shadows, today, tags)
        is_shadowed = bool(shadows) and None not in shadows  # told once, for the whole rule
        for at, (shadow, (mode, text)) in enumerate(zip(shadows, rule.keywords, strict=False)):
            twin = written.twin(rule.trigger, mode, text, index, at)
            if shadow is not None and not is_shadowed:
                found.append(_shadowed(rule, at, text, shadow))
            elif shadow is None and twin is not None:
                found.append(_duplicate(rule, at, text, *twin))
            if rule.trigger is Trigger.KEYWORD and (broad := _broad(rule, at, mode, text)):
                found.append(broad)
        if overlaps < OVERLAPPING and (overlap := _overlapping(book, written, index, shadows)):
            overlaps += 1
            found.append(overlap)
        found += _replies(rule)
    return found


class _Words:
    """Who has which keyword, and which rules always answer."""

    def __init__(self, book: RuleBook) -> None:
        self.book = book
        self.always: defaultdict[Trigger, list[int]] = defaultdict(list)  # unconditional ones that take everything
        self._holders: defaultdict[tuple[Trigger, MatchMode, str], list[tuple[int, int]]] = defaultdict(list)
        # rule → earlier ones with a keyword that it matches too
        self.caught: defaultdict[int, list[int]] = defaultdict(list)
        for index, rule in enumerate(book.rules):
            if not rule.is_conditional and rule.trigger in (Trigger.FOLLOW, Trigger.DEFAULT):
                self.always[rule.trigger].append(index)
            for at, (mode, text) in enumerate(rule.keywords):
                self._holders[_same(rule.trigger, mode, text)].append((index, at))
        for index, rule in enumerate(book.rules):
            if rule.trigger is not Trigger.KEYWORD:
                continue
            for mode, text in rule.keywords:
                if mode is not MatchMode.REGEX:
                    folded = fold(text)
                    later = (at for at in _touching(book, mode, folded) if at > index)
                    for at in islice(later, LOOKED_AT):
                        self.caught[at].append(index)

    def earlier(self, trigger: Trigger, mode: MatchMode, text: str, index: int) -> Iterator[int]:
        """Rules before this one with the same keyword."""
        return (at for at, _keyword in self._holders[_same(trigger, mode, text)] if at < index)

    def twin(
        self, trigger: Trigger, mode: MatchMode, text: str, index: int, at: int
    ) -> tuple[CompiledRule, str] | None:
        """An earlier rule, or place in this one, with the same keyword, and how it is written there."""
        holder = self._holders[_same(trigger, mode, text)][0]
        if holder >= (index, at):
            return None
        rule = self.book.rules[holder[0]]
        return rule, rule.keywords[holder[1]][1]


def _same(trigger: Trigger, mode: MatchMode, text: str) -> tuple[Trigger, MatchMode, str]:
    if trigger is not Trigger.KEYWORD:
        return trigger, MatchMode.EXACT, text
    return trigger, mode, fold_pattern(text) if mode is MatchMode.REGEX else fold(text)


def _touching(book: RuleBook, mode: MatchMode, folded: str) -> Iterator[int]:
    """Places of the rules that also answer the text which is just this keyword."""
    yield from book.exact(folded)
    yield from book.contained(folded)
    if mode is MatchMode.EXACT:
        yield from book.fitting(folded)


def _shadow(book: RuleBook, written: _Words, index: int, mode: MatchMode, text: str) -> CompiledRule | None:
    """The first earlier rule without conditions that answers whatever this keyword matches."""
    trigger = book.rules[index].trigger
    same = written.earlier(trigger, mode, text, index)
    if trigger is not Trigger.KEYWORD or mode is MatchMode.REGEX:
        return _first(book, same)
    folded = fold(text)
    certain: Iterator[int] = book.contained(folded)  # a text with this word in it has the shorter word in it too
    if mode is MatchMode.EXACT:  # the only text is known: whatever answers that one
        certain = iter([*book.exact(folded), *certain, *book.fitting(folded)])
    return _first(book, (at for at in certain if at < index))


def _first(book: RuleBook, places: Iterable[int]) -> CompiledRule | None:
    best = min((at for at in places if not book.rules[at].is_conditional), default=None)
    return None if best is None else book.rules[best]


def _dead(
    rule: CompiledRule, shadows: list[CompiledRule | None], today: date, tags: Collection[int]
) -> Iterator[Finding]:
    if rule.ends_on and rule.ends_on < today and not _reaches_into(rule, today):
        yield Finding(rule.id, "dead", "Its last day is over: it never answers again.")
    if rule.tag_id and rule.tag_id not in tags:
        yield Finding(rule.id, "dead", "Its tag is gone: it answers nobody.")
    if shadows and all(shadow is not None for shadow in shadows):
        first = shadows[0]
        assert first is not None
        why = "It never gets its turn: “{other}” and others above answer first."
        if all(shadow is first for shadow in shadows):
            why = "It never gets its turn: “{other}” above answers first."
        yield Finding(rule.id, "dead", why, {"other": first.title}, other_id=first.id)


def _reaches_into(rule: CompiledRule, today: date) -> bool:
    """Its last night may still last until this morning."""
    return rule.hours is not None and rule.hours[1] < rule.hours[0] and (today - (rule.ends_on or today)).days == 1


def _shadowed(rule: CompiledRule, at: int, text: str, shadow: CompiledRule) -> Finding:
    why = "“{keyword}” never counts here: “{other}” above answers whatever it fits."
    return Finding(rule.id, "shadowed", why, {"keyword": text, "other": shadow.title}, at, shadow.id)


def _duplicate(rule: CompiledRule, at: int, text: str, other: CompiledRule, theirs: str) -> Finding:
    values = {"keyword": text, "other": other.title, "theirs": theirs}
    if other.id == rule.id:
        why = "“{keyword}” stands here twice: “{theirs}” counts as the same."
    elif text == theirs:
        why = "“{keyword}” stands in “{other}” above, too, which comes first when its conditions hold."
    else:
        why = "“{keyword}” counts as the same as “{theirs}” in “{other}” above, which comes first."
    return Finding(rule.id, "duplicate", why, values, at, other.id)


def _overlapping(book: RuleBook, written: _Words, index: int, shadows: list[CompiledRule | None]) -> Finding | None:
    """Earlier rules that answer some of what this one would, which is how most people want it."""
    rule = book.rules[index]
    if rule.trigger is not Trigger.KEYWORD or all(shadow is not None for shadow in shadows):
        return None
    earlier = set(written.caught[index])
    for (mode, text), shadow in zip(rule.keywords, shadows, strict=True):
        if mode is not MatchMode.REGEX and shadow is None:
            folded = fold(text)
            earlier.update(at for at in islice(_touching(book, mode, folded), LOOKED_AT) if at < index)
    if not earlier:
        return None
    first = book.rules[min(earlier)]
    why = "Some messages fit “{other}” above as well, which answers them."
    if len(earlier) > 1:
        why = "Some messages fit “{other}” or {count} other rules above as well, which answer them."
    values = {"other": first.title, "count": len(earlier) - 1}
    return Finding(rule.id, "overlapping", why, values, other_id=first.id)


def _broad(rule: CompiledRule, at: int, mode: MatchMode, text: str) -> Finding | None:
    if mode is MatchMode.REGEX:
        pattern = matching.compile_pattern(text)
        if sum(pattern.search(fold(each)) is not None for each in UNLIKE) < 4:
            return None
        return Finding(rule.id, "broad", "“{keyword}” fits almost every message.", {"keyword": text}, at)
    folded = fold(text)
    if mode is MatchMode.CONTAINS and len(folded) == 1 and (folded.isascii() or folded in COMMON):
        why = "“{keyword}” is one character that stands in very many messages."
        return Finding(rule.id, "broad", why, {"keyword": text}, at)
    return None


def _replies(rule: CompiledRule) -> Iterator[Finding]:
    messages = 0
    for reply in rule.replies:
        parts = 1
        if reply["kind"] == "text" and len(reply["text"].encode()) > limits.TEXT_BYTES:
            parts = len([part for part in split_text(reply["text"]) if part.strip()])
            values = {"count": parts, "max": limits.TEXT_BYTES}
            yield Finding(rule.id, "long", "A text is over {max} bytes: it arrives as {count} messages.", values)
        if reply["kind"] == "news" and rule.trigger in (Trigger.KEYWORD, Trigger.DEFAULT):
            count = len(reply["articles"])
            if count > limits.ARTICLES_TO_MESSAGE:
                why = "A message is answered with one card: WeChat leaves out {count}."
                yield Finding(rule.id, "articles", why, {"count": count - limits.ARTICLES_TO_MESSAGE})
        messages = max(messages, parts) if rule.is_random else messages + parts
    window = limits.MESSAGE_WINDOW if rule.trigger in (Trigger.KEYWORD, Trigger.DEFAULT) else limits.ACTION_WINDOW
    if messages - 1 > window.messages:  # the first is the reply itself
        why = "It says more than WeChat allows: {count} messages, of which {max} arrive."
        yield Finding(rule.id, "long", why, {"count": messages, "max": window.messages + 1})


# Of an account -------------------------------------------------------------------------------------------------------

_checked: dict[int, tuple[tuple[Any, ...], list[Finding]]] = {}  # account → the last answer, and the draft it is of


def of_draft(session: Session, account: Account, key: rule_versions.DraftKey | None = None) -> list[Finding]:
    """The findings of the draft, worked out once for each of its states; for sessions that only read.

    ``key``: the draft's, where the caller has it already.
    """
    today = clock.now().astimezone(ZoneInfo(account.timezone)).date()
    tags = frozenset(session.scalars(select(Tag.id).where(Tag.account_id == account.id)))
    key = (*(key or rule_versions.draft_key(session, account)), today, tags)
    known = _checked.get(account.id)
    if known is None or known[0] != key:
        found = check(map(matching.compiled, rule_versions.draft_of(session, account)), today, tags)
        _checked[account.id] = known = (key, found)
    return known[1]


def forget() -> None:
    _checked.clear()

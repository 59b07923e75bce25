"""Trying rules without sending anything: one text explained, and many compared between what is live and the draft.

Both ask the same compiled books as the handlers do; ten thousand rules are compiled once for each state of the draft.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Text, cast, desc, func, select
from sqlalchemy.orm import Session

from bot import clock
from bot.services import matching, rule_books, rule_versions, rules
from bot.services.folding import fold
from bot.services.matching import CompiledRule, Item, RuleBook
from models import Account, Follower, FollowerTag, InboundMessage, Rule, Trigger

REPLAYED = 5_000  # of the newest texts
SHEETS = 4  # kept by a process; one of 10,000 rules takes some 20 MB
UNANSWERED_DAYS = 30
UNANSWERED_LOOKED_AT = 5_000  # texts


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was looked at; ``why`` is a sentence for the catalogue."""

    rule: CompiledRule
    fired: bool
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    rule: CompiledRule | None
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Trial:
    """What would come of one text or event, as the handlers decide it."""

    asks_for_person: bool
    opts: str  # "out" or "in": of campaigns
    explanation: Explanation
    fallback: CompiledRule | None  # the default reply, where no rule fits

    @property
    def rule(self) -> CompiledRule | None:
        return None if self.asks_for_person or self.opts else self.explanation.rule or self.fallback


@dataclass(frozen=True, slots=True)
class Differing:
    """A message that the draft would answer in another way; None: silence."""

    message_id: int
    text: str
    received_at: datetime
    before: CompiledRule | None
    after: CompiledRule | None


@dataclass(frozen=True, slots=True)
class Comparison:
    count: int  # messages looked at
    differing: list[Differing]


@dataclass(frozen=True, slots=True)
class Group:
    """The same question, as the account folds texts."""

    text: str  # as it was written last
    count: int
    last_at: datetime


def explain(
    session: Session,
    account: Account,
    text: str,
    *,
    follower: Follower | None = None,
    at: datetime | None = None,
    trigger: Trigger = Trigger.KEYWORD,
    live: bool = False,
) -> Explanation:
    """Which rule of the draft (``live``: of what followers get) would answer, and why each other one would not.

    For sessions that have not changed rules: what another transaction may still take back must not be remembered.
    """
    sheet = _sheet(session, account, live)
    return _explained(sheet, account, text, follower=follower, at=at, trigger=trigger)


def attempt(
    session: Session,
    account: Account,
    text: str,
    *,
    follower: Follower | None = None,
    at: datetime | None = None,
    trigger: Trigger = Trigger.KEYWORD,
    live: bool = False,
    key: rule_versions.DraftKey | None = None,
) -> Trial:
    """The whole way of a message: words that mean something by themselves, the rules, the default reply.

    ``key``: the draft's, where the caller has it already.
    """
    sheet = _sheet(session, account, live, key)
    told = _explained(sheet, account, text, follower=follower, at=at, trigger=trigger)
    folded = fold(text) if trigger is Trigger.KEYWORD else ""
    opts = "out" if folded in map(fold, account.opt_out_words) else ""
    if follower and follower.opted_out_at and folded in map(fold, account.opt_in_words):
        opts = "in"
    asks = not opts and folded in map(fold, account.human_words)
    fallback = None
    if told.rule is None and trigger in (Trigger.KEYWORD, Trigger.CLICK, Trigger.SCAN):
        fallback = _explained(sheet, account, "", follower=follower, at=at, trigger=Trigger.DEFAULT).rule
    return Trial(asks, opts, told, fallback)


class _Sheet:
    """Rules made ready to be tried: those that a text does not concern have been explained beforehand."""

    def __init__(self, items: Iterable[Item]) -> None:
        compiled = list(map(matching.compiled, items))
        self.book = RuleBook(0, compiled)
        self.steps: defaultdict[Trigger, list[Step]] = defaultdict(list)
        self.places: dict[int, int] = {}  # rule → its step
        for rule in compiled:
            steps = self.steps[rule.trigger]
            self.places[rule.id] = len(steps)
            steps.append(Step(rule, False, "None of its keywords match." if rule.is_enabled else "It is switched off."))

    def concerned(self, trigger: Trigger, text: str) -> list[CompiledRule]:
        if trigger is Trigger.KEYWORD:
            return self.book.for_text(text)
        return self.book.for_key(trigger, "" if trigger in (Trigger.FOLLOW, Trigger.DEFAULT) else text)


_sheets: dict[tuple[int, bool], tuple[object, _Sheet]] = {}  # account and whether live → what it is of; the last used


def _sheet(session: Session, account: Account, live: bool, key: rule_versions.DraftKey | None = None) -> _Sheet:
    session.flush()
    number = rule_versions.live_number(session, account) if live else 0
    state: object = number if live else key or rule_versions.draft_key(session, account)
    known = _sheets.pop((account.id, live), None)
    if known is None or known[0] != state:
        items = rule_versions.content_of(session, account, number) if live else rule_versions.draft_of(session, account)
        known = (state, _Sheet(items))
    _sheets[account.id, live] = known
    for oldest in list(_sheets)[:-SHEETS]:
        _sheets.pop(oldest, None)
    return known[1]


def forget() -> None:
    _sheets.clear()


def _explained(
    sheet: _Sheet,
    account: Account,
    text: str,
    *,
    follower: Follower | None,
    at: datetime | None,
    trigger: Trigger,
) -> Explanation:
    local = (at or clock.now()).astimezone(ZoneInfo(account.timezone))
    tags = {tag.id for tag in follower.tags} if follower else set()
    steps = sheet.steps[trigger].copy()
    winner: CompiledRule | None = None
    for rule in {rule.id: rule for rule in sheet.concerned(trigger, text)}.values():
        if wrong := rule.wrong_time(local):
            why = wrong
        elif rule.tag_id and rule.tag_id not in tags:
            why = "The follower does not have its tag."
        elif winner is not None:
            why = "An earlier rule answers first."
        else:
            why, winner = "It answers.", rule
        steps[sheet.places[rule.id]] = Step(rule, rule is winner, why)
    return Explanation(winner, steps)


# Many messages -------------------------------------------------------------------------------------------------------


def compare_answers(session: Session, account: Account, most: int = REPLAYED) -> Comparison:
    """The newest texts answered by what is live and by the draft, each at its own time.

    Tags are taken as they are now.  What asks for a person or opts out of campaigns is left out: it reaches no rule.
    """
    connection = session.connection()
    number = rule_versions.live_number(session, account)
    live = rule_books.exact(connection, account.id, number)
    draft = RuleBook(0, map(matching.compiled, rule_versions.draft_of(session, account)))
    special = set(map(fold, [*account.human_words, *account.opt_out_words]))
    rows = connection.execute(
        select(InboundMessage.id, InboundMessage.text, InboundMessage.received_at, InboundMessage.follower_id)
        .where(InboundMessage.account_id == account.id, InboundMessage.kind == "text")
        .order_by(InboundMessage.received_at.desc(), InboundMessage.id.desc())
        .limit(most)
    ).all()
    tags: defaultdict[int, set[int]] = defaultdict(set)
    if used := {rule.tag_id for book in (live, draft) for rule in book.rules if rule.tag_id}:
        people = {row.follower_id for row in rows}
        held = select(FollowerTag.follower_id, FollowerTag.tag_id).where(
            FollowerTag.follower_id.in_(people), FollowerTag.tag_id.in_(used)
        )
        for follower_id, tag_id in connection.execute(held):
            tags[follower_id].add(tag_id)
    differing, looked_at = [], 0
    for row in rows:
        if fold(row.text) in special:
            continue
        looked_at += 1
        before, after = (
            _answer(connection, book, account, row.text, row.received_at, tags.get(row.follower_id, set()))
            for book in (live, draft)
        )
        if _said(before) != _said(after):
            differing.append(Differing(row.id, row.text, row.received_at, before, after))
    return Comparison(looked_at, differing)


def _answer(
    connection: Connection, book: RuleBook, account: Account, text: str, at: datetime, tags: set[int]
) -> CompiledRule | None:
    """As handlers.keyword and handlers.fallback do it."""
    for candidates in (book.for_text(text), book.for_key(Trigger.DEFAULT)):
        found = rules.first_to_answer(connection, candidates, 0, account.timezone, at, _unheard, tags)
        if found is not None:
            return found
    return None


def _unheard(_rule: CompiledRule, _why: str) -> None:
    """Nobody reads why a rule was passed over."""


def _said(rule: CompiledRule | None) -> object:
    """What a follower would see of it: two rules with the same replies are one answer."""
    return None if rule is None else (rule.replies, rule.is_random and len(rule.replies) > 1)


def unanswered(session: Session, account: Account, limit: int = 100) -> list[Group]:
    """Texts of the last days that nothing but the default reply answered, the most frequent first."""
    since = clock.now() - timedelta(days=UNANSWERED_DAYS)
    defaults = select(Rule.id).where(Rule.account_id == account.id, Rule.trigger == Trigger.DEFAULT)
    newest_ones = (
        select(InboundMessage.text, InboundMessage.received_at, cast(InboundMessage.trace, Text).label("trace"))
        .where(
            InboundMessage.account_id == account.id,
            InboundMessage.received_at >= since,
            InboundMessage.kind == "text",
            (InboundMessage.rule_id.is_(None)) | (InboundMessage.rule_id.in_(defaults)),
        )
        .order_by(InboundMessage.received_at.desc())
        .limit(UNANSWERED_LOOKED_AT)
        .subquery()
    ).c
    # The database brings together what was written alike: few rows are left to be folded.
    rows = session.execute(
        select(newest_ones.text, newest_ones.trace, func.count(), func.max(newest_ones.received_at).label("last_at"))
        .group_by(newest_ones.text, newest_ones.trace)
        .order_by(desc("last_at"))
    )
    newest: dict[str, tuple[str, datetime]] = {}
    counts: defaultdict[str, int] = defaultdict(int)
    for said, trace, count, at in rows:
        folded = fold(said)
        if not folded or any(step.get("handler") in ("customer_service", "opt_out") for step in json.loads(trace)):
            continue  # a person was asked for or had it in hand, or the word was about campaigns
        newest.setdefault(folded, (said, at))
        counts[folded] += count
    ranked = sorted(counts, key=lambda folded: (counts[folded], newest[folded][1]), reverse=True)
    return [Group(newest[folded][0], counts[folded], newest[folded][1]) for folded in ranked[:limit]]

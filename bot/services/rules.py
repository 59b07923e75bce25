"""Rules: what the account answers by itself, and why."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from threading import Lock
from typing import Annotated
from zoneinfo import ZoneInfo

import re2
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection, func, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import NotFound, Refused
from bot.services import matching
from bot.services.folding import fold
from bot.services.matching import CompiledRule, RuleBook
from bot.wechat.messages import Reply, ReplyAdapter, Text
from models import Account, Follower, FollowerTag, InboundMessage, MatchMode, ReplyMode, Rule, Tag, Trigger

MAX_RULES = 20_000

Hour = Annotated[str, StringConstraints(pattern=r"^(|([01]\d|2[0-3]):[0-5]\d)$")]


class Keyword(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mode: MatchMode = MatchMode.EXACT
    text: Annotated[str, StringConstraints(max_length=4096)]


class RuleDraft(BaseModel):
    """A rule as an operator writes it."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] = ""
    trigger: Trigger = Trigger.KEYWORD
    keywords: Annotated[list[Keyword], Field(max_length=100)] = []
    replies: Annotated[list[Reply], Field(max_length=5)] = []
    reply_mode: ReplyMode = ReplyMode.ALL
    is_enabled: bool = True
    starts_on: date | None = None
    ends_on: date | None = None
    time_from: Hour = ""
    time_to: Hour = ""
    tag_id: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was looked at; ``why`` is a sentence for the catalogue."""

    rule: Rule
    fired: bool
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    rule: Rule | None
    steps: list[Step]


# Editing -------------------------------------------------------------------------------------------------------------


def list_all(session: Session, account: Account) -> list[Rule]:
    return list(session.scalars(select(Rule).where(Rule.account_id == account.id).order_by(Rule.position, Rule.id)))


def get(session: Session, account: Account, rule_id: int) -> Rule:
    rule = session.scalar(select(Rule).where(Rule.id == rule_id, Rule.account_id == account.id))
    if rule is None:
        raise NotFound("There is no such rule.")
    return rule


def save(session: Session, account: Account, draft: RuleDraft, rule: Rule | None = None) -> Rule:
    """Add a rule at the end, or change one.

    Raises:
        Refused: with the field and what to do; nothing is changed.
    """
    _check(session, account, draft)
    if rule is None:
        count, last = session.execute(
            select(func.count(Rule.id), func.max(Rule.position)).where(Rule.account_id == account.id)
        ).one()
        if count >= MAX_RULES:
            raise Refused("An account holds {max} rules at most; delete some first.", max=MAX_RULES)
        rule = Rule(account_id=account.id, position=(last or 0) + 1)
        session.add(rule)
    values = draft.model_dump(mode="python", exclude={"keywords", "replies"})
    for name, value in values.items():
        setattr(rule, name, value)
    rule.keywords = [{"mode": keyword.mode.value, "text": _trimmed(draft, keyword)} for keyword in draft.keywords]
    rule.replies = [reply.model_dump(mode="json") for reply in draft.replies]
    rule.title = draft.title or _title(draft)
    session.flush()
    _changed(session, account)
    return rule


def move(session: Session, account: Account, rule: Rule, position: int) -> None:
    """Put a rule at a place of the list, counted from 1; the others close up."""
    others = [other for other in list_all(session, account) if other.id != rule.id]
    others.insert(max(0, min(position - 1, len(others))), rule)
    for place, each in enumerate(others, start=1):
        each.position = place
    _changed(session, account)


def set_enabled(session: Session, account: Account, rule: Rule, on: bool) -> None:
    rule.is_enabled = on
    _changed(session, account)


def delete(session: Session, account: Account, rule: Rule) -> None:
    session.delete(rule)
    _changed(session, account)


def hits(session: Session, account: Account, days: int = 7) -> dict[int, int]:
    """How often each rule answered in the last days; rules that never did are absent."""
    since = clock.now() - timedelta(days=days)
    rows = session.execute(
        select(Rule.id, func.count())
        .join(InboundMessage, InboundMessage.rule_id == Rule.id)
        .where(
            InboundMessage.account_id == account.id,
            InboundMessage.received_at >= since,
            InboundMessage.received_at >= Rule.created_at,  # SQLite gives a deleted rule's number to the next one
        )
        .group_by(Rule.id)
    )
    return dict(rows.all())


def explain(
    session: Session,
    account: Account,
    text: str,
    *,
    follower: Follower | None = None,
    at: datetime | None = None,
    trigger: Trigger = Trigger.KEYWORD,
) -> Explanation:
    """Which rule would answer, and why each other one would not.

    Written without the automata, one rule after the other: the tests compare both.
    """
    local = (at or clock.now()).astimezone(ZoneInfo(account.timezone))
    folded = fold(text[: matching.TEXT_LIMIT])
    tags = {tag.id for tag in follower.tags} if follower else set()
    steps: list[Step] = []
    winner: Rule | None = None
    for rule in list_all(session, account):
        if rule.trigger is not trigger:
            continue
        one = matching.compiled(rule)
        if not rule.is_enabled:
            why = "It is switched off."
        elif not _applies(one, text, folded):
            why = "None of its keywords match."
        elif wrong := one.wrong_time(local):
            why = wrong
        elif one.tag_id and one.tag_id not in tags:
            why = "The follower does not have its tag."
        elif winner is not None:
            why = "An earlier rule answers first."
        else:
            why, winner = "It answers.", rule
        steps.append(Step(rule, rule is winner, why))
    return Explanation(winner, steps)


# Answering -----------------------------------------------------------------------------------------------------------

_books: dict[int, RuleBook] = {}
_building = Lock()


def book(connection: Connection, account_id: int, version: int) -> RuleBook:
    """The account's compiled rules; built anew when the version is not the one this process has."""
    known = _books.get(account_id)
    if known is not None and known.version == version:
        return known
    with _building:
        rows = connection.execute(
            select(*Rule.__table__.columns)
            .where(Rule.account_id == account_id, Rule.is_enabled)
            .order_by(Rule.position, Rule.id)
        )
        _books[account_id] = fresh = RuleBook(version, [matching.compiled(row) for row in rows])  # type: ignore[arg-type]  # a row has a Rule's columns
    return fresh


def forget() -> None:
    """Drop all compiled rules of this process."""
    _books.clear()


def first_to_answer(
    connection: Connection,
    candidates: list[CompiledRule],
    follower_id: int,
    zone: str,
    now: datetime,
    note: Callable[[CompiledRule, str], None],
) -> CompiledRule | None:
    """The first candidate whose conditions hold; ``note`` hears why the others were passed over."""
    local: datetime | None = None
    for rule in candidates:
        if not rule.is_conditional:
            return rule
        local = local or now.astimezone(ZoneInfo(zone))
        why = rule.wrong_time(local)
        if not why and rule.tag_id and not _has_tag(connection, follower_id, rule.tag_id):
            why = "The follower does not have its tag."
        if not why:
            return rule
        note(rule, why)
    return None


def replies_of(rule: CompiledRule, variables: Callable[[], dict[str, str]]) -> list[Reply]:
    """What the rule says, with {{nickname}} and the like filled in; one at random, or all."""
    chosen = [random.choice(rule.replies)] if rule.is_random else rule.replies  # noqa: S311 - not a secret
    replies = [ReplyAdapter.validate_python(reply) for reply in chosen]
    return [
        # Not checked again: filled in it may be empty, which is silence, or longer than what one may write.
        Text.model_construct(text=filled(reply.text, variables()))
        if isinstance(reply, Text) and "{{" in reply.text
        else reply
        for reply in replies
    ]


def filled(text: str, variables: dict[str, str]) -> str:
    """Replace {{name}} and {{name|otherwise}}; what is not a known name stays as it was written."""
    head, *rest = text.split("{{")
    parts = [head]
    for piece in rest:
        inner, closed, tail = piece.partition("}}")
        name, _, otherwise = inner.partition("|")
        known = closed and name.strip() in variables
        parts.append((variables[name.strip()] or otherwise.strip()) + tail if known else "{{" + piece)
    return "".join(parts)


def _has_tag(connection: Connection, follower_id: int, tag_id: int) -> bool:
    return bool(
        connection.scalar(
            select(FollowerTag.id).where(FollowerTag.follower_id == follower_id, FollowerTag.tag_id == tag_id)
        )
    )


# Checking ------------------------------------------------------------------------------------------------------------

_NOTHING_TO_REPEAT = (
    "This pattern cannot be used: “{part}” has nothing to repeat. "
    "Put \\ before a sign that means itself, as in C\\+\\+, or choose “contains”."
)
_NOT_KNOWN = "This pattern cannot be used: “{part}” is not known here; look-around and back-references are not either."
_PATTERN_FAULTS = {  # RE2's words → what to do
    "bad repetition operator": _NOTHING_TO_REPEAT,
    "no argument for repetition operator": _NOTHING_TO_REPEAT,
    "invalid escape sequence": _NOT_KNOWN,
    "invalid perl operator": _NOT_KNOWN,
    "invalid repetition size": "This pattern cannot be used: “{part}” repeats too often; 1,000 times is the most.",
    "missing )": "This pattern cannot be used: a “(” is not closed. Write \\( for the sign, or choose “contains”.",
    "missing ]": "This pattern cannot be used: a “[” is not closed. Write \\[ for the sign, or choose “contains”.",
    "unexpected )": "This pattern cannot be used: a “)” closes nothing. Write \\) for the sign itself.",
    "trailing \\": "This pattern cannot be used: it ends with “\\”. Write “\\\\” for the sign itself.",
}


def _check(session: Session, account: Account, draft: RuleDraft) -> None:
    needs_words = draft.trigger in (Trigger.KEYWORD, Trigger.CLICK, Trigger.SCAN)
    if needs_words and not draft.keywords:
        raise Refused("Add at least one keyword, key or scene that sets the rule off.", field="keywords")
    if not draft.replies:
        raise Refused("Add at least one reply.", field="replies")
    for at, keyword in enumerate(draft.keywords):
        _check_keyword(draft.trigger, keyword, f"keywords.{at}.text")
    for at, reply in enumerate(draft.replies):
        if isinstance(reply, Text) and not reply.text.strip():
            raise Refused("Write something: an empty reply shows an error on the phone.", field=f"replies.{at}.text")
        if reply.kind.startswith("transfer") and len(draft.replies) > 1 and draft.reply_mode is ReplyMode.ALL:
            raise Refused("A transfer ends the bot's part: make it the only reply.", field=f"replies.{at}")
    if bool(draft.time_from) != bool(draft.time_to):
        raise Refused("Give both hours, or none.", field="time_to" if draft.time_from else "time_from")
    if draft.time_from and time.fromisoformat(draft.time_from) == time.fromisoformat(draft.time_to):
        raise Refused("The two hours are the same; leave both empty for the whole day.", field="time_to")
    if draft.starts_on and draft.ends_on and draft.ends_on < draft.starts_on:
        raise Refused("The last day is before the first.", field="ends_on")
    if draft.tag_id is not None and not session.scalar(
        select(Tag.id).where(Tag.id == draft.tag_id, Tag.account_id == account.id)
    ):
        raise Refused("There is no such tag in this account.", field="tag_id")


def _check_keyword(trigger: Trigger, keyword: Keyword, field: str) -> None:
    if trigger is not Trigger.KEYWORD:
        if not keyword.text or len(keyword.text.encode()) > 128:
            raise Refused("A menu key or scene takes 1 to 128 bytes.", field=field)
        return
    if not fold(keyword.text):
        raise Refused("A keyword cannot be empty.", field=field)
    if "\0" in keyword.text:  # PostgreSQL stores none, and no message brings one
        reason = "it holds the character U+0000"
        raise Refused("This pattern cannot be used: {reason}.", field=field, reason=reason)
    if keyword.mode is not MatchMode.REGEX:
        return
    try:
        pattern = matching.compile_pattern(keyword.text)
    except re2.error as error:
        told = error.args[0]
        reason = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        fault, _, part = reason.partition(": ")
        template = _PATTERN_FAULTS.get(fault, "This pattern cannot be used: {reason}.")
        raise Refused(template, field=field, part=part, reason=reason) from None
    if pattern.search("") is not None:
        raise Refused("This pattern matches every message; use a default reply for that.", field=field)


def _trimmed(draft: RuleDraft, keyword: Keyword) -> str:
    is_exact_text = draft.trigger is not Trigger.KEYWORD or keyword.mode is MatchMode.REGEX
    return keyword.text if is_exact_text else keyword.text.strip()


def _title(draft: RuleDraft) -> str:
    return (draft.keywords[0].text.strip() if draft.keywords else draft.trigger.value)[:64]


def _applies(rule: CompiledRule, text: str, folded: str) -> bool:
    if rule.trigger is Trigger.KEYWORD:
        return any(matching.matches(mode, keyword, folded) for mode, keyword in rule.keywords)
    return rule.trigger in (Trigger.FOLLOW, Trigger.DEFAULT) or any(keyword == text for _mode, keyword in rule.keywords)


def _changed(session: Session, account: Account) -> None:
    """Tell every process to build its book anew, in the transaction that changed the rules."""
    session.execute(update(Account).where(Account.id == account.id).values(rules_version=Account.rules_version + 1))

"""Rules: what the account answers by itself.

Editing changes the draft and, unless told otherwise, publishes that one change (services.rule_versions).
"""

import random
from collections.abc import Callable, Collection
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import re2
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection, func, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.services import matching, rule_books, rule_versions, tallies
from bot.services.folding import fold
from bot.services.matching import CompiledRule
from bot.wechat.messages import Reply, ReplyAdapter, Text
from models import (
    Account,
    FollowerTag,
    InboundMessage,
    MatchMode,
    ReplyMode,
    Rule,
    Tag,
    Trigger,
    affected,
)

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
    group_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=32)] = ""


# Editing -------------------------------------------------------------------------------------------------------------


def list_all(session: Session, account: Account) -> list[Rule]:
    return list(session.scalars(select(Rule).where(Rule.account_id == account.id).order_by(Rule.position, Rule.id)))


def get(session: Session, account: Account, rule_id: int) -> Rule:
    rule = session.scalar(select(Rule).where(Rule.id == rule_id, Rule.account_id == account.id))
    if rule is None:
        raise NotFound("There is no such rule.")
    return rule


def page(session: Session, account: Account, start: int, limit: int, group: str | None = None) -> list[Rule]:
    """Rules in order, from the one at ``start``; of one group, when it is named ("" for those without)."""
    query = select(Rule).where(Rule.account_id == account.id)
    if group is not None:
        query = query.where(Rule.group_name == group)
    return list(session.scalars(query.order_by(Rule.position, Rule.id).offset(start).limit(limit)))


def count(session: Session, account: Account, *, enabled_only: bool = False, group: str | None = None) -> int:
    query = select(func.count(Rule.id)).where(Rule.account_id == account.id)
    if enabled_only:
        query = query.where(Rule.is_enabled)
    if group is not None:
        query = query.where(Rule.group_name == group)
    return int(session.scalar(query) or 0)


def place_of(session: Session, account: Account, rule_id: int) -> int:
    """Where a rule stands in the list, from 0; 0 for one that is not there."""
    rule = session.scalar(select(Rule).where(Rule.id == rule_id, Rule.account_id == account.id))
    if rule is None:
        return 0
    earlier = (Rule.position < rule.position) | ((Rule.position == rule.position) & (Rule.id < rule.id))
    return int(session.scalar(select(func.count(Rule.id)).where(Rule.account_id == account.id, earlier)) or 0)


def titles(session: Session, account: Account, rule_ids: Collection[int]) -> dict[int, str]:
    rows = select(Rule.id, Rule.title).where(Rule.account_id == account.id, Rule.id.in_(rule_ids))
    return dict(session.execute(rows).all())


def groups(session: Session, account: Account) -> list[str]:
    """The names in use, in the order of the rules."""
    named = select(Rule.group_name).where(Rule.account_id == account.id, Rule.group_name != "")
    return list(session.scalars(named.group_by(Rule.group_name).order_by(func.min(Rule.position))))


def save(
    session: Session,
    account: Account,
    draft: RuleDraft,
    rule: Rule | None = None,
    *,
    live: bool = True,
    revision: int | None = None,
    was: int | None = None,
) -> Rule:
    """Add a rule at the end, or change one; ``live``: followers get the change at once.

    ``revision``: the one that the change began from.  ``was``: a deleted rule's number, which it gets back where the
    live version still knows it.

    Raises:
        Refused: with the field and what to do; nothing is changed.
        Conflict: somebody else saved the rule meanwhile.
    """
    _check(session, account, draft)
    rule_versions.lock(session, account)
    if rule is None:
        held, last = session.execute(
            select(func.count(Rule.id), func.max(Rule.position)).where(Rule.account_id == account.id)
        ).one()
        if held >= MAX_RULES:
            raise Refused("An account holds {max} rules at most; delete some first.", max=MAX_RULES)
        rule = Rule(account_id=account.id, position=(last or 0) + 1, **_as_before(session, account, was))
        session.add(rule)
    else:
        _take_revision(session, rule, revision)
    values = draft.model_dump(mode="python", exclude={"keywords", "replies"})
    for name, value in values.items():
        if name in RuleDraft.model_fields:  # a door's own model may hold more
            setattr(rule, name, value)
    rule.keywords = [{"mode": keyword.mode.value, "text": _trimmed(draft, keyword)} for keyword in draft.keywords]
    rule.replies = [reply.model_dump(mode="json") for reply in draft.replies]
    rule.title = draft.title or _title(draft)
    session.flush()
    _changed(session, account, rule.id, live)
    return rule


def move(session: Session, account: Account, rule: Rule, position: int, *, live: bool = True) -> None:
    """Put a rule at a place of the list, counted from 1; the others close up."""
    rule_versions.lock(session, account)
    ids = list(
        session.scalars(
            select(Rule.id).where(Rule.account_id == account.id, Rule.id != rule.id).order_by(Rule.position, Rule.id)
        )
    )
    ids.insert(max(0, min(position - 1, len(ids))), rule.id)
    rule_versions.set_places(session, ids)
    session.refresh(rule)
    _changed(session, account, rule.id, live)


def set_enabled(session: Session, account: Account, rule: Rule, on: bool, *, live: bool = True) -> None:
    rule_versions.lock(session, account)
    _take_revision(session, rule, None)
    rule.is_enabled = on
    _changed(session, account, rule.id, live)


def delete(session: Session, account: Account, rule: Rule, *, live: bool = True) -> None:
    rule_versions.lock(session, account)
    rule_id = rule.id
    session.delete(rule)
    _changed(session, account, rule_id, live)


def _take_revision(session: Session, rule: Rule, expected: int | None) -> None:
    """Count this saving; of two that began from the same revision only the first gets through."""
    mine = update(Rule).where(Rule.id == rule.id).values(revision=Rule.revision + 1)
    if expected is not None:
        mine = mine.where(Rule.revision == expected)
    if not affected(session.execute(mine.execution_options(synchronize_session=False))):
        raise Conflict("Somebody else changed this rule meanwhile. Look at both, then save again.", field="revision")
    session.refresh(rule, ["revision"])


def _as_before(session: Session, account: Account, was: int | None) -> dict[str, Any]:
    """The number and the age of a rule that the draft deleted and the live version still has."""
    if was is None or session.scalar(select(Rule.id).where(Rule.id == was)):
        return {}
    live = rule_versions.content_of(session, account, rule_versions.lock(session, account))
    found = next((item for item in live if item["id"] == was), None)
    return {"id": was, "created_at": datetime.fromisoformat(found["created_at"])} if found else {}


def hits(session: Session, account: Account, days: int = 7) -> dict[int, int]:
    """How often each rule answered in the last days; rules that never did are absent."""
    since = clock.now() - timedelta(days=days)
    query = (
        select(Rule.id, func.count())
        .join(InboundMessage, InboundMessage.rule_id == Rule.id)
        .where(
            InboundMessage.account_id == account.id,
            InboundMessage.received_at >= since,
        )
        .group_by(Rule.id)
    )
    return tallies.tally(f"hits in {days} days", account.id, lambda: dict(session.execute(query).all()))


# Answering -----------------------------------------------------------------------------------------------------------


def forget() -> None:
    """Drop all that this process remembers of rules."""
    rule_books.forget()
    tallies.forget()
    rule_versions.forget()


def first_to_answer(
    connection: Connection,
    candidates: list[CompiledRule],
    follower_id: int,
    zone: str,
    now: datetime,
    note: Callable[[CompiledRule, str], None],
    tags: Collection[int] | None = None,
) -> CompiledRule | None:
    """The first candidate whose conditions hold; ``note`` hears why the others were passed over.

    ``tags``: the follower's, where the caller has them already.
    """
    local: datetime | None = None
    for rule in candidates:
        if not rule.is_conditional:
            return rule
        local = local or now.astimezone(ZoneInfo(zone))
        why = rule.wrong_time(local)
        if not why and rule.tag_id and not _has_tag(connection, follower_id, rule.tag_id, tags):
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


def _has_tag(connection: Connection, follower_id: int, tag_id: int, tags: Collection[int] | None) -> bool:
    if tags is not None:
        return tag_id in tags
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


def _changed(session: Session, account: Account, rule_id: int, live: bool) -> None:
    """Write the draft; and publish this one change, which tells every process to build its book anew."""
    session.flush()
    if live:
        rule_versions.publish(session, account, None, only={rule_id})

"""/api/v1/accounts/<account>/rules/…: publishing the draft of the rules, and what to look at before."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, PageQuery, endpoint
from bot.services import rule_difference, rule_lint, rule_trial, rule_versions
from bot.services.matching import CompiledRule, Item

Number = Annotated[int, Field(ge=0, le=LARGEST, description="of a version; 0: before the first")]


class Summary(Out):
    """How many rules the version has, and how many it added, removed, changed and moved."""

    rules: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    moved: int = 0
    restored: Annotated[int | None, Field(description="the version that it brought back")] = None


class RuleVersion(Out):
    """All rules as they were published.  The one with the highest number is live."""

    number: int
    name: Annotated[str, Field(description="empty: one change, published by itself; the last 100 such are kept")]
    summary: Summary
    created_at: datetime


class VersionPage(Out):
    items: list[RuleVersion]
    next: int | None


class VersionContent(RuleVersion):
    content: list[dict[str, Any]]


class Publication(In):
    name: Annotated[str, Field(max_length=64)] = ""
    rule_ids: Annotated[
        list[int] | None, Field(max_length=20_000, description="only these rules' changes; all, if left out")
    ] = None


class Published(Out):
    """What is live now; ``version`` is null where nothing had to change."""

    version: RuleVersion | None


class DifferenceQuery(In):
    before: Annotated[Number | None, Field(description="a version; the live one, if left out")] = None
    after: Annotated[Number | None, Field(description="a version; the draft, if left out")] = None


class Change(Out):
    rule_id: int
    title: str
    fields: Annotated[list[str], Field(description="that are not the same")]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Difference(Out):
    """What leads from one list of rules to the other."""

    size: int
    added: list[Change]
    removed: list[Change]
    changed: list[Change]
    moved: list[Change]


class AnswerQuery(In):
    messages: Annotated[int, Field(ge=1, le=5000, description="how many of the newest texts")] = 5000
    limit: Annotated[int, Field(ge=0, le=5000, description="how many of the differing to list")] = 200


class DifferingAnswer(Out):
    message_id: int
    text: str
    received_at: datetime
    before: int | None
    after: int | None


class AnswerDifference(Out):
    """Texts that the draft would answer in another way than the live version; rule ids, null for silence."""

    messages: int
    differing: int
    items: list[DifferingAnswer]


class Finding(Out):
    rule_id: int
    kind: str
    level: Annotated[str, Field(description="bad: never answers; warn: not as it looks; note")]
    message: str
    keyword: Annotated[int | None, Field(description="which of the rule's keywords, from 0")]
    other_id: Annotated[int | None, Field(description="the rule that stands in the way")]


class Findings(Out):
    items: list[Finding]


class UnansweredText(Out):
    text: str
    count: int
    last_at: datetime


class UnansweredTexts(Out):
    items: list[UnansweredText]


@endpoint(
    "GET",
    "/accounts/<slug>/rules/versions",
    scope="rules:read",
    summary="List the published versions, newest first",
    query=PageQuery,
    returns=VersionPage,
)
def list_rule_versions(session: Session, account: models.Account, query: PageQuery) -> dict[str, Any]:
    found = rule_versions.page(session, account, query.before, query.limit + 1)
    items = found[: query.limit]
    return {"items": items, "next": items[-1].number if len(found) > query.limit else None}


@endpoint(
    "POST",
    "/accounts/<slug>/rules/versions",
    scope="rules:write",
    summary="Publish the draft, or its changes to some rules",
    body=Publication,
    returns=Published,
    status=201,
)
def publish_rules(session: Session, account: models.Account, body: Publication) -> dict[str, Any]:
    only = None if body.rule_ids is None else set(body.rule_ids)
    return {"version": rule_versions.publish(session, account, None, body.name, only)}


@endpoint(
    "GET",
    "/accounts/<slug>/rules/versions/<int:number>",
    scope="rules:read",
    summary="Get a version with its rules",
    returns=VersionContent,
)
def get_rule_version(session: Session, account: models.Account, number: int) -> models.RuleVersion:
    return rule_versions.get(session, account, number)


@endpoint(
    "POST",
    "/accounts/<slug>/rules/versions/<int:number>/restore",
    scope="rules:write",
    summary="Roll back: publish an earlier version again, and make it the draft",
    returns=Published,
    status=201,
)
def restore_rule_version(session: Session, account: models.Account, number: int) -> dict[str, Any]:
    return {"version": rule_versions.roll_back(session, account, None, number)}


@endpoint(
    "GET",
    "/accounts/<slug>/rules/difference",
    scope="rules:read",
    summary="What differs between two versions, or a version and the draft",
    query=DifferenceQuery,
    returns=Difference,
)
def compare_rules(session: Session, account: models.Account, query: DifferenceQuery) -> dict[str, Any]:
    before = account.rules_version if query.before is None else query.before
    old = rule_versions.content_of(session, account, before)
    new = (
        rule_versions.draft_of(session, account)
        if query.after is None
        else rule_versions.content_of(session, account, query.after)
    )
    found = rule_difference.compare(old, new)
    return {
        "size": found.size,
        "added": [_change(after=one.item) for one in found.added],
        "removed": [_change(before=item) for item in found.removed],
        "changed": [_change(one.before, one.after, one.fields) for one in found.changed],
        "moved": [
            {"rule_id": one.item["id"], "title": one.item["title"], "fields": ["position"],
             "before": {"position": one.was + 1}, "after": {"position": one.place + 1}}
            for one in found.moved
        ],
    }  # fmt: skip


def _change(before: Item | None = None, after: Item | None = None, fields: tuple[str, ...] = ()) -> dict[str, Any]:
    known = after or before or {}
    return {"rule_id": known["id"], "title": known["title"], "fields": [*fields], "before": before, "after": after}


@endpoint(
    "GET",
    "/accounts/<slug>/rules/answer-difference",
    scope="rules:read",
    summary="Which of the newest texts the draft would answer in another way",
    query=AnswerQuery,
    returns=AnswerDifference,
)
def compare_answers(session: Session, account: models.Account, query: AnswerQuery) -> dict[str, Any]:
    found = rule_trial.compare_answers(session, account, query.messages)
    items = [
        {
            "message_id": one.message_id,
            "text": one.text,
            "received_at": one.received_at,
            "before": _id(one.before),
            "after": _id(one.after),
        }
        for one in found.differing[: query.limit]
    ]
    return {"messages": found.count, "differing": len(found.differing), "items": items}


def _id(rule: CompiledRule | None) -> int | None:
    return rule.id if rule else None


@endpoint(
    "GET",
    "/accounts/<slug>/rules/lint",
    scope="rules:read",
    summary="What is wrong with the draft before anybody writes",
    returns=Findings,
)
def check_rules(session: Session, account: models.Account) -> dict[str, Any]:
    return {
        "items": [
            {
                "rule_id": found.rule_id,
                "kind": found.kind,
                "level": found.level,
                "message": found.sentence(),
                "keyword": found.keyword,
                "other_id": found.other_id,
            }
            for found in rule_lint.of_draft(session, account)
        ]
    }


@endpoint(
    "GET",
    "/accounts/<slug>/rules/unanswered",
    scope="rules:read",
    summary="Texts of the last 30 days that only the default reply or nobody answered, grouped",
    returns=UnansweredTexts,
)
def unanswered_texts(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": rule_trial.unanswered(session, account)}

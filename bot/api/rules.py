"""/api/v1/accounts/<account>/rules: what the account answers by itself."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, endpoint
from bot.services import followers, rule_trial, rule_versions, rules, segment_uses
from bot.services.rules import Keyword, RuleDraft
from bot.wechat.messages import Reply
from models import ReplyMode, Trigger


class Rule(Out):
    """When … then.  Of those that match, the one with the lowest position answers."""

    id: int
    title: str
    trigger: Trigger
    keywords: list[Keyword]
    replies: list[Reply]
    reply_mode: ReplyMode
    position: int
    is_enabled: bool
    starts_on: date | None
    ends_on: date | None
    time_from: str
    time_to: str
    tag_id: int | None
    group_name: str
    revision: Annotated[int, Field(description="each saving adds one")]
    created_at: datetime
    updated_at: datetime


class RulePage(Out):
    items: list[Rule]
    next: int | None


class RuleQuery(In):
    after: Annotated[int | None, Field(ge=1, le=LARGEST, description="`next` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="how many at most")] = 50


class DraftQuery(In):
    draft: Annotated[bool, Field(description="keep the change in the draft; else followers get it at once")] = False


class RuleReplacement(RuleDraft):
    revision: Annotated[
        int | None, Field(ge=1, le=LARGEST, description="the one you began from: 409 when somebody saved meanwhile")
    ] = None


class RuleChange(In):
    is_enabled: bool | None = None
    position: Annotated[int | None, Field(ge=1, le=1_000_000, description="counted from 1")] = None


class Question(In):
    """A text to try: nothing is sent and nothing is counted."""

    text: Annotated[str, Field(max_length=20_000)]
    trigger: Trigger = Trigger.KEYWORD
    follower_id: Annotated[int | None, Field(ge=1, le=LARGEST)] = None
    at: Annotated[AwareDatetime | None, Field(description="with a zone; now, if left out")] = None
    draft: Annotated[bool, Field(description="by the draft; else by the live version")] = False


class Step(Out):
    rule_id: int
    title: str
    fired: bool
    why: str


class Explanation(Out):
    """Which rule would answer, and what was found of each that was looked at."""

    rule_id: int | None
    steps: list[Step]


@endpoint(
    "GET",
    "/accounts/<slug>/rules",
    scope="rules:read",
    summary="List the rules by position",
    query=RuleQuery,
    returns=RulePage,
)
def list_rules(session: Session, account: models.Account, query: RuleQuery) -> dict[str, Any]:
    found = rules.list_all(session, account)
    start = next((at + 1 for at, rule in enumerate(found) if rule.id == query.after), 0) if query.after else 0
    items = found[start : start + query.limit]
    return {"items": items, "next": items[-1].id if start + query.limit < len(found) else None}


@endpoint(
    "POST",
    "/accounts/<slug>/rules",
    scope="rules:write",
    summary="Add a rule at the end",
    body=RuleDraft,
    query=DraftQuery,
    returns=Rule,
    status=201,
)
def create_rule(session: Session, account: models.Account, body: RuleDraft, query: DraftQuery) -> models.Rule:
    return rules.save(session, account, body, live=not query.draft)


@endpoint("GET", "/accounts/<slug>/rules/<int:rule_id>", scope="rules:read", summary="Get a rule", returns=Rule)
def get_rule(session: Session, account: models.Account, rule_id: int) -> models.Rule:
    return rules.get(session, account, rule_id)


@endpoint(
    "PUT",
    "/accounts/<slug>/rules/<int:rule_id>",
    scope="rules:write",
    summary="Replace a rule; its position stays",
    body=RuleReplacement,
    query=DraftQuery,
    returns=Rule,
)
def replace_rule(
    session: Session, account: models.Account, rule_id: int, body: RuleReplacement, query: DraftQuery
) -> models.Rule:
    rule = rules.get(session, account, rule_id)
    return rules.save(session, account, body, rule, live=not query.draft, revision=body.revision)


@endpoint(
    "PATCH",
    "/accounts/<slug>/rules/<int:rule_id>",
    scope="rules:write",
    summary="Switch a rule on or off, or move it",
    body=RuleChange,
    query=DraftQuery,
    returns=Rule,
)
def change_rule(
    session: Session, account: models.Account, rule_id: int, body: RuleChange, query: DraftQuery
) -> models.Rule:
    rule = rules.get(session, account, rule_id)
    if body.is_enabled is not None:
        rules.set_enabled(session, account, rule, body.is_enabled, live=False)
    if body.position is not None:
        rules.move(session, account, rule, body.position, live=False)
    if not query.draft:
        rule_versions.publish(session, account, None, only={rule.id})
    return rule


@endpoint(
    "DELETE",
    "/accounts/<slug>/rules/<int:rule_id>",
    scope="rules:write",
    summary="Delete a rule",
    query=DraftQuery,
    status=204,
)
def delete_rule(session: Session, account: models.Account, rule_id: int, query: DraftQuery) -> None:
    rule = rules.get(session, account, rule_id)
    segment_uses.refuse_if_used(session, "rule", rule.id)
    rules.delete(session, account, rule, live=not query.draft)


@endpoint(
    "POST",
    "/accounts/<slug>/rules/explain",
    scope="rules:read",
    summary="Try a text: which rule would answer, and why",
    body=Question,
    returns=Explanation,
)
def explain_rules(session: Session, account: models.Account, body: Question) -> dict[str, Any]:
    follower = followers.get(session, account, body.follower_id) if body.follower_id else None
    found = rule_trial.explain(
        session, account, body.text, follower=follower, at=body.at, trigger=body.trigger, live=not body.draft
    )
    steps = [
        {"rule_id": step.rule.id, "title": step.rule.title, "fired": step.fired, "why": step.why}
        for step in found.steps
    ]
    return {"rule_id": found.rule.id if found.rule else None, "steps": steps}

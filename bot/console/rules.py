"""Automatic replies: the table, one rule's form, and the box to try a message in."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy.orm import Session

from bot.console.blueprint import account_slug, blueprint, current_account, record, requires
from bot.console.forms import Form, nested, rows
from bot.console.language import _
from bot.console.pages import here, say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, followers, rules, tags
from bot.services.folding import fold
from bot.services.rules import RuleDraft, Step
from models import Rule, Trigger

MAX_REPLIES = 5
SPARE_KEYWORDS = 3
PAGE = 100  # rules; an account may hold thousands
STEPS = 50  # of an explanation
FIELDS = {  # kind of reply → the form's fields that belong to it
    "text": ("text",),
    "image": ("media_id",),
    "voice": ("media_id",),
    "video": ("media_id", "title", "description"),
    "music": ("title", "description", "url", "hq_url", "thumb_media_id"),
    "news": (),
    "transfer_customer_service": ("kf_account",),
}
OF_ARTICLE = ("title", "description", "picture_url", "url")


@blueprint.get("/<account>/rules")
@requires("rules:read")
def rules_list() -> ResponseReturnValue:
    with reading() as session:
        return _table(session)


@blueprint.route("/<account>/rules/new", methods=["GET", "POST"])
@requires("rules:write")
def add_rule() -> ResponseReturnValue:
    trigger = request.args.get("trigger", "keyword")
    blank = {"trigger": trigger if trigger in set(Trigger) else "keyword", "is_enabled": "1", "reply_mode": "all"}
    words = [{"mode": "contains", "text": request.args.get("keyword", "")}]
    form = Form({**blank, "keywords": words, "replies": [{"kind": "text", "text": request.args.get("reply", "")}]})
    return _edit(form, None)


@blueprint.route("/<account>/rules/<int:rule_id>", methods=["GET", "POST"])
@requires("rules:read", to_change="rules:write")
def edit_rule(rule_id: int) -> ResponseReturnValue:
    with reading() as session:
        rule = rules.get(session, current_account(), rule_id)
    return _edit(Form(_shown(rule)), rule)


@blueprint.post("/<account>/rules/<int:rule_id>/switch")
@requires("rules:write")
def switch_rule(rule_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        rule = rules.get(session, account, rule_id)
        rules.set_enabled(session, account, rule, request.form.get("on") == "1")
        record(session, account, "rules.switch", f"rule {rule.id}")
    return _back_to(rule_id)


@blueprint.post("/<account>/rules/<int:rule_id>/move")
@requires("rules:write")
def move_rule(rule_id: int) -> ResponseReturnValue:
    try:
        place = int(request.form.get("position", ""))
    except ValueError:
        raise Refused("Give the place in the list as a number.", field="position") from None
    with transaction() as session:
        account = accounts.get(session, account_slug())
        rule = rules.get(session, account, rule_id)
        rules.move(session, account, rule, place)
        record(session, account, "rules.move", f"rule {rule.id}")
    return _back_to(rule_id)


@blueprint.post("/<account>/rules/<int:rule_id>/delete")
@requires("rules:write")
def delete_rule(rule_id: int) -> ResponseReturnValue:
    """Deleted at once; the page that follows holds the rule, to put it back."""
    with transaction() as session:
        account = accounts.get(session, account_slug())
        rule = rules.get(session, account, rule_id)
        place = [other.id for other in rules.list_all(session, account)].index(rule.id) + 1
        kept = _draft_of(rule).model_dump_json()
        rules.delete(session, account, rule)
        record(session, account, "rules.delete", f"rule {rule.id}")
    with reading() as session:
        return _table(session, deleted={"title": rule.title, "draft": kept, "position": place})


@blueprint.post("/<account>/rules/restore")
@requires("rules:write")
def restore_rule() -> ResponseReturnValue:
    try:
        draft = RuleDraft.model_validate_json(request.form.get("draft", ""))
        place = int(request.form.get("position", ""))
    except ValueError:
        raise Refused("The deleted rule can no longer be put back; write it anew.") from None
    with transaction() as session:
        account = accounts.get(session, account_slug())
        rule = rules.save(session, account, draft)
        rules.move(session, account, rule, place)
        record(session, account, "rules.restore", f"rule {rule.id}")
    say(_("“{title}” is back.", title=rule.title))
    return _back_to(rule.id)


def _back_to(rule_id: int) -> ResponseReturnValue:
    """The page of the table that shows this rule."""
    with reading() as session:
        ids = [rule.id for rule in rules.list_all(session, current_account())]
    start = ids.index(rule_id) // PAGE * PAGE if rule_id in ids else 0
    page: dict[str, Any] = {"from": start + 1} if start else {}
    return redirect(url_for("console.rules_list", _anchor=f"rule-{rule_id}", **page))


def _table(session: Session, deleted: dict[str, Any] | None = None) -> ResponseReturnValue:
    account = current_account()
    found = rules.list_all(session, account)
    start = max(0, min(request.args.get("from", 1, type=int) - 1, len(found) - 1))
    trial, explanation, fallback = request.args.get("try", ""), None, None
    trigger = request.args.get("trigger", "keyword")
    trigger = trigger if trigger in set(Trigger) else "keyword"
    if trial or trigger in ("follow", "default"):
        chosen = request.args.get("follower", "")
        follower = followers.get(session, account, int(chosen)) if chosen.isdecimal() else None
        explanation = rules.explain(session, account, trial, follower=follower, trigger=Trigger(trigger))
        if trigger == "keyword" and explanation.rule is None:
            fallback = rules.explain(session, account, trial, follower=follower, trigger=Trigger.DEFAULT).rule
    return show(
        "rules/list.html",
        rules=found[start : start + PAGE],
        start=start,
        rule_count=len(found),
        enabled_count=sum(rule.is_enabled for rule in found),
        page_size=PAGE,
        tags={tag.id: tag.name for tag in tags.list_all(session, account)},
        hits=rules.hits(session, account),
        trial=trial,
        trigger=trigger,
        explanation=explanation,
        answering=explanation and (explanation.rule or fallback),
        asks_for_person=trigger == "keyword" and fold(trial) in map(fold, account.human_words),
        steps=_worth_reading(explanation.steps) if explanation else [],
        people=followers.page(session, account, limit=20),
        deleted=deleted,
        here=url_for("console.rules_list") if deleted else here(),
    )


def _worth_reading(steps: list[Step]) -> list[Step]:
    """The first, the one that answers, and whatever came closer than its words."""
    close = [step for step in steps if step.fired or step.why != "None of its keywords match."]
    others = [step for step in steps[:STEPS] if step not in close]
    return sorted((close + others)[:STEPS], key=steps.index)


def _edit(form: Form, rule: Rule | None) -> ResponseReturnValue:
    if request.method == "POST":
        form.values = nested(request.form)
        try:
            draft = RuleDraft.model_validate(_draft_values(form.values))
            with transaction() as session:
                account = accounts.get(session, account_slug())
                kept = rules.get(session, account, rule.id) if rule else None
                saved = rules.save(session, account, draft, kept)
                record(session, account, "rules.edit" if rule else "rules.add", f"rule {saved.id}")
        except (Refused, ValidationError) as problem:
            form.refuse(problem)
        else:
            say(_("“{title}” is saved and answers from the next message on.", title=saved.title))
            return _back_to(saved.id)
    with reading() as session:
        known_tags = tags.list_all(session, current_account())
    keywords = rows(form.values, "keywords")
    replies = rows(form.values, "replies") or [{"kind": "text"}]
    return show(
        "rules/edit.html",
        422 if form.errors else 200,
        form=form,
        rule=rule,
        tags=known_tags,
        keyword_rows=max(1, len(keywords)) + SPARE_KEYWORDS,
        reply_rows=min(MAX_REPLIES, len(replies) + 1),
    )


def _shown(rule: Rule) -> dict[str, Any]:
    values = _draft_of(rule).model_dump(mode="json")
    return {**values, "is_enabled": "1" if rule.is_enabled else "", "tag_id": str(rule.tag_id or "")}


def _draft_of(rule: Rule) -> RuleDraft:
    return RuleDraft.model_validate({name: getattr(rule, name) for name in RuleDraft.model_fields})


def _draft_values(given: dict[str, Any]) -> dict[str, Any]:
    """What the form holds as a draft; rows left empty are no rows, wherever they stand."""
    trigger = given.get("trigger", "keyword")
    words = [row for row in rows(given, "keywords") if str(row.get("text", "")).strip()]
    given["keywords"] = words  # the page shows the same rows that errors are counted in
    given["replies"] = [row for row in rows(given, "replies") if _is_filled(row)]
    needs_words = trigger in ("keyword", "click", "scan")
    return {
        "title": given.get("title", ""),
        "trigger": trigger,
        "keywords": [{"mode": row.get("mode", "exact"), "text": row["text"]} for row in words] if needs_words else [],
        "replies": [_reply(row) for row in given["replies"]],
        "reply_mode": given.get("reply_mode", "all"),
        "is_enabled": "is_enabled" in given,
        "starts_on": given.get("starts_on") or None,
        "ends_on": given.get("ends_on") or None,
        "time_from": given.get("time_from", ""),
        "time_to": given.get("time_to", ""),
        "tag_id": given.get("tag_id") or None,
    }


def _is_filled(row: dict[str, Any]) -> bool:
    """A text without words is an empty row; other kinds were chosen on purpose."""
    return row.get("kind", "text") != "text" or bool(str(row.get("text", "")).strip())


def _reply(row: dict[str, Any]) -> dict[str, Any]:
    kind = str(row.get("kind", "text"))
    reply: dict[str, Any] = {"kind": kind, **{name: row.get(name, "") for name in FIELDS.get(kind, ())}}
    if "text" in reply:
        reply["text"] = str(reply["text"]).replace("\r\n", "\n")
    if kind == "news":
        row["articles"] = [one for one in rows(row, "articles") if any(str(one.get(name, "")) for name in OF_ARTICLE)]
        reply["articles"] = [{name: one.get(name, "") for name in OF_ARTICLE} for one in row["articles"]]
    return reply

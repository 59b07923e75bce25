"""Automatic replies: the table, one rule's form, and the box to try a message in."""

from datetime import datetime
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy.orm import Session

from bot.console import rule_words
from bot.console.blueprint import (
    account_slug,
    acting_operator,
    blueprint,
    current_account,
    record,
    requires,
    row_number,
)
from bot.console.forms import Form, nested, rows
from bot.console.language import _
from bot.console.pages import here, say, show
from bot.console.when import zone
from bot.database import reading, transaction
from bot.errors import Conflict, Refused
from bot.services import accounts, followers, matching, rule_lint, rule_trial, rule_versions, rules, segment_uses, tags
from bot.services.rule_trial import Step
from bot.services.rules import RuleDraft
from models import Account, Follower, Rule, Trigger

MAX_REPLIES = 5
SPARE_KEYWORDS = 3
PAGE = 50  # rules; an account may hold thousands
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
        rules.set_enabled(session, account, rule, request.form.get("on") == "1", live=False)
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
        rules.move(session, account, rule, place, live=False)
        record(session, account, "rules.move", f"rule {rule.id}")
    return _back_to(rule_id)


@blueprint.post("/<account>/rules/<int:rule_id>/delete")
@requires("rules:write")
def delete_rule(rule_id: int) -> ResponseReturnValue:
    """Deleted from the draft; the page that follows holds the rule, to put it back."""
    with transaction() as session:
        account = accounts.get(session, account_slug())
        rule = rules.get(session, account, rule_id)
        place = rules.place_of(session, account, rule.id) + 1
        kept = _draft_of(rule).model_dump_json()
        segment_uses.refuse_if_used(session, "rule", rule.id)
        rules.delete(session, account, rule, live=False)
        record(session, account, "rules.delete", f"rule {rule.id}")
    with reading() as session:
        return _table(session, deleted={"title": rule.title, "draft": kept, "position": place, "was": rule_id})


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
        rule = rules.save(session, account, draft, live=False, was=request.form.get("was", type=row_number))
        rules.move(session, account, rule, place, live=False)
        record(session, account, "rules.restore", f"rule {rule.id}")
    say(_("“{title}” is back.", title=rule.title))
    return _back_to(rule.id)


def _back_to(rule_id: int) -> ResponseReturnValue:
    """The page of the table that shows this rule."""
    with reading() as session:
        start = rules.place_of(session, current_account(), rule_id) // PAGE * PAGE
    page: dict[str, Any] = {"from": start + 1} if start else {}
    return redirect(url_for("console.rules_list", _anchor=f"rule-{rule_id}", **page))


def _table(session: Session, deleted: dict[str, Any] | None = None) -> ResponseReturnValue:
    account = current_account()
    group = request.args.get("group")
    group_names = rules.groups(session, account)
    group = group if group == "" or group in group_names else None
    found_count = rules.count(session, account, group=group)
    start = max(0, min(request.args.get("from", 1, type=row_number) - 1, found_count - 1))
    key = rule_versions.draft_key(session, account)
    waiting = rule_versions.waiting(session, account, key)
    return show(
        "rules/list.html",
        rules=rules.page(session, account, start, PAGE, group),
        start=start,
        rule_count=found_count,
        enabled_count=rules.count(session, account, enabled_only=True),
        page_size=PAGE,
        group=group,
        groups=group_names,
        waiting=waiting,
        marks=rule_words.marks(waiting),
        findings=rule_words.by_rule(rule_lint.of_draft(session, account, key)),
        tags={tag.id: tag.name for tag in tags.list_all(session, account)},
        hits=rules.hits(session, account),
        people=followers.page(session, account, limit=20),
        deleted=deleted,
        here=url_for("console.rules_list") if deleted else here(),
        **_trial(session, account, key),
    )


def _trial(session: Session, account: Account, key: rule_versions.DraftKey) -> dict[str, Any]:
    """What the box above the table was asked, and what came of it."""
    text, trigger = request.args.get("try", ""), request.args.get("trigger", "keyword")
    trigger = trigger if trigger in set(Trigger) else "keyword"
    asked: dict[str, Any] = {
        "trial": text,
        "trigger": trigger,
        "of": "live" if request.args.get("of") == "live" else "draft",
        "when": request.args.get("when", ""),
        "who": request.args.get("follower", ""),
        "attempt": None,
        "steps": [],
        "trial_fault": "",
    }
    if not text and trigger not in ("follow", "default"):
        return asked
    follower = _follower(session, account, asked["who"])
    try:
        at = datetime.fromisoformat(asked["when"]).replace(tzinfo=zone()) if asked["when"] else None
    except ValueError:
        return {**asked, "trial_fault": _("Give the time as a day and an hour.")}
    if asked["who"].strip() and follower is None:
        return {**asked, "trial_fault": _("Nobody goes by that name here.")}
    live = asked["of"] == "live"
    tried = rule_trial.attempt(
        session, account, text, follower=follower, at=at, trigger=Trigger(trigger), live=live, key=key
    )
    return {**asked, "attempt": tried, "steps": _worth_reading(tried.explanation.steps)}


def _follower(session: Session, account: Account, given: str) -> Follower | None:
    """“Mei #12”, 12, a name or an openid."""
    number = given.rpartition("#")[2].strip()
    if number.isdecimal() and len(number) < 19:
        return followers.get(session, account, int(number))
    found = followers.page(session, account, search=given, limit=1) if given.strip() else []
    return found[0] if found else None


def _worth_reading(steps: list[Step]) -> list[Step]:
    """The first, the one that answers, and whatever came closer than its words."""
    close = {at: None for at, step in enumerate(steps) if step.why != "None of its keywords match."}
    places = [*close, *(at for at in range(min(STEPS, len(steps))) if at not in close)]
    return [steps[at] for at in sorted(places[:STEPS])]


def _edit(form: Form, rule: Rule | None) -> ResponseReturnValue:
    clash: list[rule_words.Side] = []
    if request.method == "POST":
        form.values = nested(request.form)
        try:
            draft = RuleDraft.model_validate(_draft_values(form.values))
            with transaction() as session:
                account = accounts.get(session, account_slug())
                kept = rules.get(session, account, rule.id) if rule else None
                began = request.form.get("revision", type=row_number)
                saved = rules.save(session, account, draft, kept, live=False, revision=began)
                if is_live := "draft" not in request.form:
                    rule_versions.publish(session, account, acting_operator(), only={saved.id})
                record(session, account, "rules.edit" if rule else "rules.add", f"rule {saved.id}")
        except Conflict as problem:
            form.refuse(problem)
            clash, rule = _clash(rule, draft, form)
        except (Refused, ValidationError) as problem:
            form.refuse(problem)
        else:
            say(
                _("“{title}” is saved and answers from the next message on.", title=saved.title)
                if is_live
                else _("“{title}” is saved as a draft. Followers get it when you publish.", title=saved.title)
            )
            return _back_to(saved.id)
    with reading() as session:
        known_tags = tags.list_all(session, current_account())
        groups = rules.groups(session, current_account())
    keywords = rows(form.values, "keywords")
    replies = rows(form.values, "replies") or [{"kind": "text"}]
    return show(
        "rules/edit.html",
        (409 if clash else 422) if form.errors else 200,
        form=form,
        rule=rule,
        tags=known_tags,
        groups=groups,
        clash=clash,
        fields=FIELDS,
        keyword_rows=max(1, len(keywords)) + SPARE_KEYWORDS,
        reply_rows=min(MAX_REPLIES, len(replies) + 1),
    )


def _clash(rule: Rule | None, draft: RuleDraft, form: Form) -> tuple[list[rule_words.Side], Rule]:
    """Theirs beside what was typed; saving once more goes on top of theirs."""
    assert rule is not None  # a new rule has no revision that could be old
    with reading() as session:
        account = current_account()
        theirs = rules.get(session, account, rule.id)
        known_tags = {tag.id: tag.name for tag in tags.list_all(session, account)}
        before = matching.as_item(theirs)
    after = {**before, **draft.model_dump(mode="json"), "title": draft.title or before["title"]}
    form.values["revision"] = theirs.revision
    return rule_words.sides(before, after, known_tags), theirs


def _shown(rule: Rule) -> dict[str, Any]:
    values = _draft_of(rule).model_dump(mode="json")
    return {
        **values,
        "is_enabled": "1" if rule.is_enabled else "",
        "tag_id": str(rule.tag_id or ""),
        "revision": rule.revision,
    }


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
        "group_name": given.get("group_name", ""),
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

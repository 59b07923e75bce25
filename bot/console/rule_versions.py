"""Publishing the rules: what will change, all versions and the way back; and questions nobody answered."""

from hashlib import sha256
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
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
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.console.when import day, zone
from bot.database import reading, transaction
from bot.errors import Conflict, Refused
from bot.services import accounts, rule_difference, rule_lint, rule_trial, rule_versions, rules, tags
from bot.services.rule_difference import Difference
from models import Account, Operator

LISTED = 100  # messages that would be answered differently, and findings
VERSIONS = 30  # on a page


@blueprint.route("/<account>/rules/publish", methods=["GET", "POST"])
@requires("rules:write")
def publish_rules() -> ResponseReturnValue:
    local = clock.now().astimezone(zone())
    form, status = Form({"name": f"{day(local)} {local:%H:%M}"}), 200
    if request.method == "POST":
        form.values = request.form.to_dict()
        try:
            with transaction() as session:
                account = accounts.get(session, account_slug())
                rule_versions.lock(session, account)
                if request.form.get("seen") != _seen(rule_versions.draft_key(session, account)):
                    raise Conflict("Somebody changed the rules since you opened this page. Look again, then publish.")
                made = rule_versions.publish(session, account, acting_operator(), request.form.get("name", ""))
                assert made is not None  # a whole draft that changes nothing is refused
                number = made.number
                record(session, account, "rules.publish", f"version {number}")
        except Refused as problem:
            form.refuse(problem)
            status = problem.status
        else:
            say(_("Version {number} is live: it answers from the next message on.", number=number))
            return redirect(url_for("console.rules_list"))
    with reading() as session:
        account = current_account()
        key = rule_versions.draft_key(session, account)
        difference = rule_versions.waiting(session, account, key)
        findings = rule_lint.of_draft(session, account, key)
        serious = [each for each in findings if each.level != "note"]
        return show(
            "rules/publish.html",
            status,
            form=form,
            seen=_seen(key),
            answers=rule_trial.compare_answers(session, account) if difference.size else None,
            findings=rule_words.by_rule(serious[:LISTED]),
            findings_left=max(0, len(serious) - LISTED),
            titles=rules.titles(session, account, [each.rule_id for each in serious[:LISTED]]),
            listed=LISTED,
            **_shown(session, account, difference),
        )


@blueprint.get("/<account>/rules/versions")
@requires("rules:read")
def versions_list() -> ResponseReturnValue:
    with reading() as session:
        account = current_account()
        found = rule_versions.page(session, account, request.args.get("before", type=row_number), VERSIONS + 1)
        return show(
            "rules/versions.html",
            versions=found[:VERSIONS],
            older=found[VERSIONS - 1].number if len(found) > VERSIONS else None,
            live=account.rules_version,
            names=_operators(session),
            rule_words=rule_words,
            waiting=rule_versions.waiting(session, account),
        )


@blueprint.get("/<account>/rules/versions/<int:number>")
@requires("rules:read")
def rule_version(number: int) -> ResponseReturnValue:
    with reading() as session:
        account = current_account()
        version = rule_versions.get(session, account, number)
        others = [each for each in rule_versions.page(session, account, limit=100) if each.number != number]
        earlier = [each.number for each in others if each.number < number]
        against = request.args.get("against", str(earlier[0]) if earlier else "0")
        if against == "draft":
            other = rule_versions.draft_of(session, account)
        else:
            other = rule_versions.content_of(session, account, int(against) if against.isdecimal() else 0)
        is_later = against == "draft" or (against.isdecimal() and int(against) > number)
        pair = (version.content, other) if is_later else (other, version.content)
        return show(
            "rules/version.html",
            version=version,
            others=others,
            against=against,
            live=account.rules_version,
            names=_operators(session),
            rule_words=rule_words,
            **_shown(session, account, rule_difference.compare(*pair)),
        )


@blueprint.post("/<account>/rules/versions/<int:number>/restore")
@requires("rules:write")
def restore_version(number: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        made = rule_versions.roll_back(session, account, acting_operator(), number)
        record(session, account, "rules.roll_back", f"version {number}")
    if made is None:
        say(_("The draft is again what is live."))
    else:
        say(_("The rules of version {number} are live again. To undo this, restore the one before.", number=number))
    return redirect(url_for("console.versions_list"))


@blueprint.get("/<account>/rules/unanswered")
@requires("rules:read")
def unanswered() -> ResponseReturnValue:
    with reading() as session:
        return show("rules/unanswered.html", groups=rule_trial.unanswered(session, current_account()))


def _seen(key: rule_versions.DraftKey) -> str:
    """A mark of the draft that a page shows."""
    return sha256(repr(key).encode()).hexdigest()[:16]


def _shown(session: Session, account: Account, difference: Difference) -> dict[str, Any]:
    """A difference as the page lists it."""
    names = {tag.id: tag.name for tag in tags.list_all(session, account)}
    return {
        "difference": difference,
        "changed": [(one.after, rule_words.sides(one.before, one.after, names)) for one in difference.changed[:LISTED]],
        "shown": lambda item, field: rule_words.shown(item, field, names),
        "most": LISTED,
    }


def _operators(session: Session) -> dict[int, str]:
    return dict(session.execute(select(Operator.id, Operator.name)).all())

"""The audit log: who changed what, when, and what it was before."""

from flask import request
from flask.typing import ResponseReturnValue

from bot.console import audit_words
from bot.console.blueprint import blueprint, current_access, current_account, requires, row_number
from bot.console.pages import show
from bot.database import reading
from bot.services import access, audit, operators

PAGE = 50


@blueprint.get("/<account>/audit")
@requires("audit:read")
def audit_log() -> ResponseReturnValue:
    account = current_account()
    person, kind = request.args.get("person", type=row_number), request.args.get("kind", "")
    before = request.args.get("before", type=row_number)
    sees_install = "audit:read" in current_access().at(None)
    with reading() as session:
        found = audit.page(
            session,
            account.id,
            with_install=sees_install,
            operator_id=person,
            kind=kind,
            before=before,
            limit=PAGE + 1,
        )
        members = [each.operator for each in access.list_members(session, account)]
        everybody = operators.list_all(session) if sees_install else members
        return show(
            "audit.html",
            audit_words=audit_words,
            found=found[:PAGE],
            older=found[PAGE - 1].id if len(found) > PAGE else None,
            is_first=before is None,
            person=person,
            kind=kind,
            people={each.id: each.name for each in everybody},
            # Whoever left this account is still in its log.
            names=operators.names(session, {each.operator_id for each in found if each.operator_id}),
        )

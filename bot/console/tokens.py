"""Programs' keys to the API: making one, which is shown once, and revoking it."""

from collections.abc import Iterable

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console.blueprint import account_slug, blueprint, current_access, current_account, record, requires
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import access, accounts, api_tokens


@blueprint.get("/<account>/tokens")
@requires("tokens:read")
def tokens() -> ResponseReturnValue:
    return _page(Form())


@blueprint.post("/<account>/tokens")
@requires("tokens:write")
def create_token() -> ResponseReturnValue:
    form = Form({**request.form.to_dict(), "scopes": request.form.getlist("scopes")})
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            place = None if request.form.get("everywhere") == "1" else account
            name, scopes = form.values.get("name", ""), form.values["scopes"]
            plain = api_tokens.create(session, account=place, name=name, scopes=scopes, by=current_access())
            record(session, place, "tokens.create", name)
    except Refused as refused:
        form.refuse(refused)
        return _page(form, refused.status)
    return _page(Form(), plain=plain)


@blueprint.post("/<account>/tokens/<int:token_id>/revoke")
@requires("tokens:write")
def revoke_token(token_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        token = api_tokens.get(session, token_id, account, current_access())
        api_tokens.revoke(session, token.id)
        record(session, account, "tokens.revoke", token.name)
    say(_("The token is revoked: it opens nothing from now on."))
    return redirect(url_for("console.tokens"))


def _page(form: Form, status: int = 200, plain: str = "") -> ResponseReturnValue:
    account = current_account()
    may_everywhere = "tokens:write" in current_access().at(None)
    with reading() as session:
        found = api_tokens.list_all(session)
    return show(
        "tokens.html",
        status,
        form=form,
        here=url_for("console.tokens"),
        found=[each for each in found if each.account_id == account.id or (may_everywhere and not each.account_id)],
        scopes=_by_noun(access.EVERYTHING_IN_ORDER),
        may_everywhere=may_everywhere,
        plain=plain,
    )


def _by_noun(scopes: Iterable[str]) -> dict[str, list[str]]:
    """ "rules:read", "rules:write" → rules: read, write."""
    found: dict[str, list[str]] = {}
    for noun, _colon, act in (scope.partition(":") for scope in scopes):
        found.setdefault(noun, []).append(act)
    return found

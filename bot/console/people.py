"""People: who works on this account, with which role, and how they get in."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.console import words
from bot.console.blueprint import account_slug, blueprint, current_access, current_account, record, requires
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import access, accounts, operators, second_factor
from bot.settings import settings
from models import Account, Operator


@blueprint.get("/<account>/people")
@requires("people:read")
def people() -> ResponseReturnValue:
    return _page(Form())


@blueprint.post("/<account>/people/invite")
@requires("people:write")
def invite() -> ResponseReturnValue:
    form = Form(request.form.to_dict())
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            role = access.role_of(request.form.get("role", ""))
            name = request.form.get("name", "")
            operator, secret = access.invite(session, name, role, _where(account), current_access())
            record(session, _where(account), "people.invite", operator.name)
    except Refused as refused:
        form.refuse(refused)
        return _page(form, status=refused.status)
    if secret:
        return _page(Form(), link=_link(secret), link_for=operator.name)
    say(_("{name} has the role now and signs in as before.", name=operator.name))
    return redirect(url_for("console.people"))


@blueprint.post("/<account>/people/<int:operator_id>/role")
@requires("people:write")
def change_role(operator_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        operator = access.get_member(session, account, operator_id)
        role = access.role_of(request.form.get("role", ""))
        access.change(session, operator, role, _where(account), current_access())
        record(session, _where(account), "people.role", operator.name)
    say(_("{name}: {role}, from the next click on.", name=operator.name, role=words.role(role)))
    return redirect(url_for("console.people"))


@blueprint.post("/<account>/people/<int:operator_id>/remove")
@requires("people:write")
def remove_person(operator_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        operator = access.get_member(session, account, operator_id)
        access.take(session, operator, _where(account), current_access())
        record(session, _where(account), "people.remove", operator.name)
    say(_("{name} has no role here any more. Invite the same name to undo this.", name=operator.name))
    return redirect(url_for("console.people"))


@blueprint.post("/<account>/people/<int:operator_id>/active")
@requires("people:write")
def set_active(operator_id: int) -> ResponseReturnValue:
    is_active = request.form.get("on") == "1"
    with transaction() as session:
        account, operator = _managed(session, operator_id)
        access.set_active(session, operator, is_active)
        record(session, account, "people.activate" if is_active else "people.deactivate", operator.name)
    said = _("{name} may sign in again.") if is_active else _("{name} is signed out and may not sign in any more.")
    say(said.format(name=operator.name))
    return redirect(url_for("console.people"))


@blueprint.post("/<account>/people/<int:operator_id>/end-browsers")
@requires("people:write")
def end_browsers(operator_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account, operator = _managed(session, operator_id)
        operators.end_all_sign_ins(session, operator)
        record(session, account, "people.end_browsers", operator.name)
    say(_("All browsers of {name} are signed out.", name=operator.name))
    return redirect(url_for("console.people"))


@blueprint.post("/<account>/people/<int:operator_id>/link")
@requires("people:write")
def sign_in_link_for(operator_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account, operator = _managed(session, operator_id)
        secret = operators.sign_in_link(session, operator, access.INVITATION_MINUTES)
        record(session, account, "people.link", operator.name)
    return _page(Form(), link=_link(secret), link_for=operator.name)


@blueprint.post("/<account>/people/<int:operator_id>/second-factor/off")
@requires("people:write")
def reset_second_factor(operator_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account, operator = _managed(session, operator_id)
        second_factor.switch_off(session, operator)
        record(session, account, "people.second_factor_off", operator.name)
    say(_("{name} signs in with the password alone until they set up a second step again.", name=operator.name))
    return redirect(url_for("console.people"))


def _managed(session: Session, operator_id: int) -> tuple[Account, Operator]:
    account = accounts.get(session, account_slug())
    return account, access.get_managed(session, account, operator_id, current_access())


def _where(account: Account) -> Account | None:
    """The account that a role is for; None: all of them."""
    return None if request.form.get("everywhere") == "1" else account


def _link(secret: str) -> str:
    return f"{settings().base_url}/console/sign-in/{secret}"


def _page(form: Form, status: int = 200, link: str = "", link_for: str = "") -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        members = access.list_members(session, account)
        return show(
            "people.html",
            status,
            form=form,
            here=url_for("console.people"),
            members=members,
            # Only whose whole sign-in one may decide about: the others' buttons are left away.
            managed={
                each.operator_id
                for each in members
                if current_access().covers(access.of_operator(session, each.operator_id))
            },
            seen=operators.last_seen(session, [each.operator_id for each in members]),
            may_everywhere="people:write" in current_access().at(None),
            made_link=link,
            link_for=link_for,
        )

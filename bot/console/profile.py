"""One's own sign-in: the password, the second factor, and the browsers."""

import segno
from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console.blueprint import acting_operator, blueprint, record, requires, signed_in
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import operators, passwords, second_factor


@blueprint.route("/profile", methods=["GET", "POST"])
@requires("signed-in")
def profile() -> ResponseReturnValue:
    form = Form()
    if request.method == "POST":
        try:
            _change_password()
        except Refused as refused:
            form.refuse(refused)
            return _page(form)
        say(_("Your password is changed. Your other browsers are signed out."))
        return redirect(url_for("console.profile"))
    return _page(form)


@blueprint.post("/profile/browsers/<int:sign_in_id>/end")
@requires("signed-in")
def end_sign_in(sign_in_id: int) -> ResponseReturnValue:
    with transaction() as session:
        operators.end_sign_in(session, acting_operator(), sign_in_id)
        record(session, None, "operators.end_browser")
    say(_("That browser is signed out."))
    return redirect(url_for("console.profile"))


@blueprint.route("/profile/second-factor", methods=["GET", "POST"])
@requires("signed-in")
def second_factor_setup() -> ResponseReturnValue:
    """A new secret each time one looks; it counts once a code shows that the app has it."""
    operator = acting_operator()
    if not operator.password_hash or second_factor.is_on(operator):
        return redirect(url_for("console.profile"))
    if request.method == "GET":
        return _setup(Form(), second_factor.new_secret())
    secret = second_factor.opened_offer(operator, request.form.get("offer", ""))
    try:
        with transaction() as session:
            codes = second_factor.enrol(session, operator, secret, request.form.get("code", ""))
            record(session, None, "operators.second_factor_on")
    except Refused as refused:
        form = Form(request.form.to_dict())
        form.refuse(refused)
        return _setup(form, secret, refused.status)
    return show("second_factor_codes.html", codes=codes)


@blueprint.post("/profile/second-factor/off")
@requires("signed-in")
def second_factor_off() -> ResponseReturnValue:
    operator, form = acting_operator(), Form()
    try:
        passwords.count_try(operator.name, request.remote_addr or "")
        with transaction() as session:
            if not second_factor.accept(session, operator.id, request.form.get("code", "")):
                raise Refused("This code does not fit, or was used already.", field="code")
            second_factor.switch_off(session, operator)
            record(session, None, "operators.second_factor_off")
    except Refused as refused:
        form.errors["code"] = next(iter(_errors(refused).values()))
        return _page(form)
    say(_("The second step is switched off: your password alone signs you in."))
    return redirect(url_for("console.profile"))


def _errors(refused: Refused) -> dict[str, str]:
    form = Form()
    form.refuse(refused)
    return form.errors


def _page(form: Form) -> ResponseReturnValue:
    operator = acting_operator()
    with reading() as session:
        return show(
            "profile.html",
            422 if form.errors else 200,
            form=form,
            here=url_for("console.profile"),
            devices=operators.list_sign_ins(session, operator),
            this_one=signed_in(),
        )


def _setup(form: Form, secret: str, status: int = 200) -> ResponseReturnValue:
    operator = acting_operator()
    code = segno.make(second_factor.address(operator, secret), error="m")
    return show(
        "second_factor.html",
        status,
        form=form,
        secret=secret,
        offer=second_factor.offer(operator, secret),
        # On white in dark mode too: not every phone reads it inverted.
        picture=code.svg_inline(border=3, light="#fff", svgclass="qr", omitsize=True),
    )


def _change_password() -> None:
    operator, address, here = acting_operator(), request.remote_addr or "", signed_in()
    assert here is not None
    if operator.password_hash:
        passwords.count_try(operator.name, address)
        if not operators.password_fits(operator, request.form.get("current", "")):
            raise Refused("This is not your present password.", field="current")
        passwords.forget_tries(operator.name, address)
    with transaction() as session:
        operators.set_password(session, operator, request.form.get("password", ""), keep=here)
        record(session, None, "operators.password")
        g.new_cookie = operators.renew(session, here)  # T17: this browser stays signed in, its old cookie does not

"""Signing in by password or by one-time link, signing out, and one's own settings."""

from flask import g, redirect, request, url_for
from flask import session as form_session
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from bot.console.blueprint import (
    acting_operator,
    blueprint,
    cookie_name,
    current_operator,
    is_https,
    own_path,
    requires,
    signed_in,
)
from bot.console.forms import Form
from bot.console.language import COOKIE as LANGUAGE_COOKIE
from bot.console.language import _
from bot.console.pages import THEME_COOKIE, THEMES, say, show
from bot.database import reading, transaction
from bot.errors import Refused, Unauthenticated
from bot.services import operators

YEAR = 365 * 24 * 3600


@blueprint.route("/sign-in", methods=["GET", "POST"])
@requires("public")
def sign_in() -> ResponseReturnValue:
    if request.method == "GET" and current_operator() is not None:
        return redirect(own_path(request.args.get("next", "")))
    form = Form({"name": request.form.get("name", ""), "next": request.values.get("next", "")})
    if request.method == "POST":
        try:
            cookie = _by_password(form.values["name"], request.form.get("password", ""))
        except Refused as refused:
            form.refuse(refused)
            return show("sign_in.html", refused.status, form=form)
        return _with_cookie(redirect(own_path(form.values["next"])), cookie)
    return show("sign_in.html", form=form)


@blueprint.route("/sign-in/<secret>", methods=["GET", "POST"])
@requires("public")
def sign_in_by_link(secret: str) -> ResponseReturnValue:
    """Looking does not use the link up: previews of chat programs only look."""
    if request.method == "GET":
        with reading() as session:
            operator = operators.find_link(session, secret)
        return show("sign_in_link.html", 200 if operator else 410, found=operator)
    try:
        with transaction() as session:
            cookie = operators.redeem_link(session, secret, _device())
    except Unauthenticated:
        return show("sign_in_link.html", 410, found=None)
    return _with_cookie(redirect(url_for("console.front_door")), cookie)


@blueprint.post("/sign-out")
@requires("signed-in")
def sign_out() -> ResponseReturnValue:
    found = signed_in()
    if found is not None:
        with transaction() as session:
            operators.sign_out(session, found)
    form_session.clear()
    response = redirect(url_for("console.sign_in"))
    response.delete_cookie(cookie_name(), path="/", secure=is_https(), httponly=True, samesite="Lax")
    return response


@blueprint.post("/preferences")
@requires("public")
def preferences() -> ResponseReturnValue:
    """Language and light or dark: kept in the browser, the language with the operator too."""
    response = redirect(own_path(request.form.get("next", "")))
    chosen, operator = request.form.get("language", ""), current_operator()
    if chosen in operators.LANGUAGES:
        _keep(response, LANGUAGE_COOKIE, chosen)
        if operator is not None:
            with transaction() as session:
                operators.set_language(session, operator, chosen)
    if request.form.get("theme") in THEMES:
        _keep(response, THEME_COOKIE, request.form["theme"])
    return response


@blueprint.route("/profile", methods=["GET", "POST"])
@requires("signed-in")
def profile() -> ResponseReturnValue:
    """One's own password, and the browsers one is signed in with."""
    operator, here, form = acting_operator(), signed_in(), Form()
    if request.method == "POST":
        try:
            _change_password(form)
            return redirect(url_for("console.profile"))
        except Refused as refused:
            form.refuse(refused)
    with reading() as session:
        devices = operators.list_sign_ins(session, operator)
        return show("profile.html", 422 if form.errors else 200, form=form, devices=devices, this_one=here)


@blueprint.post("/profile/browsers/<int:sign_in_id>/end")
@requires("signed-in")
def end_sign_in(sign_in_id: int) -> ResponseReturnValue:
    with transaction() as session:
        operators.end_sign_in(session, acting_operator(), sign_in_id)
    say(_("That browser is signed out."))
    return redirect(url_for("console.profile"))


def _by_password(name: str, password: str) -> str:
    """A new cookie's value.  The password is verified between two transactions: it takes a while."""
    address = request.remote_addr or ""
    operators.count_try(name, address)
    with reading() as session:
        operator = operators.find(session, name)
    fits = operators.password_fits(operator, password)
    if operator is None or not fits:
        raise Unauthenticated("The name or the password is wrong.", field="password")
    operators.forget_tries(name, address)
    with transaction() as session:
        return operators.sign_in(session, operator, _device())


def _change_password(form: Form) -> None:
    operator, address = acting_operator(), request.remote_addr or ""
    if operator.password_hash:
        operators.count_try(operator.name, address)
        if not operators.password_fits(operator, request.form.get("current", "")):
            raise Refused("This is not your present password.", field="current")
        operators.forget_tries(operator.name, address)
    with transaction() as session:
        operators.set_password(session, operator, request.form.get("password", ""), keep=signed_in())
    say(_("Your password is changed. Your other browsers are signed out."))


def _with_cookie(response: Response, cookie: str) -> Response:
    """Every sign-in has a new cookie and new form tokens; what was in the browser before is worth nothing."""
    form_session.clear()
    g.pop("csrf_token", None)
    seconds = int(operators.LIFETIME.total_seconds())
    response.set_cookie(
        cookie_name(), cookie, max_age=seconds, path="/", secure=is_https(), httponly=True, samesite="Lax"
    )
    return response


def _keep(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR, path="/console", secure=is_https(), httponly=True, samesite="Lax")


def _device() -> str:
    return request.user_agent.string

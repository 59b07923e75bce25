"""Signing in by password (and code) or by one-time link, signing out, and what the browser remembers."""

import hashlib
import time

from flask import g, redirect, request, url_for
from flask import session as form_session
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from bot.console.blueprint import (
    blueprint,
    cookie_name,
    current_operator,
    own_path,
    requires,
    set_cookie,
    signed_in,
)
from bot.console.forms import Form
from bot.console.language import COOKIE as LANGUAGE_COOKIE
from bot.console.pages import THEME_COOKIE, THEMES, show
from bot.database import reading, transaction
from bot.errors import Refused, Unauthenticated
from bot.safety import is_https
from bot.services import operators, passwords, second_factor
from models import Operator

YEAR = 365 * 24 * 3600
WAITING = "second-step"
CODE_SECONDS = 300  # to find the phone


@blueprint.route("/sign-in", methods=["GET", "POST"])
@requires("public")
def sign_in() -> ResponseReturnValue:
    if request.method == "GET" and current_operator() is not None:
        return redirect(own_path(request.args.get("next", "")))
    form = Form({"name": request.form.get("name", ""), "next": request.values.get("next", "")})
    if request.method == "POST":
        try:
            operator = _checked(form.values["name"], request.form.get("password", ""))
        except Refused as refused:
            form.refuse(refused)
            return show("sign_in.html", refused.status, form=form)
        ask = _ask_for_code if second_factor.is_on(operator) else _let_in
        return ask(operator, form.values["next"])
    return show("sign_in.html", form=form)


@blueprint.post("/sign-in/code")
@requires("public")
def sign_in_code() -> ResponseReturnValue:
    """The second factor, for those whose password was right; counted like passwords."""
    operator, wanted = _waiting()
    if operator is None:
        return redirect(url_for("console.sign_in"))
    form = Form()
    try:
        passwords.count_try(operator.name, request.remote_addr or "")
        with transaction() as session:
            fits = second_factor.accept(session, operator.id, request.form.get("code", ""))
        if not fits:
            raise Unauthenticated("This code does not fit, or was used already.", field="code")
    except Refused as refused:
        form.refuse(refused)
        form.errors = {"code": next(iter(form.errors.values()))}
        return show("sign_in_code.html", refused.status, form=form)
    return _let_in(operator, wanted)


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


def _checked(name: str, password: str) -> Operator:
    """Whose name and password these are.  The password is verified outside transactions: it takes a while."""
    address = request.remote_addr or ""
    passwords.count_try(name, address)
    with reading() as session:
        operator = operators.find(session, name)
    fits = operators.password_fits(operator, password)
    if operator is None or not fits:
        raise Unauthenticated("The name or the password is wrong.", field="password")
    return operator


def _ask_for_code(operator: Operator, wanted: str) -> ResponseReturnValue:
    """What the second step needs to know waits in the form's own signed cookie; it opens nothing by itself."""
    form_session.clear()
    g.pop("csrf_token", None)
    form_session[WAITING] = {
        "operator": operator.id,
        "password": fingerprint(operator),
        "until": time.time() + CODE_SECONDS,
        "next": wanted,
    }
    return show("sign_in_code.html", form=Form())


def _waiting() -> tuple[Operator | None, str]:
    """Who has given their password a moment ago, and where they wanted to go."""
    kept = form_session.get(WAITING, {})
    if kept.get("until", 0) < time.time():
        return None, ""
    with reading() as session:
        operator = session.get(Operator, kept["operator"])
    is_same = operator is not None and operator.is_active and fingerprint(operator) == kept["password"]
    return (operator if is_same else None), str(kept["next"])


def fingerprint(operator: Operator) -> str:
    """Changes with the password; tells nothing of it, nor of its hash."""
    return hashlib.sha256(f"second step:{operator.password_hash}".encode()).hexdigest()[:16]


def _let_in(operator: Operator, wanted: str) -> ResponseReturnValue:
    passwords.forget_tries(operator.name, request.remote_addr or "")
    with transaction() as session:
        cookie = operators.sign_in(session, operator, _device())
    return _with_cookie(redirect(own_path(wanted)), cookie)


def _with_cookie(response: Response, cookie: str) -> Response:
    """Every sign-in has a new cookie and new form tokens; what was in the browser before is worth nothing."""
    form_session.clear()
    g.pop("csrf_token", None)
    g.new_cookie = ""
    set_cookie(response, cookie)
    return response


def _keep(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR, path="/console", secure=is_https(), httponly=True, samesite="Lax")


def _device() -> str:
    return request.user_agent.string

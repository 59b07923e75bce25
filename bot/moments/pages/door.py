"""Joining, signing in and out, and the language this browser reads."""

from flask import Response, redirect, request, url_for
from flask import session as form_session
from flask.typing import ResponseReturnValue

from bot import follower_sign_in
from bot.database import snapshot, transaction
from bot.errors import Refused, Unauthenticated
from bot.moments import members
from bot.moments.api.contract import COOKIE, by_browser, keep, prove
from bot.moments.pages.forms import Form
from bot.moments.pages.language import COOKIE as LANGUAGE_COOKIE
from bot.moments.pages.language import LANGUAGES
from bot.moments.pages.shell import acting, bp, own_path, show
from bot.moments.pages.wechat import may_lead_to_wechat
from bot.safety import is_https
from models import Member

YEAR = 365 * 24 * 3600


@bp.route("/join", methods=["GET", "POST"])
def join() -> ResponseReturnValue:
    form = Form({name: request.values.get(name, "") for name in ("handle", "name", "next")})
    if request.method == "GET":
        return show("join.html", form=form) if not _is_in() else redirect(own_path(form.at("next")))
    try:
        with transaction() as session:
            member = members.join(session, form.at("handle"), form.at("name"), request.form.get("password", ""))
            cookie = members.sign_in(session, member, request.user_agent.string)
    except Refused as refused:
        form.values["password"] = ""
        form.refuse(refused, "handle")
        return show("join.html", refused.status, form=form)
    return _with_cookie(cookie, form.at("next"))


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    form = Form({name: request.values.get(name, "") for name in ("handle", "next")})
    if request.method == "GET":
        return _sign_in_page(form) if not _is_in() else redirect(own_path(form.at("next")))
    try:
        prove(form.at("handle"), request.form.get("password", ""))
        with transaction() as session:
            member = members.find(session, form.at("handle"))
            cookie = members.sign_in(session, member, request.user_agent.string) if member else ""
    except Refused as refused:
        form.values["password"] = ""
        form.refuse(refused, "password")
        return _sign_in_page(form, refused.status)
    return _with_cookie(cookie, form.at("next"))


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    with acting(also_off=True) as (session, _me):
        members.sign_out(session, request.cookies.get(COOKIE, ""))
    form_session.clear()
    response = redirect(url_for("moments.sign_in"))
    response.delete_cookie(COOKIE, path="/moments", secure=is_https(), httponly=True, samesite="Lax")
    return response


@bp.post("/language")
def set_language() -> ResponseReturnValue:
    response = redirect(own_path(request.form.get("next", "")))
    if request.form.get("language") in LANGUAGES:
        chosen = request.form["language"]
        response.set_cookie(
            LANGUAGE_COOKIE, chosen, YEAR, path="/moments", secure=is_https(), httponly=True, samesite="Lax"
        )
    return response


def _sign_in_page(form: Form, status: int = 200) -> Response:
    with snapshot() as session:
        accounts = follower_sign_in.offered(session)
    return may_lead_to_wechat(show("sign_in.html", status, form=form, accounts=accounts))


def _is_in() -> Member | None:
    try:
        with snapshot() as session:
            return by_browser(session, also_off=True)
    except Unauthenticated:
        return None


def _with_cookie(cookie: str, wanted: str) -> ResponseReturnValue:
    """Every sign-in has new form tokens; what was in the browser before is worth nothing."""
    form_session.clear()
    response = redirect(own_path(wanted))
    keep(response, cookie)
    return response

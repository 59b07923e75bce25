"""One's account: profile, password, programs, signed-in browsers, the export, and leaving for a while or for good."""

import json

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot import clock, follower_sign_in
from bot.errors import NotFound, Refused
from bot.moments import addresses, cards, limits, members
from bot.moments.api.contract import COOKIE, replace_password
from bot.moments.api.members import Export
from bot.moments.api.wechat import links
from bot.moments.media import uploads
from bot.moments.pages.forms import Form
from bot.moments.pages.language import _
from bot.moments.pages.shell import acting, bp, looking, say, show
from bot.moments.pages.wechat import may_lead_to_wechat
from models import MediaUse, MemberStatus


@bp.get("/account")
def show_account(form: Form | None = None, status: int = 200, token: str = "") -> ResponseReturnValue:
    with looking(also_off=True) as (session, me):
        page = show(
            "account.html",
            status,
            form=(form or Form()).over({"name": me.name, "about": me.about}),
            member=me,
            pictures=cards.pictures(me),
            token=token,
            has_password=me.password_hash != "",
            tokens=[
                {"id": addresses.of("token", each.id), "name": each.name, "scopes": each.scopes, "at": each.created_at}
                for each in members.tokens(session, me)
            ],
            scopes=members.SCOPES,
            sign_ins=[
                {
                    "id": addresses.of("signin", each.id),
                    "device": each.device,
                    "at": each.created_at,
                    "is_this": is_this,
                }
                for each, is_this in members.sign_ins(session, me, request.cookies.get(COOKIE, ""))
            ],
            links=links(session, me),
            accounts=follower_sign_in.offered(session),
            is_active=me.status == MemberStatus.ACTIVE,
            grace_days=members.GRACE.days,
        )
    return may_lead_to_wechat(page)


@bp.post("/account/profile")
def change_profile() -> ResponseReturnValue:
    values = {name: request.form.get(name, "") for name in ("name", "about")}
    try:
        with acting() as (session, me):
            members.change_profile(session, me, **values)
    except Refused as refused:
        return _again(values, refused)
    say(_("Saved."))
    return redirect(url_for("moments.show_account"))


@bp.post("/account/picture/<use>")
def set_picture(use: str) -> ResponseReturnValue:
    """One's avatar or cover, from a plain form; with "remove": none."""
    if use not in (MediaUse.AVATAR, MediaUse.COVER):
        raise NotFound("There is no such photo.")
    try:
        media_id = None if "remove" in request.form else _uploaded()
        with acting() as (session, me):
            members.show(session, me, MediaUse(use), media_id)
    except Refused as refused:
        form = Form({"picture": ""})
        form.refuse(refused, "picture")
        return show_account(form, refused.status)
    say(_("Saved."))
    return redirect(url_for("moments.show_account"))


def _uploaded() -> int:
    """
    Raises:
        Refused: no file, or none that can be shown.
    """
    with looking() as (_session, me):
        an_hour = limits.media_an_hour(me)
    photo = request.files.get("photo")
    if photo is None or not photo.filename:
        raise Refused("Choose a photo first.", field="picture")
    return uploads.take(me.id, photo.stream, an_hour=an_hour).id


@bp.post("/account/password")
def change_password() -> ResponseReturnValue:
    old, new = request.form.get("old", ""), request.form.get("new", "")
    try:
        with looking() as (_session, me):
            pass
        replace_password(me, old, new)
    except Refused as refused:
        return _again({}, refused)
    say(_("Your password is changed. All other browsers and programs are signed out."))
    return redirect(url_for("moments.show_account"))


@bp.post("/account/tokens")
def make_token() -> ResponseReturnValue:
    name, scopes = request.form.get("name", ""), request.form.getlist("scopes")
    try:
        with acting() as (session, me):
            _token, plain = members.make_token(session, me, name, scopes)
    except Refused as refused:
        return _again({"token": name}, refused)
    return show_account(token=plain)  # shown once: not behind a redirect, which would have to keep it


@bp.post("/account/tokens/<token>/end")
def end_token(token: str) -> ResponseReturnValue:
    with acting() as (session, me):
        members.end_token(session, me, addresses.read("token", token))
    say(_("The program is signed out."))
    return redirect(url_for("moments.show_account"))


@bp.post("/account/sign-ins/<sign_in>/end")
def end_sign_in(sign_in: str) -> ResponseReturnValue:
    with acting() as (session, me):
        members.end_sign_in(session, me, addresses.read("signin", sign_in))
    say(_("That browser is signed out."))
    return redirect(url_for("moments.show_account"))


@bp.get("/account/export")
def export() -> ResponseReturnValue:
    """All that is one's own, as a file."""
    with looking() as (session, me):
        document = Export.model_validate(cards.export(session, me)).model_dump(mode="json")
        name = f"moments-{me.handle}-{clock.now():%Y-%m-%d}.json"
    body = json.dumps(document, ensure_ascii=False, indent=1)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(body, content_type="application/json; charset=utf-8", headers=headers)


@bp.post("/account/off")
def switch_off() -> ResponseReturnValue:
    with acting() as (session, me):
        members.switch_off(session, me)
    say(_("Your Moments are off: nobody sees anything of you until you come back."))
    return redirect(url_for("moments.show_account"))


@bp.route("/account/delete", methods=["GET", "POST"])
def delete_account() -> ResponseReturnValue:
    """Asked for with the handle typed out."""
    form = Form()
    if request.method == "POST":
        with acting() as (session, me):
            if request.form.get("handle", "").strip().lower() == me.handle:
                members.delete_all(session, me)
                say(
                    _(
                        "Everything is hidden now, and erased in {n} days. Until then you can come back.",
                        n=members.GRACE.days,
                    )
                )
                return redirect(url_for("moments.show_account"))
        form.errors["handle"] = _("Type your handle exactly, to be sure.")
    with looking() as (_session, me):
        return show("delete.html", 422 if form.errors else 200, form=form, handle=me.handle, days=members.GRACE.days)


@bp.post("/account/back")
def come_back() -> ResponseReturnValue:
    with acting(also_off=True) as (session, me):
        members.come_back(session, me)
    say(_("Welcome back: everything is as it was."))
    return redirect(url_for("moments.show_account"))


def _again(values: dict[str, str], refused: Refused) -> ResponseReturnValue:
    form = Form(values)
    form.refuse(refused)
    return show_account(form, refused.status)

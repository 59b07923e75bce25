"""Signing in through WeChat, linking and unlinking: buttons that lead to WeChat, and the page it leads back to."""

from flask import Response, g, redirect, request
from flask import session as form_session
from flask.typing import ResponseReturnValue

from bot import follower_sign_in
from bot.database import transaction
from bot.errors import Refused
from bot.moments import addresses, wechat_links
from bot.moments.api.contract import COOKIE, keep
from bot.moments.api.wechat import begin, came_back, settle
from bot.moments.pages.language import _, worded
from bot.moments.pages.shell import POLICY, acting, bp, own_path, say, wrong


@bp.post("/sign-in/wechat/<account>")
def begin_wechat(account: str) -> ResponseReturnValue:
    with transaction() as session:
        return redirect(begin(session, account, wanted=request.form.get("next", "")), 303)


@bp.post("/account/wechat/<account>")
def link_wechat(account: str) -> ResponseReturnValue:
    with acting(also_off=True) as (session, me):
        return redirect(begin(session, account, me, "/moments/account"), 303)


@bp.get("/wechat")
def back_from_wechat() -> ResponseReturnValue:
    try:
        known = came_back(request.args.get("code", ""), request.args.get("state", ""))
        with transaction() as session:
            member, is_new = settle(session, known)
    except Refused as refused:
        begun_at = "account" if COOKIE in request.cookies else "sign-in"
        return wrong(refused.status, worded(refused), again=own_path(f"/moments/{begun_at}"))
    response = redirect(own_path(known.wanted))
    if known.member_id is not None:
        say(_("Linked: you can sign in through WeChat now."))
        return response
    form_session.clear()  # every sign-in has new form tokens
    if is_new:
        say(_("Welcome, {name}. Friends find you by your handle, @{handle}.", name=member.name, handle=member.handle))
    keep(response, g.pop("moments_cookie"))
    return response


@bp.post("/account/wechat/<link>/end")
def unlink_wechat(link: str) -> ResponseReturnValue:
    with acting(also_off=True) as (session, me):
        wechat_links.unlink(session, me, addresses.read("link", link))
    say(_("Unlinked: WeChat signs you in no more."))
    return redirect(own_path("/moments/account"))


def may_lead_to_wechat(response: Response) -> Response:
    """A page with such a button: browsers look at where a form's answer leads."""
    allowed = f"form-action 'self' {follower_sign_in.wechats_origin()}"
    response.headers["Content-Security-Policy"] = POLICY.replace("form-action 'self'", allowed)
    return response

"""One's own QR code."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from bot.moments import codes, members
from bot.moments.pages.language import _
from bot.moments.pages.shell import acting, bp, looking, say, show


@bp.get("/friends/code")
def show_code() -> ResponseReturnValue:
    with looking() as (_session, me):
        return show(
            "code.html",
            picture=codes.picture(me.code) if me.code else "",
            address=codes.address(me.code) if me.code else "",
            takes_requests=me.takes_requests,
        )


@bp.post("/friends/code")
def renew_code() -> ResponseReturnValue:
    with acting() as (session, me):
        is_first = me.code is None
        members.renew_code(session, me)
    say(_("Your code is ready.") if is_first else _("This is your new code. The old one leads nowhere now."))
    return redirect(url_for("moments.show_code"))

"""Posts that wait for their time: what they are, another time, and not at all."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.errors import Refused
from bot.moments import addresses, cards, scheduled
from bot.moments.pages.audience import for_whom
from bot.moments.pages.language import _, worded
from bot.moments.pages.shell import acting, bp, looking, say, show
from bot.moments.pages.when import typed


@bp.get("/scheduled")
def list_scheduled() -> ResponseReturnValue:
    """``fresh``: one was written a moment ago."""
    with looking() as (session, me):
        found = cards.scheduled(session, me, scheduled.list_all(session, me))
        for each in found:
            each["for"] = for_whom(each["audience"])
        return show("scheduled.html", found=found, fresh="fresh" in request.args)


@bp.post("/scheduled/<post>")
def change_scheduled(post: str) -> ResponseReturnValue:
    """``do``: "move" to another time, or "cancel"."""
    try:
        with acting() as (session, me):
            row = scheduled.get(session, me, addresses.read("scheduled", post))
            if request.form.get("do") == "cancel":
                scheduled.cancel(session, row)
            else:
                scheduled.move(session, me, row, typed(request.form.get("at", ""), request.form.get("offset", "")))
    except Refused as refused:
        if refused.status == 404:
            raise
        say(worded(refused), "warn")
    else:
        say(_("It is not published.") if request.form.get("do") == "cancel" else _("It waits for the new time."))
    return redirect(url_for("moments.list_scheduled"))

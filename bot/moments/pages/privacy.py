"""Privacy: what holds for all of one's posts, and whom one hides from, mutes or blocks."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.errors import Refused
from bot.moments import cards, friends, members
from bot.moments.pages.forms import Form
from bot.moments.pages.language import _
from bot.moments.pages.shell import acting, bp, looking, say, show


@bp.get("/privacy")
def show_privacy(form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    with looking() as (session, me):
        everybody = friends.list_all(session, me)
        return show(
            "privacy.html",
            status,
            form=form or Form(),
            window="" if me.window_days is None else str(me.window_days),
            windows=[str(days) for days in members.WINDOWS if days is not None],
            newonly=me.newonly,
            takes_requests=me.takes_requests,
            lets_reshare=me.lets_reshare,
            friends=[cards.known(member, edge.remark) for member, edge in everybody],
            hidden=[cards.known(each, edge.remark) for each, edge in everybody if edge.hides],
            muted=[cards.known(each, edge.remark) for each, edge in everybody if edge.mutes],
            blocked=cards.people(session, me, [each.id for each in friends.blocked(session, me)]),
        )


@bp.post("/privacy")
def change_privacy() -> ResponseReturnValue:
    window = request.form.get("window", "0")  # "": everything; what was not chosen opens nothing
    try:
        with acting() as (session, me):
            members.change_privacy(
                session,
                me,
                window_days=_days(window),
                newonly="newonly" in request.form,
                takes_requests="takes_requests" in request.form,
                lets_reshare="lets_reshare" in request.form,
            )
    except Refused as refused:
        form = Form()
        form.refuse(refused, "window")
        return show_privacy(form, refused.status)
    say(_("This holds for all your posts from now on, the old ones too."))
    return redirect(url_for("moments.show_privacy"))


def _days(window: str) -> int | None:
    """None: everything; 0, which no window has: neither that nor a number of days."""
    known = {str(days or ""): days for days in members.WINDOWS}
    return known.get(window, 0)


@bp.get("/privacy/sight")
def choose_sight() -> ResponseReturnValue:
    """The privacy page's "what can X see?"; without script a form leads here."""
    return redirect(url_for("moments.show_friend", member=request.args.get("member", ""), _anchor="sight"))

"""My activity: what one has left on posts, each to be taken back, also where the post is no longer shown."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.moments import addresses, cards, posts, reactions
from bot.moments.pages.language import _
from bot.moments.pages.shell import acting, bp, looking, say, show


@bp.get("/activity")
def show_activity() -> ResponseReturnValue:
    with looking() as (session, me):
        left = cards.activity(session, me)
        ids = {each["post"]: addresses.read("post", each["post"]) for each in left["likes"]}
        shown = posts.those(session, me, list(ids.values()))
        likes = [{**each, "is_shown": ids[each["post"]] in shown} for each in left["likes"]]
        return show("activity.html", comments=left["comments"], likes=likes, reshares=left["reshares"])


@bp.post("/activity/delete")
def delete_activity() -> ResponseReturnValue:
    """One comment, like or reshare, named by the button that was pressed."""
    kind, _space, address = request.form.get("what", "").partition(" ")
    with acting() as (session, me):
        match kind:
            case "comment":
                reactions.remove(session, me, addresses.read("comment", address))
                say(_("Your comment is deleted."))
            case "like":
                reactions.unlike(session, me, addresses.read("post", address))
                say(_("Your like is taken back."))
            case "reshare":
                posts.remove(session, me, posts.own(session, me, addresses.read("post", address)))
                say(_("What you passed on is deleted."))
    return redirect(url_for("moments.show_activity"))

"""Notices: grouped by post, only what is still there to be seen, and what one does not want to hear of."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.moments import addresses, cards, feed, notices, posts, reactions
from bot.moments.pages.language import _
from bot.moments.pages.shell import acting, bp, looking, say, show
from models import Member, Notice, NoticeKind

SHOWN = 40
BEGINNING = 60  # characters of a post


@bp.get("/notices")
def list_notices() -> ResponseReturnValue:
    after = request.args.get("after", "")
    with looking() as (session, me):
        place = f"notices {me.id}"
        before = addresses.read_cursor(place, after) if after else feed.FIRST
        found, following = notices.page(session, me, before, SHOWN)
        return show(
            "notices.html",
            bundles=_by_post(session, me, found),
            newest=addresses.of("notice", found[0].id) if found and not after else "",
            unread=notices.unread(session, me),
            following=addresses.cursor(place, following) if following is not None else "",
            after=after,
        )


@bp.post("/notices/read")
def mark_read() -> ResponseReturnValue:
    with acting() as (session, me):
        notices.mark_read(session, me, addresses.read("notice", request.form.get("until", "")))
    return redirect(url_for("moments.list_notices"))


@bp.post("/notices/mute/<post>")
def mute_post(post: str) -> ResponseReturnValue:
    with acting() as (session, me):
        post_id = addresses.read("post", post)
        if "again" in request.form:
            notices.set_muted(session, me, post_id, False)
            say(_("You hear of this post again."))
        else:
            notices.set_muted(session, me, posts.find(session, me, post_id).id, True)
            say(_("No more notices about this post. You can change that under “Which notices”."))
    return redirect(url_for("moments.list_notices"))


@bp.route("/notices/choices", methods=["GET", "POST"])
def choose_notices() -> ResponseReturnValue:
    if request.method == "POST":
        with acting() as (session, me):
            notices.choose(session, me, {kind: kind.value in request.form for kind in NoticeKind})
        say(_("Saved. It holds for the notices that are there, too."))
        return redirect(url_for("moments.list_notices"))
    with looking() as (session, me):
        return show(
            "notice_choices.html",
            choices=notices.choices(session, me),
            labels=_labels(),
            muted=[
                {"id": addresses.of("post", post.id), "words": _beginning(post.body)}
                for post in notices.muted_posts(session, me)
            ],
        )


def _by_post(session: Session, me: Member, found: list[Notice]) -> list[cards.Values]:
    """Those about one post together, at the place of the newest."""
    about = posts.those(session, me, [each.post_id for each in found if each.post_id is not None])
    said = {each.id: each.body for each in reactions.on(session, me, list(about))}
    bundles: dict[object, cards.Values] = {}
    for row, told in zip(found, cards.noticed(session, me, found), strict=True):
        post = about.get(row.post_id or 0)
        bundle = bundles.setdefault(
            row.post_id or f"notice {row.id}",
            {
                "post": told["post"],
                "words": _beginning(post.body) if post else "",
                "is_mine": post is not None and post.author_id == me.id,
                "is_new": False,
                "rows": [],
            },
        )
        bundle["rows"].append({**told, "said": said.get(row.comment_id or 0, "")})
        bundle["is_new"] |= not told["is_read"]
    return list(bundles.values())


def _beginning(body: str) -> str:
    line = " ".join(body.split())
    return line if len(line) <= BEGINNING else line[:BEGINNING].rstrip() + "…"


def _labels() -> dict[NoticeKind, str]:
    return {
        NoticeKind.LIKE: _("Likes of your posts"),
        NoticeKind.COMMENT: _("Comments on your posts, and answers to you"),
        NoticeKind.MENTION: _("Posts that mention you"),
        NoticeKind.RESHARE: _("Your posts passed on"),
        NoticeKind.WIDENED: _("More people see a post that you commented on"),
        NoticeKind.REQUEST: _("Friend requests"),
        NoticeKind.ACCEPTED: _("Requests accepted"),
        NoticeKind.ALSO_LIKE: _("Other friends' likes on posts you took part in"),
        NoticeKind.ALSO_COMMENT: _("Other friends' comments on posts you took part in"),
    }

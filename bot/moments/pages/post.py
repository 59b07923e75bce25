"""A post's own page, and what can be done to it: like, comment, delete and take that back."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.errors import Refused
from bot.moments import addresses, audiences, cards, posts, reactions
from bot.moments.pages.feed import MOST_COMMENTS, name_answered, shown
from bot.moments.pages.forms import Form
from bot.moments.pages.language import _, worded
from bot.moments.pages.shell import acting, bp, looking, own_path, say, show
from models import Member, Post

COMMENTS = 20  # on one page of them


@bp.get("/posts/<post>", endpoint="post")
def show_post(post: str, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    """``at``: a comment that is to be among those shown; without it the newest.  ``reply``: which one to answer."""
    with looking() as (session, me):
        found = posts.find(session, me, addresses.read("post", post))
        card = shown(session, me, [found], 0)[0]
        rows = reactions.on(session, me, [found.id])
        ids, said = [each.id for each in rows], cards.said(session, me, rows)
        name_answered(said, said)
        at = addresses.read("comment", request.args.get("at", ""))
        start = max(0, (ids.index(at) if at in ids else len(ids)) - (COMMENTS // 2 if at in ids else COMMENTS))
        end = start + COMMENTS
        answered = request.values.get("reply", "") or request.values.get("reply_to", "")
        return show(
            "post.html",
            status,
            post={**card, "comments": said[start:end]},
            form=form or Form({"body": ""}),
            earlier=addresses.of("comment", ids[max(0, start - COMMENTS // 2)]) if start else "",
            later=addresses.of("comment", ids[min(end + COMMENTS // 2, len(ids) - 1)]) if end < len(ids) else "",
            reply=next((each for each in said if each["id"] == answered and each["by"]), None),
            viewers=_viewers(session, me, found) if card["is_mine"] else None,
            reshares=shown(session, me, posts.reshares(session, me, found), 0) if card["is_mine"] else [],
        )


@bp.post("/posts/<post>/like")
def like(post: str) -> ResponseReturnValue:
    post_id = addresses.read("post", post)
    with acting() as (session, me):
        (reactions.unlike if "off" in request.form else reactions.like)(session, me, post_id)
        return answered(session, me, post_id)


@bp.post("/posts/<post>/comments")
def comment(post: str) -> ResponseReturnValue:
    post_id, reply_to = addresses.read("post", post), request.form.get("reply_to", "")
    try:
        with acting() as (session, me):
            body = request.form.get("body", "")
            reactions.comment(session, me, post_id, body, addresses.read("comment", reply_to) if reply_to else None)
            return answered(session, me, post_id)
    except Refused as refused:
        if refused.status == 404:
            raise
        if "X-Live" in request.headers:
            return worded(refused), refused.status
        form = Form({"body": request.form.get("body", "")})
        form.refuse(refused, "body")
        return show_post(post, form, refused.status)


@bp.post("/posts/<post>/comments/<comment>/delete")
def delete_comment(post: str, comment: str) -> ResponseReturnValue:
    with acting() as (session, me):
        reactions.remove(session, me, addresses.read("comment", comment))
        return answered(session, me, addresses.read("post", post))


@bp.post("/posts/<post>/delete")
def delete_post(post: str) -> ResponseReturnValue:
    with acting() as (session, me):
        posts.remove(session, me, posts.own(session, me, addresses.read("post", post)))
    return redirect(url_for("moments.feed", gone=post))


@bp.post("/posts/<post>/restore")
def restore_post(post: str) -> ResponseReturnValue:
    with acting() as (session, me):
        posts.restore(session, me, addresses.read("post", post))
    say(_("The post is back."))
    return redirect(url_for("moments.post", post=post))


@bp.post("/posts/<post>/settings")
def set_post(post: str) -> ResponseReturnValue:
    """Open or close comments, let the post be passed on or not: one field, one of the two."""
    with acting() as (session, me):
        found = posts.own(session, me, addresses.read("post", post))
        if "comments" in request.form:
            posts.set_comments(session, found, request.form["comments"] == "1")
        if "reshare" in request.form:
            posts.set_resharing(session, me, found, request.form["reshare"] == "1")
    say(_("Saved."))
    return redirect(url_for("moments.post", post=post))


def answered(session: Session, me: Member, post_id: int) -> ResponseReturnValue:
    """To a script the card as it is now; to a form the page it was on."""
    address = addresses.of("post", post_id)
    if "X-Live" in request.headers:
        found = posts.find(session, me, post_id)
        return show("one.html", post=shown(session, me, [found], _most())[0])
    back = own_path(request.form.get("next") or url_for("moments.post", post=address))
    return redirect(f"{back.partition('#')[0]}#p-{address}")


def _most() -> int:
    return cards.COMMENTS * 100 if request.form.get("whole") else MOST_COMMENTS


def _viewers(session: Session, me: Member, post: Post) -> list[cards.Values]:
    return cards.people(session, me, [each.id for each in audiences.viewers(session, post)])

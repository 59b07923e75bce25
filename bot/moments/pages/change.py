"""Changing a post of one's own: its words and photos, who sees it, and what it was before."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.errors import Conflict, Refused
from bot.moments import addresses, audiences, cards, posts
from bot.moments.pages import audience
from bot.moments.pages.feed import shown
from bot.moments.pages.forms import Form
from bot.moments.pages.language import _
from bot.moments.pages.shell import acting, bp, looking, say, show


@bp.route("/posts/<post>/edit", methods=["GET", "POST"])
def edit_post(post: str) -> ResponseReturnValue:
    post_id, form = addresses.read("post", post), Form()
    if request.method == "POST":
        form.values["body"], kept = request.form.get("body", ""), request.form.getlist("media")
        try:
            with acting() as (session, me):
                found = posts.own(session, me, post_id)
                media = [addresses.read("media", each) for each in kept]
                posts.edit(session, me, found, form.at("body"), None if found.root_id else media)
            say(_("Saved. What it said before stays with you."))
            return redirect(url_for("moments.post", post=post))
        except Refused as refused:
            if refused.status == 404:
                raise
            form.refuse(refused, "body")
    with looking() as (session, me):
        card = cards.one(session, me, posts.own(session, me, post_id))
        form.values.setdefault("body", card["body"])
        return show("edit.html", 422 if form.errors else 200, form=form, post=card)


@bp.route("/posts/<post>/audience", methods=["GET", "POST"])
def change_audience(post: str) -> ResponseReturnValue:
    """It looks first; what lets more people see the post is asked once more."""
    post_id, form, do, more = addresses.read("post", post), Form(), request.form.get("do", ""), 0
    values = audience.chosen(request.form)
    if do == "save":
        try:
            with acting() as (session, me):
                found, choice = posts.own(session, me, post_id), audience.choice(values)
                audiences.change(session, me, found, choice, confirmed="confirm" in request.form)
            say(_("Saved: it holds from now on."))
            return redirect(url_for("moments.post", post=post))
        except Conflict as conflict:
            more = int(str(conflict.values["count"]))
    with acting() as (session, me):  # a preview writes, and takes it back
        found = posts.own(session, me, post_id)
        card, known = cards.one(session, me, found), audience.choices(session, me)
        values = values if do else audience.of_post(card["own"]["audience"])
        try:
            viewers = audiences.preview(session, me, audience.choice(values), found)
        except Refused as refused:
            viewers = []
            form.refuse(refused, "audience")
        seeing = cards.people(session, me, [each.id for each in viewers])
        return show(
            "audience.html",
            422 if form.errors else 200,
            form=form,
            post=card,
            values=values,
            known=known,
            viewers=seeing,
            warnings=audience.warnings(values, seeing, known, []),
            more=more,
        )


@bp.get("/posts/<post>/history")
def post_history(post: str) -> ResponseReturnValue:
    with looking() as (session, me):
        found = posts.own(session, me, addresses.read("post", post))
        return show(
            "history.html",
            post=shown(session, me, [found], 0)[0],
            edits=posts.edits(session, found),
            audiences=[
                {**each, "for": audience.for_whom(each["audience"])} for each in cards.history(session, me, found)
            ],
        )

"""One person's posts by month, as a list or a wall of photos; one's own too, and as a friend sees them."""

from itertools import groupby

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.moments import addresses, cards, feed, friends, members
from bot.moments.feed import Which
from bot.moments.pages.feed import listed
from bot.moments.pages.shell import bp, looking, show
from bot.moments.pages.when import ZONE, month
from models import Member, PostMode

PAGE = 30


@bp.get("/members/<member>", endpoint="album")
def show_album(member: str) -> ResponseReturnValue:
    with looking() as (session, me):
        member_id = addresses.read("member", member)
        if member_id == me.id:
            return _own(session, me)
        other = members.profile(session, me, member_id)
        remarks = {each.id: edge.remark for each, edge in friends.list_all(session, me)}
        place = f"album {me.id} {member_id}"
        page = listed(session, me, place, lambda start: feed.album(session, me, member_id, start, PAGE))
        return show(
            "album.html",
            owner={**cards.known(other, remarks.get(other.id, "")), "about": other.about, "handle": other.handle},
            cover=cards.pictures(other)["cover"] if other.id in remarks else None,
            is_mine=False,
            is_friend=other.id in remarks,
            **_by_month(page),
        )


@bp.get("/me")
def own_album() -> ResponseReturnValue:
    with looking() as (session, me):
        return _own(session, me)


@bp.get("/view/<member>")
def view_as(member: str) -> ResponseReturnValue:
    """One's own posts, those that this friend sees."""
    with looking() as (session, me):
        friend, edge = friends.get(session, me, addresses.read("member", member))
        place = f"view {me.id} {friend.id}"
        page = listed(session, me, place, lambda start: feed.album(session, friend, me.id, start, PAGE))
        return show("view_as.html", friend=cards.known(friend, edge.remark), **page)


def _own(session: Session, me: Member) -> ResponseReturnValue:
    mode = request.args.get("mode", "")
    which = Which(PostMode(mode) if mode in set(PostMode) else None)
    page = listed(session, me, f"mine {me.id} {mode}", lambda start: feed.own(session, me, which, start, PAGE))
    return show(
        "album.html",
        owner={**cards.known(me), "about": me.about, "handle": me.handle},
        cover=cards.pictures(me)["cover"],
        is_mine=True,
        is_friend=False,
        mode=mode,
        window=me.window_days,
        **_by_month(page),
    )


def _by_month(page: dict[str, object]) -> dict[str, object]:
    """The page's posts under their months, and how to show them."""
    items: list[cards.Values] = page["items"]  # type: ignore[assignment]
    months = [(name, list(those)) for name, those in groupby(items, lambda each: month(each["at"].astimezone(ZONE)))]
    return {**page, "months": months, "view": "wall" if request.args.get("view") == "wall" else "list"}

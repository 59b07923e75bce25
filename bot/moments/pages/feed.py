"""What friends share, newest first, and a search in it."""

from collections.abc import Callable

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.moments import addresses, cards, feed, friends
from bot.moments.pages.audience import for_whom
from bot.moments.pages.shell import bp, looking, show
from models import Member, Post

PAGE = 20
MOST_COMMENTS = 6  # on a card of a list; the post's own page has all

Found = tuple[list[Post], int | None]


@bp.get("/", endpoint="feed")
def show_feed() -> ResponseReturnValue:
    """``fresh`` and ``gone``: a post that was published or deleted a moment ago, to take that back."""
    with looking() as (session, me):
        page = listed(session, me, f"feed {me.id}", lambda start: feed.feed(session, me, start, PAGE))
        return show(
            "feed.html",
            **page,
            cover=cards.pictures(me)["cover"],
            fresh=request.args.get("fresh", ""),
            gone=request.args.get("gone", ""),
            why=_why_empty(session, me) if not page["items"] else "",
        )


@bp.get("/search")
def search() -> ResponseReturnValue:
    text = request.args.get("q", "").strip()[:100]
    with looking() as (session, me):
        page: dict[str, object] = {"items": [], "next": None, "after": ""}
        if text:
            place = f"search {me.id} {text}"
            page = listed(session, me, place, lambda start: feed.search(session, me, text, start, PAGE))
        return show("search.html", text=text, **page)


def listed(session: Session, me: Member, place: str, find: Callable[[int], Found]) -> dict[str, object]:
    """One page of a list of posts: its cards, the cursor to the next one or None, and where it begins."""
    after = request.args.get("after", "")
    found, following = find(addresses.read_cursor(place, after) if after else feed.FIRST)
    return {
        "items": shown(session, me, found),
        "next": addresses.cursor(place, following) if following is not None else None,
        "after": after,
    }


def shown(session: Session, me: Member, found: list[Post], most_comments: int = MOST_COMMENTS) -> list[cards.Values]:
    """Cards, and on one's own in words whom they are for."""
    items = cards.many(session, me, found, most_comments=most_comments)
    for each in items:
        name_answered(each["comments"], each["comments"])
        if each["own"]:
            each["own"]["for"] = for_whom(each["own"]["audience"])
    return items


def name_answered(comments: list[cards.Values], among: list[cards.Values]) -> None:
    """Beside each answer the name of whom it answers, if that is one of those."""
    by = {each["id"]: each["by"]["name"] for each in among if each["by"]}
    for each in comments:
        each["answers"] = by.get(each["reply_to"], "")


def _why_empty(session: Session, me: Member) -> str:
    """No friends, friends who posted nothing, or all of it muted by oneself."""
    if not friends.list_all(session, me):
        return "alone"
    everything, _next = feed.search(session, me, "", feed.FIRST, 1)
    return "muted" if everything else "quiet"

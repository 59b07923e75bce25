"""Another audience for many of one's posts at once, after a look at what that opens and closes."""

from datetime import datetime, timedelta

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.errors import Refused
from bot.moments import addresses, groups, sight
from bot.moments.audiences import Choice
from bot.moments.feed import Which
from bot.moments.pages.forms import Form
from bot.moments.pages.language import _n
from bot.moments.pages.shell import acting, bp, say, show
from bot.moments.pages.when import ZONE
from models import ListKind, Member, PostMode

FIELDS = ("mode", "group", "since", "until", "to")
_LISTS = {PostMode.ALLOW: ListKind.ALLOW_GROUP, PostMode.DENY: ListKind.DENY_GROUP}


@bp.route("/many", methods=["GET", "POST"])
def change_many() -> ResponseReturnValue:
    """Without "sure" it only looks."""
    given = {name: request.form.get(name, "") for name in FIELDS}
    to_groups = request.form.getlist("to_groups")
    form, effect, count = Form(given), None, 0
    with acting() as (session, me):
        if request.method == "POST":
            try:
                which, choice = _which(given), _choice(given["to"], to_groups)
                count, effect = sight.of_changing(session, me, which, choice)
                if count and "sure" in request.form:
                    sight.change(session, me, which, choice, confirmed=True)
                    say(_n("{n} post has its new audience.", "{n} posts have their new audience.", count))
                    return redirect(url_for("moments.change_many"))
            except Refused as refused:
                form.refuse(refused, "to")
        return show(
            "many.html",
            422 if form.errors else 200,
            form=form,
            count=count,
            effect=effect,
            to_groups=to_groups,
            groups=_groups(session, me),
        )


def _which(given: dict[str, str]) -> Which:
    """
    Raises:
        Refused: a kind of posts or a day that is none.
    """
    if given["mode"] and given["mode"] not in set(PostMode):
        raise Refused("Choose which posts.", field="to")
    since, until = _day(given, "since"), _day(given, "until")
    return Which(
        mode=PostMode(given["mode"]) if given["mode"] else None,
        group_id=addresses.read("group", given["group"]) if given["group"] else None,
        since=since,
        until=until and until + timedelta(days=1),
    )


def _day(given: dict[str, str], name: str) -> datetime | None:
    if not given[name]:
        return None
    try:
        return datetime.strptime(given[name], "%Y-%m-%d").replace(tzinfo=ZONE)
    except ValueError:
        raise Refused("Give a day such as 2026-11-23.", field=name) from None


def _choice(to: str, to_groups: list[str]) -> Choice:
    """
    Raises:
        Refused: no audience, or one that needs groups and has none.
    """
    if to not in set(PostMode):
        raise Refused("Choose who is to see these posts.", field="to")
    mode = PostMode(to)
    if mode not in _LISTS:
        return Choice(mode)
    if not to_groups:
        raise Refused("Choose one group or more.", field="to")
    return Choice(mode, {_LISTS[mode]: [addresses.read("group", each) for each in to_groups]})


def _groups(session: Session, me: Member) -> list[dict[str, str]]:
    return [{"id": addresses.of("group", each.id), "name": each.name} for each in groups.list_all(session, me)]

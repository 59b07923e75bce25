"""Groups: private labels for friends, and what each change does to past posts before it is made."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.errors import Refused
from bot.moments import addresses, cards, feed, friends, groups, sight
from bot.moments.feed import Which
from bot.moments.pages.forms import Form
from bot.moments.pages.language import _, _n
from bot.moments.pages.shell import acting, bp, looking, say, show
from bot.moments.sight import Effect

SHOWN = 20  # of the posts that name a group


@bp.get("/groups")
def list_groups(form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    with looking() as (session, me):
        counts = groups.counts(session, me)
        found = [
            {"id": addresses.of("group", each.id), "name": each.name, "count": counts.get(each.id, 0)}
            for each in groups.list_all(session, me)
        ]
    return show("groups.html", status, form=form or Form(), groups=found)


@bp.post("/groups")
def make_group() -> ResponseReturnValue:
    name = request.form.get("name", "")
    try:
        with acting() as (session, me):
            group = groups.create(session, me, name)
    except Refused as refused:
        form = Form({"name": name})
        form.refuse(refused, "name")
        return list_groups(form, refused.status)
    return redirect(url_for("moments.show_group", group=addresses.of("group", group.id)))


@bp.get("/groups/<group>")
def show_group(group: str, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    with looking() as (session, me):
        found = groups.get(session, me, addresses.read("group", group))
        inside = [member.id for member in groups.people_in(session, found)]
        outside = [member.id for member, _edge in friends.list_all(session, me) if member.id not in inside]
        named, following = feed.own(session, me, Which(group_id=found.id), feed.FIRST, SHOWN)
        return show(
            "group.html",
            status,
            form=form or Form({"name": found.name}),
            group={"id": group, "name": found.name},
            inside=cards.people(session, me, inside),
            outside=cards.people(session, me, outside),
            posts=cards.many(session, me, named),
            has_more=following is not None,
        )


@bp.post("/groups/<group>/name")
def rename_group(group: str) -> ResponseReturnValue:
    name = request.form.get("name", "")
    try:
        with acting() as (session, me):
            groups.rename(session, groups.get(session, me, addresses.read("group", group)), name)
    except Refused as refused:
        form = Form({"name": name})
        form.refuse(refused, "name")
        return show_group(group, form, refused.status)
    say(_("Renamed. Only you see this name."))
    return redirect(url_for("moments.show_group", group=group))


@bp.route("/groups/<group>/in", methods=["GET", "POST"])
def put_in_group(group: str) -> ResponseReturnValue:
    """Asked again only where past posts would close."""
    members = request.values.getlist("member")
    ids = [addresses.read("member", each) for each in members]
    with acting() as (session, me):
        found = groups.get(session, me, addresses.read("group", group))
        closes = sum(sight.of_putting_in(session, me, found, each).closes for each in ids)
        if request.method == "POST" and (not closes or "sure" in request.form):
            for each in ids:
                groups.put_in(session, me, found, each)
            if ids:
                say(_("They see future posts for {group}; past ones stay closed to them.", group=found.name))
            return redirect(url_for("moments.show_group", group=group))
        return _ask("put_in", group, found.name, cards.people(session, me, ids), Effect(closes, 0))


@bp.route("/groups/<group>/out/<member>", methods=["GET", "POST"])
def take_out_of_group(group: str, member: str) -> ResponseReturnValue:
    member_id = addresses.read("member", member)
    with acting() as (session, me):
        found = groups.get(session, me, addresses.read("group", group))
        friend, _edge = friends.get(session, me, member_id)
        if request.method == "POST":
            groups.take_out(session, me, found, member_id)
            say(_("{name} is no longer in {group}.", name=friend.name, group=found.name))
            return redirect(url_for("moments.show_group", group=group))
        effect = sight.of_taking_out(session, me, found, member_id)
        return _ask("take_out", group, found.name, cards.people(session, me, [friend.id]), effect)


@bp.route("/groups/<group>/delete", methods=["GET", "POST"])
def delete_group(group: str) -> ResponseReturnValue:
    with acting() as (session, me):
        found = groups.get(session, me, addresses.read("group", group))
        if request.method == "POST":
            groups.remove(session, me, found)
            say(_("The group {group} is deleted.", group=found.name))
            return redirect(url_for("moments.list_groups"))
        return _ask("delete", group, found.name, [], sight.of_removing(session, me, found))


@bp.route("/groups/<group>/apply", methods=["GET", "POST"])
def apply_group(group: str) -> ResponseReturnValue:
    """Let the group as it is today hold for the posts that name it: the one change here that can open posts."""
    with acting() as (session, me):
        found = groups.get(session, me, addresses.read("group", group))
        if request.method == "POST":
            sight.apply(session, me, found, confirmed=True)
            say(_("The group as it is today holds for all posts that name it."))
            return redirect(url_for("moments.show_group", group=group))
        return _ask("apply", group, found.name, [], sight.of_applying(session, me, found))


def _ask(act: str, group: str, name: str, people: list[cards.Values], effect: Effect) -> ResponseReturnValue:
    return show(
        "group_change.html",
        act=act,
        group={"id": group, "name": name},
        people=people,
        closes=_n("{n} past post closes at once.", "{n} past posts close at once.", effect.closes),
        opens=_n("{n} past post opens.", "{n} past posts open.", effect.opens),
        effect=effect,
    )

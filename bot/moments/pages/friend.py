"""One friend: how one stands to them, each choice with its consequence."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.moments import addresses, cards, friends, groups, sight
from bot.moments.pages import sight_words
from bot.moments.pages.language import _
from bot.moments.pages.shell import acting, bp, looking, say, show


@bp.get("/friends/<member>")
def show_friend(member: str) -> ResponseReturnValue:
    friend_id = addresses.read("member", member)
    with looking() as (session, me):
        friend, edge = friends.get(session, me, friend_id)
        name = edge.remark or friend.name
        lines = sight.of(session, me, friend_id)
        return show(
            "friend.html",
            friend={**cards.known(friend, edge.remark), "own_name": friend.name, "about": friend.about},
            handle=friend.handle,
            edge=edge,
            seen=sum(line.count for line in lines if line.is_seen),
            sight=sight_words.told(name, lines, me.window_days),
            groups=[
                {
                    "id": addresses.of("group", each.id),
                    "name": each.name,
                    "holds": friend_id in {one.id for one in groups.people_in(session, each)},
                }
                for each in groups.list_all(session, me)
            ],
        )


@bp.post("/friends/<member>/remark")
def set_remark(member: str) -> ResponseReturnValue:
    friend_id = addresses.read("member", member)
    with acting() as (session, me):
        friends.get(session, me, friend_id)
        friends.set_remark(session, me, friend_id, request.form.get("remark", ""))
    say(_("Only you see this name."))
    return redirect(url_for("moments.show_friend", member=member))


@bp.post("/friends/<member>/stand")
def set_stand(member: str) -> ResponseReturnValue:
    """Hide, mute, both (chat only), or none: each can be taken back at any time."""
    friend_id, wanted = addresses.read("member", member), request.form
    with acting() as (session, me):
        friend, edge = friends.get(session, me, friend_id)
        name = edge.remark or friend.name
        hides, mutes = "hides" in wanted or "chat_only" in wanted, "mutes" in wanted or "chat_only" in wanted
        friends.set_hiding(session, me, friend_id, hides)
        friends.set_muting(session, me, friend_id, mutes)
    if hides and mutes:
        say(_("You and {name} can still find each other, but share no Moments.", name=name))
    elif hides:
        say(_("{name} sees none of your Moments from now on, and is not told.", name=name))
    elif mutes:
        say(_("{name}'s posts stay out of your feed; their album is still open to you.", name=name))
    else:
        say(_("You and {name} share Moments.", name=name))
    return redirect(url_for("moments.show_friend", member=member))


@bp.post("/friends/<member>/block")
def block(member: str) -> ResponseReturnValue:
    with acting() as (session, me):
        friends.block(session, me, addresses.read("member", member))
    say(_("Blocked. Unblocking puts everything back as it was."))
    return redirect(url_for("moments.show_privacy"))


@bp.post("/friends/<member>/unblock")
def unblock(member: str) -> ResponseReturnValue:
    with acting() as (session, me):
        friends.unblock(session, me, addresses.read("member", member))
    say(_("Unblocked: everything is as before."))
    return redirect(url_for("moments.show_privacy"))


@bp.route("/friends/<member>/end", methods=["GET", "POST"])
def unfriend(member: str) -> ResponseReturnValue:
    """Asked twice: becoming friends again opens neither limited posts nor groups."""
    friend_id = addresses.read("member", member)
    if request.method == "POST":
        with acting() as (session, me):
            friend, edge = friends.get(session, me, friend_id)
            friends.unfriend(session, me, friend_id)
        say(_("You and {name} are no longer friends.", name=edge.remark or friend.name))
        return redirect(url_for("moments.list_friends"))
    with looking() as (session, me):
        friend, edge = friends.get(session, me, friend_id)
        return show("unfriend.html", friend=cards.known(friend, edge.remark))

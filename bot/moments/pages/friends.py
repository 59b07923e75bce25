"""Friends: who asks, whom one has asked, finding somebody, and the list."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.errors import Refused
from bot.moments import addresses, cards, friends, groups, members, sight
from bot.moments.pages import sight_words
from bot.moments.pages.forms import Form
from bot.moments.pages.language import _
from bot.moments.pages.shell import acting, bp, looking, say, show
from models import RequestSource


@bp.get("/friends")
def list_friends(form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    """Of all friends those whose names hold ``q``; of all members the one whose handle is ``handle``."""
    typed, handle = request.args.get("q", "").strip(), request.args.get("handle", "").strip()
    form = form or Form({"handle": handle})
    with looking() as (session, me):
        found = None
        if handle and not form.errors:
            try:
                found = members.look_up(session, me, handle)
            except Refused as refused:
                form.refuse(refused, "handle")
        everybody = friends.list_all(session, me)
        asked = friends.requests(session, me)
        return show(
            "friends.html",
            status,
            form=form,
            typed=typed,
            count=len(everybody),
            people=[
                {
                    **cards.known(member, edge.remark),
                    "own_name": member.name if edge.remark else "",
                    "hides": edge.hides,
                    "mutes": edge.mutes,
                }
                for member, edge in everybody
                if typed.casefold() in f"{edge.remark}\n{member.name}\n{member.handle}".casefold()
            ],
            incoming=[
                {
                    **cards.known(other),
                    "handle": other.handle,
                    "message": each.message,
                    "source": each.source,
                    "at": each.created_at,
                    "mutual": friends.mutual(session, me, [other.id])[other.id],
                }
                for each, other in asked
                if each.to_id == me.id
            ],
            outgoing=[
                {**cards.known(other), "message": each.message, "at": each.created_at}
                for each, other in asked
                if each.from_id == me.id
            ],
            found=found and {**cards.known(found), "handle": found.handle, "about": found.about},
            is_friend=found is not None and found.id in {member.id for member, _edge in everybody},
            is_me=found is not None and found.id == me.id,
            has_asked=found is not None and found.id in {each.from_id for each, _other in asked},
        )


@bp.post("/friends/ask")
def ask() -> ResponseReturnValue:
    code, handle = request.form.get("code", ""), request.form.get("handle", "")
    message = request.form.get("message", "")
    try:
        with acting() as (session, me):
            if code:
                other, source = members.by_code(session, me, code), RequestSource.CODE
            else:
                other, source = members.look_up(session, me, handle), RequestSource.HANDLE
            friends.ask(session, me, other.id, message, source)
            name = other.name
    except Refused as refused:
        form = Form({"handle": handle, "code": code, "message": message})
        form.refuse(refused, "message")
        if code:
            return add(code, form, refused.status)
        return list_friends(form, refused.status)
    say(_("{name} will see your request.", name=name))
    return redirect(url_for("moments.list_friends"))


@bp.post("/friends/withdraw/<member>")
def withdraw(member: str) -> ResponseReturnValue:
    with acting() as (session, me):
        friends.withdraw(session, me, addresses.read("member", member))
    say(_("Your request was withdrawn."))
    return redirect(url_for("moments.list_friends"))


@bp.post("/friends/refuse/<member>")
def refuse(member: str) -> ResponseReturnValue:
    with acting() as (session, me):
        friends.refuse(session, me, addresses.read("member", member))
    say(_("Refused. They are not told, and can ask again in 30 days."))
    return redirect(url_for("moments.list_friends"))


@bp.route("/friends/accept/<member>", methods=["GET", "POST"])
def accept(member: str) -> ResponseReturnValue:
    """What is to hold from the first moment, with what they would then see of the past in words."""
    other_id = addresses.read("member", member)
    chosen = request.values.getlist("groups")
    way = request.values.get("way", "open")  # open, hides or chat_only
    with acting() as (session, me):
        other = members.profile(session, me, other_id)
        into = [groups.get(session, me, addresses.read("group", each)) for each in chosen]
        how = {"into": into, "hides": way == "hides", "chat_only": way == "chat_only"}
        if request.method == "POST" and "preview" not in request.form:
            friends.accept(session, me, other_id, **how)  # type: ignore[arg-type]
            say(_("{name} and you are friends now.", name=other.name))
            return redirect(url_for("moments.show_friend", member=member))
        lines = sight.if_accepted(session, me, other_id, **how)  # type: ignore[arg-type]
        asked = next(each for each, who in friends.requests(session, me) if who.id == other_id)
        return show(
            "accept.html",
            other={**cards.known(other), "handle": other.handle, "about": other.about},
            message=asked.message,
            source=asked.source,
            mutual=friends.mutual(session, me, [other_id])[other_id],
            groups=[{"id": addresses.of("group", each.id), "name": each.name} for each in groups.list_all(session, me)],
            chosen=chosen,
            way=way,
            sight=sight_words.told(other.name, lines, me.window_days),
        )


@bp.get("/add/<code>")
def add(code: str, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    """Where a QR code leads: whoever it belongs to, and a form to ask them."""
    with looking() as (session, me):
        other = members.by_code(session, me, code)
        return show(
            "add.html",
            status,
            form=form or Form(),
            code=code,
            other={**cards.known(other), "handle": other.handle, "about": other.about},
            is_me=other.id == me.id,
        )

"""Writing a post: words, photos, who sees it; everything without script too, in one plain form."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.errors import NotFound, Refused
from bot.moments import addresses, audiences, cards, limits, posts, scheduled
from bot.moments.media import uploads
from bot.moments.pages import audience
from bot.moments.pages.forms import Form
from bot.moments.pages.shell import acting, bp, looking, show
from bot.moments.pages.when import typed
from bot.moments.posts import Draft
from models import Member, Post

TEXTS = ("body", "place", "link", "root", "at", "offset")


@bp.get("/compose")
def compose() -> ResponseReturnValue:
    """``root``: a post to pass on."""
    form = Form({**dict.fromkeys(TEXTS, ""), "root": request.args.get("root", ""), "reshare_ok": "1"})
    with acting() as (session, me):  # a preview writes, and takes it back
        form.values["reshare_ok"] = "1" if me.lets_reshare else ""
        return _page(session, me, form, [])


@bp.post("/compose")
def publish() -> ResponseReturnValue:
    """One form, whose buttons publish it, show who would see it, or move a photo."""
    form = Form({name: request.form.get(name, "") for name in (*TEXTS, "reshare_ok")})
    media = _rearranged(request.form.getlist("media"), request.form.get("do", ""))
    try:
        media += _uploaded()
    except Refused as refused:
        form.refuse(refused, "photos")
    do = request.form.get("do", "publish")
    if do in ("publish", "later") and not form.errors:
        try:
            with acting() as (session, me):
                _describe(session, me, media)
                if do == "later":
                    scheduled.add(session, me, _draft(form, media), typed(form.at("at"), form.at("offset")))
                    return redirect(url_for("moments.list_scheduled", fresh=1))
                post = posts.publish(session, me, _draft(form, media))
            return redirect(url_for("moments.feed", fresh=addresses.of("post", post.id)))
        except Refused as refused:
            form.refuse(refused, "body")
    with acting() as (session, me):
        _describe(session, me, media)
        return _page(session, me, form, media, 422 if form.errors else 200)


def _page(session: Session, me: Member, form: Form, media: list[str], status: int = 200) -> ResponseReturnValue:
    values, mentions = audience.chosen(request.form), request.form.getlist("mentions")
    known = audience.choices(session, me)
    try:
        viewers = audiences.preview(session, me, audience.choice(values))
    except Refused as refused:
        viewers = []
        form.refuse(refused, "audience")
    seeing = cards.people(session, me, [each.id for each in viewers])
    root = _root(session, me, form)
    return show(
        "compose.html",
        status,
        form=form,
        media=_kept(session, me, media),
        values=values,
        known=known,
        mentions=mentions,
        viewers=seeing,
        warnings=audience.warnings(values, seeing, known, mentions),
        root=cards.one(session, me, root) if root else None,
        most=posts.MOST_TEXT,
    )


def _root(session: Session, me: Member, form: Form) -> Post | None:
    """What is passed on.  Gone meanwhile: the words that were written stay, without it."""
    if not form.at("root"):
        return None
    try:
        return posts.find(session, me, addresses.read("post", form.at("root")))
    except NotFound:
        if request.method == "GET":
            raise
        form.values["root"] = ""
        return None


def _draft(form: Form, media: list[str]) -> Draft:
    return Draft(
        body=form.at("body"),
        place=form.at("place")[:100],
        link=_address(form.at("link")),
        audience=audience.choice(audience.chosen(request.form)),
        reshare_ok=form.at("reshare_ok") == "1",
        mentions=tuple(addresses.read("member", each) for each in request.form.getlist("mentions")),
        root_id=addresses.read("post", form.at("root")) if form.at("root") else None,
        media=tuple(addresses.read("media", each) for each in media),
    )


def _address(link: str) -> str:
    """
    Raises:
        Refused: it is no web address.
    """
    link = link.strip()
    if link and not link.startswith(("http://", "https://")):
        raise Refused("Give a whole web address; it begins with https://.", field="link")
    return link[:500]


def _uploaded() -> list[str]:
    """The addresses of what came with the form; empty parts are what browsers send for no file."""
    with looking() as (_session, me):
        pass
    files = [each for each in request.files.getlist("photos") if each.filename]
    an_hour = limits.media_an_hour(me)
    return [addresses.of("media", uploads.take(me.id, each.stream, an_hour=an_hour).id) for each in files]


def _rearranged(media: list[str], do: str) -> list[str]:
    """In the order that one of the small buttons asks for: “up …”, “down …”, “drop …”."""
    act, _space, which = do.partition(" ")
    if which not in media:
        return media
    at = media.index(which)
    media.remove(which)
    if act != "drop":
        media.insert(max(0, at + {"up": -1, "down": 1}.get(act, 0)), which)
    return media


def _describe(session: Session, me: Member, media: list[str]) -> None:
    for each in uploads.drafts(session, me.id, [addresses.read("media", each) for each in media]):
        name = f"alt-{addresses.of('media', each.id)}"
        if name in request.form:
            uploads.describe(session, me.id, each.id, request.form[name])


def _kept(session: Session, me: Member, media: list[str]) -> list[dict[str, Any]]:
    found = uploads.drafts(session, me.id, [addresses.read("media", each) for each in media])
    return [cards.media(each) for each in found]

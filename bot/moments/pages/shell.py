"""The pages' one blueprint: who is signed in, how a page is shown, and the pages for what went wrong."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, url_for
from flask import send_from_directory as send
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from lucide.jinja import lucide
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from bot import safety
from bot.database import snapshot, transaction
from bot.errors import Refused, Unauthenticated
from bot.moments import cards, notices
from bot.moments.api.contract import by_browser
from bot.moments.media.limits import REQUEST_BYTES
from bot.moments.pages.language import _, _n, language, worded
from bot.moments.pages.when import input_time, moment, time_tag
from models import Member, MemberStatus

STATIC = Path(__file__).parent / "static"
OPEN = {  # to whoever comes by
    *("moments.sign_in", "moments.join", "moments.set_language", "moments.static"),
    *("moments.begin_wechat", "moments.back_from_wechat"),
}
UPLOADS = {"moments.publish", "moments.set_picture"}  # a plain form brings its photos along
POLICY = safety.CONTENT_POLICY.replace("img-src 'self' data:", "img-src 'self' data: blob:") + "; media-src 'self'"

bp = Blueprint("moments", __name__, url_prefix="/moments", template_folder="templates")
log = structlog.get_logger()


def looking(*, also_off: bool = False) -> AbstractContextManager[tuple[Session, Member]]:
    """One snapshot, and whose browser it is; ``also_off``: for those whose Moments are switched off too."""
    return _opened(snapshot(), also_off)


def acting(*, also_off: bool = False) -> AbstractContextManager[tuple[Session, Member]]:
    """The same in a transaction."""
    return _opened(transaction(), also_off)


@contextmanager
def _opened(opening: AbstractContextManager[Session], also_off: bool) -> Iterator[tuple[Session, Member]]:
    with opening as session:
        g.moments = session, by_browser(session, also_off=also_off)
        try:
            yield g.moments
        finally:
            g.pop("moments")


def show(template: str, status: int = 200, /, **values: object) -> Response:
    return make_response(render_template(f"moments/{template}", **values), status)


def say(sentence: str, kind: str = "good") -> None:
    """A line on the next page; ``sentence`` is in the member's language already."""
    flash(sentence, kind)


def own_path(path: str) -> str:
    """A path of these pages to go on to, or the feed: never another site's address."""
    is_ours = (
        path.startswith("/moments") and not any(character in path for character in "\\\r\n\t") and ".." not in path
    )
    return path if is_ours else url_for("moments.feed")


@bp.before_request
def let_in() -> None:
    """Whoever is not signed in gets no further, whatever a page forgets; not a byte of an upload is read before."""
    if request.endpoint not in OPEN:
        with looking(also_off=True):
            pass
    if request.endpoint in UPLOADS:
        request.max_content_length = REQUEST_BYTES
    safety.check_form()


@bp.after_request
def add_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    return safety.add_headers(response)


@bp.get("/static/<path:name>")
def static(name: str) -> Response:
    return send(STATIC, name, max_age=31_536_000 if request.args.get("v") else 0)


@bp.get("/<path:unknown>")
def unknown(unknown: str) -> ResponseReturnValue:
    return wrong(404)


@bp.errorhandler(Unauthenticated)
def to_the_door(error: Unauthenticated) -> ResponseReturnValue:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("moments.sign_in", next=wanted))


@bp.errorhandler(Refused)
def refused(error: Refused) -> ResponseReturnValue:
    return wrong(error.status, worded(error) if error.status != 404 else "")


@bp.errorhandler(CSRFError)
def stale(error: CSRFError) -> ResponseReturnValue:
    sentence = _("This form is out of date, perhaps because you signed in or out meanwhile. Open it again.")
    return wrong(400, sentence, again=own_path(urlsplit(request.referrer or "").path))


@bp.errorhandler(HTTPException)
def http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error
    return wrong(error.code or 500)


@bp.errorhandler(500)
def broke(error: HTTPException) -> ResponseReturnValue:
    log.error("moments.failed", path=request.path, exc_info=error)
    return wrong(500)


def wrong(status: int, sentence: str = "", again: str = "") -> Response:
    """A page for what did not work, and what to do next.  What is not there and what is not for you look the same."""
    titles = {404: _("There is nothing here"), 413: _("That is too large"), 429: _("A moment, please")}
    sentences = {
        404: _("The address may be mistyped, the thing may be gone, or it is not for you."),
        413: _("Send fewer photos, or smaller ones, at once."),
    }
    broken = _("Something broke on our side. It was written to the log; try again in a moment.")
    text = sentence or sentences.get(status) or (broken if status >= 500 else _("Go back and try again."))
    return show("wrong.html", status, title=titles.get(status, _("That did not work")), sentence=text, again=again)


@bp.context_processor
def for_templates() -> dict[str, object]:
    return {
        "_": _,
        "_n": _n,
        "album_of": lambda member: url_for("moments.album", member=member),
        "asset": asset,
        "here": request.full_path.rstrip("?") if request.method == "GET" else url_for("moments.feed"),
        "icon": icon,
        "input_time": input_time,
        "language": language(),
        "moment": moment,
        "post_at": lambda post: url_for("moments.post", post=post),
        "time_tag": time_tag,
        "view_as": lambda member: url_for("moments.view_as", member=member),
        **_around(),
    }


def _around() -> dict[str, object]:
    """What stands around a signed-in page: who one is, and how many notices are new."""
    opened = g.get("moments")
    if opened is None:
        try:
            with looking(also_off=True):
                return _around()
        except Unauthenticated:
            return {"me": None, "unread": 0}
    session, me = opened
    is_active = me.status == MemberStatus.ACTIVE
    return {
        "me": {**cards.known(me), "is_active": is_active},
        "unread": notices.unread(session, me) if is_active else 0,
    }


@lru_cache(maxsize=256)
def icon(name: str, size: int = 18) -> str:
    """A Lucide icon beside words; it says nothing by itself, so screen readers pass over it."""
    return lucide(name, size=size, **{"class": "icon", "aria-hidden": "true", "focusable": "false"})


@lru_cache
def asset(name: str) -> str:
    """A file of ours under an address that changes with its content."""
    version = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/moments/static/{name}?v={version}"

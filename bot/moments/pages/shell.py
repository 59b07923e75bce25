"""STAND-IN until helper A's shell is merged: the blueprint, who is signed in, and how a page is shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
)
from flask.typing import ResponseReturnValue
from lucide.jinja import lucide
from markupsafe import Markup
from sqlalchemy.orm import Session

from bot.database import snapshot, transaction
from bot.errors import Forbidden, Refused, Unauthenticated
from bot.moments import members
from bot.moments.api.contract import COOKIE
from bot.moments.pages.language import _, _n, language, worded
from models import Member, MemberStatus

bp = Blueprint("moments", __name__, url_prefix="/moments", template_folder="templates")


@contextmanager
def looking(also_off: bool = False) -> Iterator[tuple[Session, Member]]:
    with snapshot() as session:
        yield session, _member(session, also_off)


@contextmanager
def acting(also_off: bool = False) -> Iterator[tuple[Session, Member]]:
    with transaction() as session:
        yield session, _member(session, also_off)


def _member(session: Session, also_off: bool) -> Member:
    member = members.by_cookie(session, request.cookies.get(COOKIE, ""))
    if member.status != MemberStatus.ACTIVE and not also_off:
        raise Forbidden("Your Moments are switched off; come back first.")
    return member


def show(template: str, status: int = 200, /, **values: object) -> Response:
    return make_response(render_template(f"moments/{template}", **values), status)


def say(sentence: str, kind: str = "good") -> None:
    flash(sentence, kind)


@bp.before_request
def check_form() -> None:
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        current_app.extensions["csrf"].protect()


@bp.after_request
def headers(response: Response) -> Response:
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'",
    )
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@bp.get("/static/<path:name>")
def static(name: str) -> Response:
    return send_from_directory(Path(__file__).parent / "static", name)


@bp.errorhandler(Unauthenticated)
def to_the_door(refused: Unauthenticated) -> ResponseReturnValue:
    return redirect("/moments/sign-in")


@bp.errorhandler(Refused)
def refused(refused: Refused) -> ResponseReturnValue:
    return show("wrong.html", refused.status, sentence=worded(refused))


@bp.context_processor
def for_templates() -> dict[str, object]:
    return {
        "_": _,
        "_n": _n,
        "language": language(),
        "icon": icon,
        "moment": moment,
        "time_tag": time_tag,
        "album_of": lambda member: f"/moments/members/{member}",
        "view_as": lambda member: f"/moments/view/{member}",
        "post_at": lambda post: f"/moments/posts/{post}",
        "asset": lambda name: f"/moments/static/{name}",
    }


def icon(name: str, size: int = 18) -> str:
    return lucide(name, size=size, **{"class": "icon", "aria-hidden": "true", "focusable": "false"})


def moment(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def time_tag(at: object) -> str:
    return Markup('<time datetime="{}">{}</time>').format(f"{at:%Y-%m-%dT%H:%M:%SZ}", moment(at))

"""Showing a page: what every template may call, and the pages for what went wrong."""

import hashlib
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from flask import Response, flash, g, make_response, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from lucide.jinja import lucide
from werkzeug.exceptions import HTTPException

from bot.console import words
from bot.console.blueprint import (
    account_slug,
    acting_operator,
    blueprint,
    current_access,
    current_operator,
    may,
    may_open,
    may_send,
    own_accounts,
    own_path,
    requires,
)
from bot.console.language import _, _n, language, look_up, number, worded
from bot.console.when import moment, since, span, time_tag, until
from bot.database import reading
from bot.errors import Refused
from bot.services import conversation_queues, mentions
from bot.settings import settings

STATIC = Path(__file__).parent / "static"
THEME_COOKIE = "lobby-theme"
THEMES = ("auto", "light", "dark")

log = structlog.get_logger()


def show(template: str, status: int = 200, /, **values: object) -> Response:
    return make_response(render_template(f"console/{template}", **values), status)


def here() -> str:
    """Where this page can be opened again."""
    return request.full_path.rstrip("?")


def say(sentence: str, kind: str = "good") -> None:
    """A line on the next page; ``sentence`` is in the operator's language already."""
    flash(sentence, kind)


@lru_cache(maxsize=256)
def icon(name: str, size: int = 18) -> str:
    """A Lucide icon beside words; it says nothing by itself, so screen readers pass over it."""
    return lucide(name, size=size, **{"class": "icon", "aria-hidden": "true", "focusable": "false"})


@lru_cache
def asset(name: str) -> str:
    """A file of ours under an address that changes with its content."""
    version = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/console/static/{name}?v={version}"


def theme() -> str:
    chosen = request.cookies.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


@blueprint.context_processor
def _for_templates() -> dict[str, object]:
    return {
        "_": _,
        "_n": _n,
        "asset": asset,
        "here": here(),
        "icon": icon,
        "is_practice": settings().is_practice,
        "language": language(),
        "look_up": look_up,
        "may": may,
        "may_open": may_open,
        "may_send": may_send,
        "moderates": "moments:read" in current_access().at(None),  # of the install, whichever account this page is of
        "moment": moment,
        "next_theme": THEMES[(THEMES.index(theme()) + 1) % len(THEMES)],
        "number": number,
        "operator": current_operator(),
        "since": since,
        "span": span,
        "theme": theme(),
        "time_tag": time_tag,
        "until": until,
        "words": words,
        **_shell(),
    }


def _shell() -> dict[str, object]:
    """What stands around a signed-in page: the accounts to switch to, and who is waiting."""
    account = g.get("account")
    if current_operator() is None:
        return {"account": None, "accounts": [], "waiting_count": 0, "mention_count": 0}
    with reading() as session:
        asks = may_open("console.conversations_list")
        waiting_count = conversation_queues.count_waiting(session, account) if account and asks else 0
        mention_count = mentions.count(session, account, acting_operator()) if account and asks else 0
        return {
            "account": account,
            "accounts": own_accounts(session),
            "waiting_count": waiting_count,
            "mention_count": mention_count,
        }


@blueprint.get("/static/<path:name>")
@requires("public")
def static(name: str) -> ResponseReturnValue:
    response = send_from_directory(STATIC, name, max_age=31_536_000 if request.args.get("v") else 0)
    return response


@blueprint.get("/<path:unknown>")
@requires("public")
def unknown(unknown: str) -> ResponseReturnValue:
    return wrong(404)


@blueprint.errorhandler(Refused)
def _refused(refused: Refused) -> ResponseReturnValue:
    return wrong(refused.status, worded(refused))


@blueprint.errorhandler(CSRFError)
def _stale(error: CSRFError) -> ResponseReturnValue:
    sentence = _("This form is out of date, perhaps because you signed in or out meanwhile. Open it again.")
    return wrong(400, sentence, again=own_path(urlsplit(request.referrer or "").path))


@blueprint.errorhandler(HTTPException)
def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error
    return wrong(error.code or 500)


@blueprint.errorhandler(500)
def _broke(error: HTTPException) -> ResponseReturnValue:
    log.error("console.failed", path=request.path, account=account_slug(), exc_info=error)
    return wrong(500)


def wrong(status: int, sentence: str = "", again: str = "") -> Response:
    """A page for what did not work, which says what to do next; ``again`` leads back to a form."""
    titles = {
        401: _("Sign in first"),
        403: _("You may not open this"),
        404: _("There is nothing here"),
        409: _("Somebody else was first"),
        422: _("That cannot be done"),
        429: _("A moment, please"),
    }
    sentences = {
        403: _("Your sign-in does not allow this, or the request came from another site."),
        404: _("The address may be mistyped, or the thing was deleted."),
        405: _("This address takes another kind of request. Go back and try again."),
    }
    broken = _("Something broke on our side. It was written to the log; try again in a moment.")
    text = sentence or sentences.get(status) or (broken if status >= 500 else _("Go back and try again."))
    g.setdefault("account", None)
    return show(
        "wrong.html",
        status,
        status=status,
        title=titles.get(status, _("That did not work")),
        sentence=text,
        home=url_for("console.front_door"),
        again=again,
        here=here() if request.method == "GET" else url_for("console.front_door"),
    )

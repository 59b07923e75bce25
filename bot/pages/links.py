"""A campaign's link: counts who opens it, and leads on to where it was meant to go."""

import re
import secrets
from concurrent.futures import ThreadPoolExecutor, wait
from threading import BoundedSemaphore

import structlog
from flask import redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from bot.database import reading, transaction
from bot.pages.blueprint import blueprint, nothing_here
from bot.services import campaign_clicks
from bot.services.campaign_clicks import Opened
from bot.settings import settings

COOKIE = "lobby-visitor"
COOKIE_SECONDS = 90 * 86_400
PATIENCE = 0.25  # seconds that a follower waits for a busy database; their click is counted when it has time
WAITING = 1_000  # clicks of a process that may wait so; more are not counted

# What shows a preview or checks an address, and is nobody.  A Cubot is a telephone.
AUTOMATIC = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|scanner|monitor|facebookexternalhit|whatsapp/|headlesschrome|curl/|wget/|"
    r"python|go-http-client|okhttp|java/|libwww|httpclient",
    re.IGNORECASE,
)

log = structlog.get_logger()
_counters = ThreadPoolExecutor(2, "clicks")
_room = BoundedSemaphore(WAITING)


@blueprint.get("/l/<path:address>")
def open_link(address: str) -> ResponseReturnValue:
    with reading() as session:
        opened = campaign_clicks.find(session, address)
    if opened is None:
        return nothing_here()
    response = redirect(opened.url, 302)
    if _is_automatic():
        return response
    browser = ""
    if opened.follower_id is None:
        browser = request.cookies.get(COOKIE, "")[:64] or secrets.token_urlsafe(16)
        is_https = settings().base_url.startswith("https:")
        response.set_cookie(COOKIE, browser, COOKIE_SECONDS, path="/l/", secure=is_https, httponly=True, samesite="Lax")
    _count(opened, browser)
    return response


def _is_automatic() -> bool:
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    purpose += request.headers.get("X-Purpose", "") + request.headers.get("X-Moz", "")
    agent = request.headers.get("User-Agent", "")
    return request.method == "HEAD" or bool(purpose) or not agent or AUTOMATIC.search(agent) is not None


def _count(opened: Opened, browser: str) -> None:
    """One short transaction; whoever opens the link waits for it a moment only."""
    if not _room.acquire(blocking=False):
        log.warning("click.not_counted", link_id=opened.link_id)
        return
    wait([_counters.submit(_write, opened, browser)], PATIENCE)


def _write(opened: Opened, browser: str) -> None:
    try:
        with transaction() as session:
            campaign_clicks.count(session, opened, browser)
    except SQLAlchemyError as error:
        log.warning("click.not_counted", link_id=opened.link_id, error=type(error).__name__)
    finally:
        _room.release()

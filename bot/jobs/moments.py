"""What the clock does for Moments, and the looking at pages that posts link to."""

from io import BytesIO

import structlog

from bot import fetching
from bot.database import reading, transaction
from bot.errors import Refused
from bot.fault_points import fault_point
from bot.fetching import Network, Unfetchable
from bot.moments import link_cards, members, posts, scheduled, web_pages
from bot.moments.media import uploads
from models import Media, MediaKind

PAGE_BYTES, PICTURE_BYTES = 256 * 1024, 5 << 20
SECONDS = 8.0  # for one answer
NETWORK = Network()

log = structlog.get_logger()


def erase() -> None:
    """Members whose grace is over, and the words of what was deleted a day ago."""
    with transaction() as session:
        erased = members.erase_due(session)
    fault_point("K23 between erasure's tables")
    with transaction() as session:
        posts.erase_due(session)
    if erased:
        log.info("moments.erased", members=erased)


def publish() -> None:
    """Posts whose time has come, each in a transaction of its own; twice at once publishes once."""
    with reading() as session:
        due = scheduled.due(session)
    for scheduled_id in due:
        try:
            with transaction() as session:
                scheduled.publish(session, scheduled_id)
        except Exception:  # one that fails does not stop the others
            log.exception("moments.not_published", scheduled_id=scheduled_id)


def fetch_card(post_id: int) -> None:
    """Look at the page that a post links to, and keep what it says of itself."""
    with transaction() as session:
        wanted = link_cards.claim(session, post_id)
    if wanted is None:
        return
    try:
        found = fetching.fetch(wanted.url, most_bytes=PAGE_BYTES, seconds=SECONDS, network=NETWORK)
    except Unfetchable as error:
        with transaction() as session:
            link_cards.put_off(session, post_id, for_good=error.why in ("address", "redirects"))
        return
    page = web_pages.read(found.body, found.content_type, found.url) if found.status == 200 else None
    if page is None:
        with transaction() as session:
            link_cards.put_off(session, post_id, for_good=found.status < 500)
        return
    picture = _picture(wanted.owner_id, page.picture) if page.picture else None
    with transaction() as session:
        link_cards.keep(session, post_id, page, picture)


def _picture(owner_id: int, url: str) -> Media | None:
    """It goes through the decoder as a member's own would; None: there is none that we take."""
    try:
        found = fetching.fetch(url, most_bytes=PICTURE_BYTES, seconds=SECONDS, network=NETWORK)
        if found.status != 200 or not found.is_whole:
            return None
        if uploads.kind_of(found.body[: uploads.HEAD_BYTES]) is not MediaKind.PHOTO:
            return None
        return uploads.take(owner_id, BytesIO(found.body), an_hour=1000)
    except (Unfetchable, Refused):
        return None


JOBS = (fetch_card,)

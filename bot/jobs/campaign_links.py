"""Opens the links of a campaign, to see which of them lead nowhere."""

from concurrent.futures import ThreadPoolExecutor

from bot import fetching
from bot.database import reading, transaction
from bot.fetching import Network, Unfetchable
from bot.services import campaign_links
from bot.services.campaign_links import Link
from bot.services.tasks import Claimed

AT_ONCE = 10
SECONDS = 8.0  # for one; all of them take less than a lease
NETWORK = Network()


def look(claimed: Claimed) -> Claimed | None:
    """Look at all of them and note what they answer."""
    with reading() as session:
        urls = campaign_links.wanted(session, claimed)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(_open, urls))
    with transaction() as session:
        campaign_links.note(session, claimed, found)
    return None


def _open(url: str) -> Link:
    try:
        return Link(url, status=fetching.fetch(url, most_bytes=1024, seconds=SECONDS, network=NETWORK).status)
    except Unfetchable as error:
        return Link(url, why=error.why)

"""Who opens a campaign's links: one row for each visitor of a link, whoever knows them."""

import hmac
import re
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot import clock
from bot.services.campaign_contents import sign
from bot.settings import settings
from models import Click, Follower, TrackedLink

_BETWEEN = re.compile(r"[./]")
_CODE = re.compile(r"[0-9a-f]{1,16}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that somebody wants to see."""

    link_id: int
    campaign_id: int
    account_id: int
    url: str
    follower_id: int | None  # whose address it was, if the signature is ours


def find(session: Session, address: str) -> Opened | None:
    """What ``<code>`` or ``<code>.<follower id>.<signature>`` leads to; None: no code of ours.

    Anything else behind a good code is nobody's: a link must not fail because something was added to it on its way.
    """
    code, *whose = _BETWEEN.split(address)
    if not _CODE.fullmatch(code):
        return None
    link = session.scalars(select(TrackedLink).where(TrackedLink.code == code)).one_or_none()
    if link is None:
        return None
    follower_id = None
    if len(whose) >= 2 and _NUMBER.fullmatch(whose[0]):
        claimed = int(whose[0])
        follower_id = claimed if hmac.compare_digest(sign(code, claimed).encode(), whose[1].encode()) else None
    return Opened(link.id, link.campaign_id, link.account_id, link.url, follower_id)


def count(session: Session, opened: Opened, browser: str = "") -> None:
    """Count one opening: the follower's, else that of a browser, which is known by what its cookie holds."""
    follower_id = opened.follower_id
    if follower_id is not None:  # signed by us, but perhaps deleted since
        mine = select(Follower.id).where(Follower.id == follower_id, Follower.account_id == opened.account_id)
        follower_id = session.scalar(mine)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(Click).values(
        link_id=opened.link_id,
        follower_id=follower_id,
        visitor=f"f{follower_id}" if follower_id is not None else _digest(opened.campaign_id, browser),
        at=clock.now(),
        times=1,
    )
    session.execute(
        statement.on_conflict_do_update(index_elements=["link_id", "visitor"], set_={"times": Click.times + 1})
    )


def _digest(campaign_id: int, browser: str) -> str:
    """The same browser in one campaign; nobody can follow it from campaign to campaign in our tables."""
    key = settings().secret_key.get_secret_value().encode()[:64]
    return blake2b(f"{campaign_id}:{browser}".encode(), digest_size=12, key=key).hexdigest()

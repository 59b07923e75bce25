"""The card of a post's link: a title, some words and a picture, looked up once by a worker and kept with the post.

Whoever looks at the post asks nothing of the other server, which so learns nothing of them.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.moments.media import uploads
from bot.moments.web_pages import Page
from bot.queue import enqueue
from models import LinkCard, Media, Post, affected

JOB = "moments.fetch_card"
LEASE = timedelta(minutes=3)  # longer than a job may take
AGAIN = (timedelta(minutes=1), timedelta(minutes=15))  # after a failure; then the link stays a plain one


class Wanted(NamedTuple):
    url: str
    owner_id: int


def want(session: Session, post: Post) -> None:
    """Have it looked up once this is committed."""
    session.add(LinkCard(post_id=post.id, look_at=clock.now()))
    session.flush()
    enqueue(session, JOB, post.id)


def due(session: Session, now: datetime, most: int) -> list[int]:
    """Posts whose hint got lost, or that are to be tried again."""
    query = select(LinkCard.post_id).join(Post, Post.id == LinkCard.post_id)
    query = query.where(LinkCard.look_at <= now, Post.deleted_at.is_(None))
    return list(session.scalars(query.order_by(LinkCard.look_at).limit(most)))


def claim(session: Session, post_id: int) -> Wanted | None:
    """What to look up; None: somebody does or did, or nobody needs it any more."""
    now = clock.now()
    mine = update(LinkCard).where(LinkCard.post_id == post_id, LinkCard.look_at <= now)
    if not affected(session.execute(mine.values(look_at=now + LEASE, tries=LinkCard.tries + 1))):
        return None
    post = session.get(Post, post_id)
    return Wanted(post.link, post.author_id) if post is not None and post.deleted_at is None else None


def keep(session: Session, post_id: int, page: Page, picture: Media | None) -> None:
    """Keep what was found; a post that was deleted meanwhile gets nothing."""
    post = session.scalar(select(Post).where(Post.id == post_id, Post.deleted_at.is_(None)).with_for_update())
    card = session.get(LinkCard, post_id)
    if post is None or card is None:
        if picture is not None:
            uploads.erase(session, Media.id == picture.id)
        return
    if picture is not None:
        uploads.use_for_link(session, picture, post_id)
    card.title, card.text, card.media_id = page.title, page.text, picture.id if picture else None
    card.look_at = None
    session.flush()


def put_off(session: Session, post_id: int, *, for_good: bool) -> None:
    """It could not be had."""
    card = session.get(LinkCard, post_id, populate_existing=True)
    if card is not None:
        again = not for_good and card.tries <= len(AGAIN)
        card.look_at = clock.now() + AGAIN[card.tries - 1] if again else None
        session.flush()


def of(session: Session, post_ids: Collection[int]) -> dict[int, LinkCard]:
    """Those that say something.  Whose posts to ask for is decided by visibility."""
    if not post_ids:
        return {}
    query = select(LinkCard).where(LinkCard.post_id.in_(post_ids), LinkCard.title != "")
    return {card.post_id: card for card in session.scalars(query)}

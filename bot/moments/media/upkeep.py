"""What the clock does: throw away what nobody attached, what was erased, and what a dead process left."""

from datetime import timedelta

import structlog
from sqlalchemy import and_, delete, or_, select, update

from bot import clock
from bot.database import reading, transaction
from bot.moments.media import files
from bot.moments.media.limits import DRAFTS_KEPT, UNDO, UNFINISHED_KEPT
from models import Media, MediaState, MediaUse

EVERY = timedelta(minutes=5)
SLICES = 16  # of the folders: all have been looked at after 80 minutes
BATCH = 500
MANY = 20  # strays in a turn: a crash leaves one, another database leaves all

log = structlog.get_logger()


def tidy() -> None:
    """Bytes go between 10 and 15 minutes after they were erased; a dead upload's within an hour and a half."""
    _give_up()
    _remove_erased()
    _remove_strays(int(clock.timestamp() // EVERY.total_seconds()))


def _give_up() -> None:
    now = clock.now()
    dead = and_(Media.state == MediaState.TAKEN, Media.created_at < now - UNFINISHED_KEPT)
    forgotten = and_(Media.state == MediaState.READY, Media.use == MediaUse.DRAFT, Media.created_at < now - DRAFTS_KEPT)
    with transaction() as session:
        session.execute(update(Media).where(or_(dead, forgotten)).values(state=MediaState.ERASED, erased_at=now))


def _remove_erased() -> None:
    """The row goes after the bytes, and not while it counts for its owner's hour."""
    now, last = clock.now(), 0
    gone = or_(Media.state == MediaState.REFUSED, and_(Media.state == MediaState.ERASED, Media.erased_at < now - UNDO))
    while True:
        with reading() as session:
            due = select(Media.id, Media.key).where(gone, Media.id > last).order_by(Media.id).limit(BATCH)
            rows = session.execute(due).all()
        if not rows:
            return
        for row in rows:
            files.remove(row.key)
        last = rows[-1].id
        with transaction() as session:
            settled = delete(Media).where(Media.id.in_([row.id for row in rows]), gone)
            session.execute(settled.where(Media.created_at < now - UNFINISHED_KEPT))


def _remove_strays(turn: int, slices: int = SLICES) -> None:
    """Files without a row: it is written before them, so nobody is about to write it."""
    found, strays = sorted(files.keys(turn, slices)), []
    for start in range(0, len(found), BATCH):
        some = found[start : start + BATCH]
        with reading() as session:
            known = set(session.scalars(select(Media.key).where(Media.key.in_(some))))
        strays += [key for key in some if key not in known]
    if len(strays) > MANY and len(strays) > len(found) / 2:
        log.error("media.not_ours", strays=len(strays), files=len(found), advice="is this the right database?")
        return
    for key in strays:
        files.remove(key)
        log.warning("media.stray")

"""Takes an upload, and what becomes of it: a post's, an avatar, or nothing.

The row comes first (it counts for the hour's limit, and nobody may read it yet), then the files, then the row says that
they are there.  So a file without a row is always left over, and a row that is not ready never shows anything.
"""

import shutil
import threading
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import IO, Any, Protocol

import structlog
from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.database import transaction
from bot.errors import Conflict, NotFound, Refused
from bot.fault_points import fault_point
from bot.moments.media import files, sandbox
from bot.moments.media.limits import (
    MB,
    MEDIA_AN_HOUR,
    PHOTO_BYTES,
    PHOTOS_A_POST,
    UNDO,
    UNFINISHED_KEPT,
    USUAL,
    VIDEO_BYTES,
    Cost,
)
from bot.moments.media.refusals import SENTENCES, Untakable
from bot.moments.media.sandbox import TooBusy
from models import Media, MediaKind, MediaState, MediaUse, affected

HEAD_BYTES = 16
PHOTO, VIDEO = ("thumb", "feed", "full"), ("video",)
HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
FRAME_COST = Cost(memory=1024 * MB)  # ffmpeg's threads reserve more than they use

AT_ONCE = 4  # in one web process, whose 16 threads answer WeChat too

log = structlog.get_logger()
_gate = threading.BoundedSemaphore(AT_ONCE)


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class TooMany(Refused):
    status = 429


class Full(Refused):
    status = 507


def take(owner_id: int, stream: Readable, *, turns: int = 0, an_hour: int = MEDIA_AN_HOUR, cost: Cost = USUAL) -> Media:
    """Read an upload to its end and make of it what may be shown; what came is kept nowhere.

    It takes as long as the decoder does (a photo of 12 megapixels: some 0.6 s) and holds no transaction meanwhile.

    Args:
        turns: quarters clockwise by which a photo was turned in the composer.
        an_hour: how many the owner may upload in one; a new member fewer.

    Raises:
        Refused: not a photo or video that we take, too many, or nowhere to put it; nothing is left of it.
        TooBusy: others upload; a page tries again by itself.
    """
    if not _gate.acquire(blocking=False):
        raise TooBusy("Many people upload at this moment. Try again in a minute.")
    try:
        return _take(owner_id, stream, turns, an_hour, cost)
    finally:
        _gate.release()


def kind_of(head: bytes) -> MediaKind:
    """By what a file's first bytes are, whatever it is called.

    Raises:
        Refused: empty, HEIC, or nothing we know.
    """
    if not head:
        raise refused("empty")
    if head[:3] == b"\xff\xd8\xff" or head[:8] == b"\x89PNG\r\n\x1a\n" or head[:6] in (b"GIF87a", b"GIF89a"):
        return MediaKind.PHOTO
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return MediaKind.PHOTO
    if head[4:8] != b"ftyp" or head[8:12] in (b"avif", b"avis"):
        raise refused("type")
    if head[8:12] in HEIC:
        raise refused("heic")
    return MediaKind.VIDEO


def attach(session: Session, owner_id: int, post_id: int, media_ids: Sequence[int]) -> None:
    """Give a post these photos, in this order, or its one video; what it had beside them is erased.

    Raises:
        Refused: too many, or photos beside a video.
        Conflict: one is not there any more, another's, or another post's.
    """
    _attach(session, owner_id, media_ids, use=MediaUse.POST, post_id=post_id)


def _attach(session: Session, owner_id: int, media_ids: Sequence[int], **place: Any) -> None:
    there = [getattr(Media, name) == value for name, value in place.items()]
    erase(session, *there, Media.id.not_in(media_ids))
    had = {media.id: media for media in session.scalars(select(Media).where(*there, Media.state == MediaState.READY))}
    found = select(Media.kind).where(Media.id.in_(media_ids), Media.owner_id == owner_id)
    kinds = list(session.scalars(found))
    if len(media_ids) > PHOTOS_A_POST or (MediaKind.VIDEO in kinds and len(media_ids) > 1):
        raise Refused("A post takes up to 9 photos, or one video.", field="media")
    for position, media_id in enumerate(media_ids):
        if media_id in had:
            had[media_id].position = position
            continue
        _use(session, owner_id, media_id, position=position, **place)


def use_for_link(session: Session, media: Media, post_id: int) -> None:
    """Make it the picture of a post's link card."""
    _use(session, media.owner_id, media.id, use=MediaUse.LINK, post_id=post_id)


def keep_for(session: Session, owner_id: int, scheduled_id: int, media_ids: Sequence[int]) -> None:
    """As ``attach``, for a post that is not there yet."""
    _attach(session, owner_id, media_ids, use=MediaUse.SCHEDULED, scheduled_id=scheduled_id)


def move(session: Session, scheduled_id: int, post_id: int) -> None:
    """Give a post that is there now what was kept for it."""
    kept = update(Media).where(Media.scheduled_id == scheduled_id, Media.state == MediaState.READY)
    session.execute(kept.values(use=MediaUse.POST, post_id=post_id, scheduled_id=None))


def kept_for(session: Session, scheduled_ids: Collection[int]) -> dict[int, list[Media]]:
    """Scheduled post's id → its photos in their order, or its video."""
    found: dict[int, list[Media]] = {each: [] for each in scheduled_ids}
    query = select(Media).where(Media.scheduled_id.in_(found), Media.state == MediaState.READY)
    for media in session.scalars(query.order_by(Media.position)) if found else ():
        found[media.scheduled_id or 0].append(media)
    return found


def of(session: Session, post_ids: Collection[int]) -> dict[int, list[Media]]:
    """Post id → its photos in their order, or its video.  Whose posts to ask for is decided by visibility."""
    found: dict[int, list[Media]] = {post_id: [] for post_id in post_ids}
    for media in session.scalars(_of_posts(), {"posts": list(found)}) if found else ():
        found[media.post_id or 0].append(media)
    return found


def drafts(session: Session, owner_id: int, media_ids: Sequence[int]) -> list[Media]:
    """Those of one's uploads that no post shows yet, in this order."""
    mine = Media.owner_id == owner_id, Media.state == MediaState.READY, Media.use == MediaUse.DRAFT
    found = {media.id: media for media in session.scalars(select(Media).where(Media.id.in_(media_ids), *mine))}
    return [found[each] for each in media_ids if each in found]


def show(session: Session, owner_id: int, media_id: int, use: MediaUse) -> None:
    """Make a photo the owner's avatar or cover.

    Raises:
        Refused: it is a video.
        Conflict: it is not there any more, or another's.
    """
    if session.scalar(select(Media.kind).where(Media.id == media_id)) is MediaKind.VIDEO:
        raise Refused("Choose a photo, not a video.", field="media")
    _use(session, owner_id, media_id, use=use)


def describe(session: Session, owner_id: int, media_id: int, alt: str) -> Media:
    """Say what it shows, for those who do not see it."""
    media = _own(session, owner_id, media_id)
    media.alt = alt.strip()[:200]
    session.flush()
    return media


def discard(session: Session, owner_id: int, media_id: int) -> None:
    """
    Raises:
        NotFound: no such upload of theirs.
        Conflict: it is in use.
    """
    if _own(session, owner_id, media_id).use is not MediaUse.DRAFT:
        raise Conflict("It is in use. Take it out of the post, or choose another avatar or cover.")
    erase(session, Media.id == media_id, Media.use == MediaUse.DRAFT)


def erase(session: Session, *which: ColumnElement[bool]) -> None:
    """Nobody reads them once this is committed; their bytes go within the hour (``upkeep``)."""
    values = {"state": MediaState.ERASED, "erased_at": clock.now()}
    there = (MediaState.READY, MediaState.TAKEN)
    session.execute(update(Media).where(*which, Media.state.in_(there)).values(values))


def bring_back(session: Session, *which: ColumnElement[bool]) -> int:
    """Undo ``erase`` within five minutes; how many came back."""
    since = clock.now() - UNDO / 2
    erased = update(Media).where(*which, Media.state == MediaState.ERASED, Media.erased_at >= since, Media.width > 0)
    return affected(session.execute(erased.values(state=MediaState.READY, erased_at=None)))


def _take(owner_id: int, stream: Readable, turns: int, an_hour: int, cost: Cost) -> Media:
    head = _head(stream)
    kind = kind_of(head)
    if files.is_full():
        raise Full("The server has no room for photos at the moment. Tell its operator; your text can be posted.")
    media = _begin(owner_id, kind, an_hour)
    try:
        with files.nameless() as source:
            _receive(head, stream, source, kind)
            said = _take_apart(media, source, cost, turns)
    except Untakable as refusal:
        _drop(media)
        raise refused(refusal.code) from None
    except BaseException:
        _drop(media)
        raise
    fault_point("K21 after file write before row")
    with transaction() as session:
        done = update(Media).where(Media.id == media.id, Media.state == MediaState.TAKEN)
        values = {**said, "state": MediaState.READY, "size_bytes": files.size(media.key)}
        if not affected(session.execute(done.values(values))):
            files.remove(media.key)
            raise Conflict("This took too long. Upload it again.")
        return session.get_one(Media, media.id, populate_existing=True)


def _begin(owner_id: int, kind: MediaKind, an_hour: int) -> Media:
    with transaction() as session:
        if session.get_bind().dialect.name == "postgresql":  # one at a time counts, as on SQLite
            session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("media", owner_id))))
        if _of_last_hour(session, owner_id, clock.now()) >= an_hour:
            raise TooMany("You have uploaded as much as an hour allows. Try again later.")
        media = Media(owner_id=owner_id, key=files.new_key(), kind=kind)
        session.add(media)
    return media


def _of_last_hour(session: Session, owner_id: int, now: datetime) -> int:
    mine = select(func.count()).where(Media.owner_id == owner_id, Media.created_at > now - UNFINISHED_KEPT)
    return session.scalar(mine) or 0


def _head(stream: Readable) -> bytes:
    """The first bytes; a network gives them one by one if it likes."""
    head = b""
    while len(head) < HEAD_BYTES and (more := stream.read(HEAD_BYTES - len(head))):
        head += more
    return head


def _receive(head: bytes, stream: Readable, source: IO[bytes], kind: MediaKind) -> None:
    limit = PHOTO_BYTES if kind is MediaKind.PHOTO else VIDEO_BYTES
    source.write(head)
    while chunk := stream.read(1 << 20):
        source.write(chunk)
        if source.tell() > limit:
            raise Untakable(f"{kind.value}_bytes")
    source.flush()


def _take_apart(media: Media, source: IO[bytes], cost: Cost, turns: int) -> dict[str, object]:
    """The row's values, once the files are in their places."""
    if media.kind is MediaKind.PHOTO:
        with files.written(media.key, PHOTO) as outputs:
            said = sandbox.take_apart("photo", source.fileno(), outputs, cost, turns)
        return said.model_dump(exclude={"refused", "duration_ms"})
    with files.written(media.key, VIDEO) as outputs:
        said = sandbox.take_apart("video", source.fileno(), outputs, cost)
        return said.model_dump(exclude={"refused", "blurhash"}) | _poster(media.key, outputs[0], cost)


def _poster(key: str, video: int, cost: Cost) -> dict[str, object]:
    """A video's first frame as a photo, where there is an ffmpeg; otherwise the page shows a plain tile."""
    if shutil.which("ffmpeg") is None:
        return {}
    try:
        with files.nameless() as frame, files.written(key, PHOTO) as outputs:
            sandbox.run("frame", video, [frame.fileno()], FRAME_COST)
            said = sandbox.take_apart("photo", frame.fileno(), outputs, cost)
    except Untakable as refusal:
        log.warning("poster.none", code=refusal.code)
        return {}
    return {"has_poster": True, "blurhash": said.blurhash}


def _use(session: Session, owner_id: int, media_id: int, **values: object) -> None:
    mine = update(Media).where(
        Media.id == media_id,
        Media.owner_id == owner_id,
        Media.state == MediaState.READY,
        Media.use == MediaUse.DRAFT,
    )
    if not affected(session.execute(mine.values(values))):
        raise Conflict("One of the photos is not there any more. Upload it again.", field="media")


def _own(session: Session, owner_id: int, media_id: int) -> Media:
    mine = select(Media).where(Media.id == media_id, Media.owner_id == owner_id, Media.state == MediaState.READY)
    media = session.scalar(mine)
    if media is None:
        raise NotFound("There is no such photo.")
    return media


@cache
def _of_posts() -> Select[Media]:
    ids = bindparam("posts", expanding=True, type_=BigInteger)
    query = select(Media).where(Media.post_id.in_(ids), Media.use == MediaUse.POST, Media.state == MediaState.READY)
    return query.order_by(Media.post_id, Media.position)


def _drop(media: Media) -> None:
    files.remove(media.key)
    with transaction() as session:
        mine = update(Media).where(Media.id == media.id, Media.state == MediaState.TAKEN)
        session.execute(mine.values(state=MediaState.REFUSED))


def refused(code: str) -> Refused:
    return Refused(SENTENCES.get(code, SENTENCES["broken"]), field="file")

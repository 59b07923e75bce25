"""Photos and videos of Moments: what was uploaded, by whom, and what became of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class MediaKind(StrEnum):
    PHOTO = "photo"
    VIDEO = "video"


class MediaState(StrEnum):
    TAKEN = "taken"  # it arrived; a decoder takes it apart
    READY = "ready"
    REFUSED = "refused"  # it counts for the hour's limit
    ERASED = "erased"  # nobody reads it any more; its bytes go soon


class MediaUse(StrEnum):
    DRAFT = "draft"  # for nothing yet
    POST = "post"
    SCHEDULED = "scheduled"  # a post's that is not there yet
    LINK = "link"  # the picture of a post's link card
    AVATAR = "avatar"
    COVER = "cover"


_WAITS = text("scheduled_id IS NOT NULL")
_UNSETTLED = text("state != 'ready' OR use = 'draft'")


class Media(Base):
    """One upload.  No foreign keys: a row must outlive its owner and its post until its bytes are gone."""

    __tablename__ = "media"
    __table_args__ = (
        Index(None, "owner_id", "created_at"),
        Index(None, "post_id"),
        Index(None, "scheduled_id", sqlite_where=_WAITS, postgresql_where=_WAITS),
        # Only what is not settled is swept.
        Index("ix_media_unsettled", "created_at", sqlite_where=_UNSETTLED, postgresql_where=_UNSETTLED),
    )

    key: Mapped[str] = mapped_column(String(32), unique=True)  # random; names its files
    owner_id: Mapped[int]
    use: Mapped[MediaUse] = mapped_column(default=MediaUse.DRAFT)
    post_id: Mapped[int | None]
    scheduled_id: Mapped[int | None]
    position: Mapped[int] = mapped_column(default=0)  # in its post
    alt: Mapped[str] = mapped_column(String(200), default="")  # what it shows, in the owner's words
    kind: Mapped[MediaKind]
    state: Mapped[MediaState] = mapped_column(default=MediaState.TAKEN)
    width: Mapped[int] = mapped_column(default=0)  # px of the full view, upright: known before it is loaded
    height: Mapped[int] = mapped_column(default=0)
    duration_ms: Mapped[int | None]
    blurhash: Mapped[str] = mapped_column(String(32), default="")  # "": a plain tile
    has_poster: Mapped[bool] = mapped_column(default=False)  # a video's thumb and feed: there was an ffmpeg
    size_bytes: Mapped[int] = mapped_column(default=0)  # of all its files
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    erased_at: Mapped[datetime | None]

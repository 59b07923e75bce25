"""What WeChat must still hear of our tags and blocklist, and tags that are given by themselves."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now
from models.rules import MatchMode, Trigger


class PushAction(StrEnum):
    SAVE = "save"  # make WeChat's tag, or give it the name that ours has now
    DELETE = "delete"
    TAG = "tag"
    UNTAG = "untag"
    BLOCK = "block"
    UNBLOCK = "unblock"


class TagPush(Base):
    """One thing to tell WeChat: of a tag, of a follower's tag, or of a follower's place on the blocklist.

    There is one row for each such thing, written with the fact itself; a change of mind changes the row.  Told, it is
    kept for a while, so that what WeChat was asked before that does not undo the fact (services.tag_pushes).
    """

    __tablename__ = "tag_pushes"
    __table_args__ = (
        UniqueConstraint("tag_id", "follower_id"),
        Index(
            "uq_tag_pushes_tag_id_itself",
            "tag_id",
            unique=True,
            sqlite_where=text("follower_id IS NULL"),
            postgresql_where=text("follower_id IS NULL"),
        ),
        Index(
            "uq_tag_pushes_follower_id_blocked",
            "follower_id",
            unique=True,
            sqlite_where=text("tag_id IS NULL"),
            postgresql_where=text("tag_id IS NULL"),
        ),
        Index(None, "account_id", "done_at"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    tag_id: Mapped[int | None] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"))
    follower_id: Mapped[int | None] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"), index=True)
    action: Mapped[PushAction]
    version: Mapped[int] = mapped_column(default=1)  # of the wish: who told an older one has not told this
    is_sent: Mapped[bool] = mapped_column(default=False)  # a call may have gone out, so WeChat's state is not known
    is_alone: Mapped[bool] = mapped_column(default=False)  # refused together with others: ask for it by itself
    wechat_id: Mapped[int | None]  # of a tag that is deleted here already
    name: Mapped[str] = mapped_column(String(30), default="")  # of a tag, as WeChat was or will be told
    error: Mapped[str] = mapped_column(Text, default="")  # why WeChat refuses it; not tried again by itself
    at: Mapped[datetime] = mapped_column(default=utc_now)
    done_at: Mapped[datetime | None]


class AutoTag(Base):
    """When a follower does this, they get this tag, whoever answers."""

    __tablename__ = "auto_tags"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    trigger: Mapped[Trigger]  # all but "default"
    mode: Mapped[MatchMode] = mapped_column(default=MatchMode.CONTAINS)
    pattern: Mapped[str] = mapped_column(Text, default="")  # words of a text, a menu key, a scene; follow: none
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), index=True)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

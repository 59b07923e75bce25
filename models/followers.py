"""Followers, their tags, and how many messages each may still be sent."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, utc_now


class Follower(Base):
    """Someone who follows, or once wrote to, one account."""

    __tablename__ = "followers"
    __table_args__ = (
        UniqueConstraint("account_id", "openid"),
        Index(None, "account_id", "id"),
        Index(None, "account_id", "is_subscribed", "id"),
        Index(None, "stage_id", "account_id", "id"),
        Index(None, "account_id", "subscribed_at"),  # who came, and who left, since midnight
        Index(None, "account_id", "unsubscribed_at"),
        Index(None, "owner_id", "account_id", "id"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    openid: Mapped[str] = mapped_column(String(64))
    nickname: Mapped[str] = mapped_column(String(64), default="")  # WeChat tells none since 2021: ours, or from OAuth
    remark: Mapped[str] = mapped_column(String(64), default="")
    unionid: Mapped[str] = mapped_column(String(64), default="")
    language: Mapped[str] = mapped_column(String(16), default="")
    source: Mapped[str] = mapped_column(String(64), default="")  # WeChat's subscribe_scene, or the QR code's scene
    is_subscribed: Mapped[bool] = mapped_column(default=True)
    subscribed_at: Mapped[datetime | None]
    unsubscribed_at: Mapped[datetime | None]
    silent_until: Mapped[datetime | None]  # a person answers this follower: no bot before then
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)  # last push
    synced_at: Mapped[datetime | None]
    wrote_at: Mapped[datetime | None]  # last message of their own; taps, scans and follows are not
    blocked_at: Mapped[datetime | None]  # on WeChat's blocklist: nothing comes from them, nothing goes to them
    opted_out_at: Mapped[datetime | None]  # asked for no campaigns any more; answers still come
    timezone: Mapped[str] = mapped_column(String(64), default="")  # "": the account's
    stage_id: Mapped[int | None] = mapped_column(ForeignKey("stages.id", ondelete="SET NULL"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="SET NULL"))

    tags: Mapped[list["Tag"]] = relationship(secondary="follower_tags", order_by="Tag.id")

    @property
    def name(self) -> str:
        """What operators see."""
        return self.remark or self.nickname or f"…{self.openid[-6:]}"


class Tag(Base):
    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(30))
    wechat_id: Mapped[int | None]  # None: known to us only


class FollowerTag(Base):
    __tablename__ = "follower_tags"
    __table_args__ = (UniqueConstraint("follower_id", "tag_id"), Index(None, "tag_id", "follower_id"))

    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"))


class ReplyWindow(Base):
    """Customer-service messages a follower may still be sent, per trigger (wechat-protocol 5.2)."""

    __tablename__ = "reply_windows"
    __table_args__ = (UniqueConstraint("follower_id", "trigger"),)

    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    trigger: Mapped[str] = mapped_column(String(8))  # message, tap, follow, scan
    left: Mapped[int]
    expires_at: Mapped[datetime]

"""Moments: the people of the personal side, and how they stand to each other.

Times that a rule of visibility compares are stamps: ids and times in one (bot.moments.stamps), so that "before" has one
meaning.  Nobody outside bot.moments asks these tables anything, but for the health page: how late erasing is.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, PrimaryKeyConstraint, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now

_PENDING = text("state = 'pending'")


class MemberStatus(StrEnum):
    ACTIVE = "active"
    OFF = "off"  # their own choice, and they may come back
    SUSPENDED = "suspended"  # an operator's
    GONE = "gone"  # deleted; erased when the grace is over


class RequestSource(StrEnum):
    HANDLE = "handle"
    CODE = "code"  # the asker had the other's code before them


class RequestState(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Member(Base):
    """A person in Moments."""

    __tablename__ = "members"
    __table_args__ = (Index("uq_members_code", "code", unique=True),)

    handle: Mapped[str] = mapped_column(String(32), unique=True)  # what friends type to find them; lower case
    name: Mapped[str] = mapped_column(String(32))
    about: Mapped[str] = mapped_column(String(200), default="")
    password_hash: Mapped[str] = mapped_column(String(255), default="")
    status: Mapped[MemberStatus] = mapped_column(default=MemberStatus.ACTIVE)
    suspended_at: Mapped[datetime | None]  # by an operator; stays while they are off or gone, too
    window_days: Mapped[int | None]  # friends see so many days back; None: everything
    newonly: Mapped[bool] = mapped_column(default=False)  # later friends see only later posts
    code: Mapped[str | None] = mapped_column(String(24))  # who has it finds them; None: never made
    takes_requests: Mapped[bool] = mapped_column(default=True)
    lets_reshare: Mapped[bool] = mapped_column(default=True)  # what a new post for all friends begins with
    stamp: Mapped[int] = mapped_column(default=0)  # of the last thing that changed who sees what of theirs
    follower_id: Mapped[int | None] = mapped_column(ForeignKey("followers.id", ondelete="SET NULL"))
    erase_at: Mapped[datetime | None]
    avatar_id: Mapped[int | None]  # of media; who reads it is asked each time
    cover_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class MemberSignIn(Base):
    """One signed-in browser; the cookie's value is kept as a hash only."""

    __tablename__ = "member_sign_ins"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    device: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]


class MemberToken(Base):
    """A member's program; its key is shown once and kept as a hash."""

    __tablename__ = "member_tokens"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(64), default="")
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class WechatLink(Base):
    """Who a member is in WeChat, as one account knows them; bot.moments.wechat_links says who may know of it."""

    __tablename__ = "wechat_links"
    __table_args__ = (UniqueConstraint("account_id", "openid"), UniqueConstraint("member_id", "account_id"))

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    openid: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class FriendRequest(Base):
    __tablename__ = "friend_requests"
    __table_args__ = (
        Index("uq_friend_requests_pending", "from_id", "to_id", unique=True,
              sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index(None, "to_id", "state"),
    )  # fmt: skip

    from_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    to_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    message: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[RequestSource] = mapped_column(default=RequestSource.HANDLE)
    state: Mapped[RequestState] = mapped_column(default=RequestState.PENDING)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    decided_at: Mapped[datetime | None]


class Edge(Base):
    """How one member stands to another.  Two rows a pair; what the other has set is mirrored, so that a reader's own
    rows say all: one range of an index.  The owner's row is the authority."""

    __tablename__ = "edges"
    # PostgreSQL's index says all that a reader's look at their friends asks: their rows lie scattered over the table.
    __table_args__ = (
        PrimaryKeyConstraint(
            "owner_id", "other_id", postgresql_include=["since", "mutes", "blocks", "hidden_by", "blocked_by"]
        ),
    )

    id = None  # type: ignore[assignment]  # the pair is the key
    owner_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, index=True)
    since: Mapped[int | None]  # stamp at which the friendship was last formed; None: not friends
    hides: Mapped[bool] = mapped_column(default=False)  # the owner does not let the other see
    mutes: Mapped[bool] = mapped_column(default=False)  # the owner does not want to see in the feed
    blocks: Mapped[bool] = mapped_column(default=False)
    hidden_by: Mapped[bool] = mapped_column(default=False)
    blocked_by: Mapped[bool] = mapped_column(default=False)
    remark: Mapped[str] = mapped_column(String(32), default="")  # the owner's own name for the other


class FriendGroup(Base):
    """An owner's private label for some friends.  A deleted one keeps its rows: a denied group stays denied."""

    __tablename__ = "friend_groups"

    owner_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(32))
    is_deleted: Mapped[bool] = mapped_column(default=False)


class GroupMember(Base):
    """One stay of a friend in a group, from stamp to stamp: closed, never erased."""

    __tablename__ = "friend_group_members"
    __table_args__ = (
        UniqueConstraint("group_id", "member_id", "added"),
        Index("uq_friend_group_members_open", "group_id", "member_id", unique=True,
              sqlite_where=text("removed IS NULL"), postgresql_where=text("removed IS NULL")),
    )  # fmt: skip

    group_id: Mapped[int] = mapped_column(ForeignKey("friend_groups.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    added: Mapped[int]
    removed: Mapped[int | None]

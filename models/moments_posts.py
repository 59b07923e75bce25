"""Moments: what members write, and who may see it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now

_WANTED = text("look_at IS NOT NULL")
_TO_ERASE = text("deleted_at IS NOT NULL AND NOT is_erased")
_TO_EMPTY = text("deleted_at IS NOT NULL AND body != ''")


class PostMode(StrEnum):
    FRIENDS = "friends"
    PRIVATE = "private"
    ALLOW = "allow"  # those named, less those named in the other list
    DENY = "deny"  # all friends but those named


class ListKind(StrEnum):
    ALLOW_MEMBER = "allow_member"
    ALLOW_GROUP = "allow_group"
    DENY_MEMBER = "deny_member"
    DENY_GROUP = "deny_group"


class ReportReason(StrEnum):
    SPAM = "spam"
    FRAUD = "fraud"
    INSULT = "insult"  # of a person or of a kind of people
    SEXUAL = "sexual"
    VIOLENCE = "violence"
    PRIVACY = "privacy"  # somebody's private things, shown without their leave
    OTHER = "other"


class Post(Base):
    """The id is also the time of posting (a stamp)."""

    __tablename__ = "posts"
    __table_args__ = (
        Index("ix_posts_album", "author_id", "id"),
        Index(None, "root_id"),
        Index(None, "deleted_at", sqlite_where=_TO_ERASE, postgresql_where=_TO_ERASE),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    author_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    mode: Mapped[PostMode] = mapped_column(default=PostMode.FRIENDS)
    aud_at: Mapped[int]  # stamp of the last word on the audience
    body: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(String(100), default="")
    link: Mapped[str] = mapped_column(String(500), default="")
    root_id: Mapped[int | None]  # of a reshare; a pointer, no key: the root may be erased
    reshare_ok: Mapped[bool] = mapped_column(default=True)
    comments_open: Mapped[bool] = mapped_column(default=True)
    is_held: Mapped[bool] = mapped_column(default=False)  # by a moderator, for the reason that follows
    hold_reason: Mapped[ReportReason | None]
    hold_words: Mapped[str] = mapped_column(String(200), default="")
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    is_erased: Mapped[bool] = mapped_column(default=False)  # a day after: words, place and link are gone, the row stays


class ScheduledPost(Base):
    """A draft with a time: no post before that, so nothing shows it but its author's list."""

    __tablename__ = "scheduled_posts"

    author_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    body: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(String(100), default="")
    link: Mapped[str] = mapped_column(String(500), default="")
    mode: Mapped[PostMode]
    names: Mapped[list[str]] = mapped_column(default=list)  # "allow_group 7"
    mentions: Mapped[list[str]] = mapped_column(default=list)  # ids of members
    reshare_ok: Mapped[bool | None]  # None: as the author's setting says


class LinkCard(Base):
    """What the page that a post links to says of itself."""

    __tablename__ = "link_cards"
    __table_args__ = (Index(None, "look_at", sqlite_where=_WANTED, postgresql_where=_WANTED),)

    id = None  # type: ignore[assignment]  # the post is the key
    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    title: Mapped[str] = mapped_column(String(200), default="")  # "": nothing is known, the link is a plain one
    text: Mapped[str] = mapped_column(String(300), default="")
    media_id: Mapped[int | None]
    tries: Mapped[int] = mapped_column(default=0)
    look_at: Mapped[datetime | None]  # None: no (more)


class PostEdit(Base):
    """What a post said before; for its author."""

    __tablename__ = "post_edits"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=utc_now)


class Audience(Base):
    """Whom a post for some names: a member or a group of the author's."""

    __tablename__ = "post_audience"
    id = None  # type: ignore[assignment]  # the three are the key
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[ListKind] = mapped_column(primary_key=True)
    target_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class AudienceChange(Base):
    """An audience that a post had until the author changed it; for its author."""

    __tablename__ = "post_audience_changes"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    mode: Mapped[PostMode]
    names: Mapped[list[str]] = mapped_column(default=list)  # "allow_group 7"
    since: Mapped[int]  # stamps
    until: Mapped[int]


class Like(Base):
    __tablename__ = "likes"
    id = None  # type: ignore[assignment]  # the pair is the key
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, index=True)
    at: Mapped[int]  # stamp


class Comment(Base):
    """The id is a stamp, larger than that of the comment it answers."""

    __tablename__ = "comments"
    __table_args__ = (
        Index(None, "post_id", "id"),
        Index(None, "member_id", "id"),
        Index(None, "deleted_at", sqlite_where=_TO_EMPTY, postgresql_where=_TO_EMPTY),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    reply_to: Mapped[int | None]
    body: Mapped[str] = mapped_column(Text)
    deleted_at: Mapped[datetime | None]
    removed_by_author: Mapped[bool] = mapped_column(default=False)
    hold_reason: Mapped[ReportReason | None]  # a moderator's: held, and only its writer sees it; None: not held
    hold_words: Mapped[str] = mapped_column(String(200), default="")


class NoticeKind(StrEnum):
    LIKE = "like"
    COMMENT = "comment"  # on one's post, or an answer to one's comment
    MENTION = "mention"
    RESHARE = "reshare"
    WIDENED = "widened"  # more people see a post that one has commented on
    REQUEST = "request"
    ACCEPTED = "accepted"
    ALSO_LIKE = "also_like"  # of others, on a post that one has liked or commented on
    ALSO_COMMENT = "also_comment"


class Notice(Base):
    """A pointer to something that happened; shown only while the thing itself is visible."""

    __tablename__ = "notices"
    __table_args__ = (Index(None, "member_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # a stamp
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    kind: Mapped[NoticeKind]
    actor_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"), index=True)
    read_at: Mapped[datetime | None]


class NoticeChoice(Base):
    """A member's own word on one kind of notice; without a row it is as the kind begins."""

    __tablename__ = "notice_choices"
    id = None  # type: ignore[assignment]  # the pair is the key
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[NoticeKind] = mapped_column(primary_key=True)
    is_on: Mapped[bool]


class MutedPost(Base):
    """A post about which a member wants no notices."""

    __tablename__ = "muted_posts"
    id = None  # type: ignore[assignment]  # the pair is the key
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, index=True)

"""Campaigns, and the send ledger: one row for each follower a campaign is meant for, whatever became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Channel(StrEnum):
    """How WeChat carries it."""

    MASS = "mass"  # to a list of at most 10,000 a call, to a tag, or to all
    TEMPLATE = "template"
    NOTICE = "notice"  # a subscription notice: each consent is good for one
    SERVICE = "service"  # a customer-service message, to those whose window is open


class Reach(StrEnum):
    """Whom a mass message names."""

    LIST = "list"  # openids: exclusions, opt-outs and experiments hold
    TAG = "tag"  # WeChat sends to whoever carries it
    ALL = "all"


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    PREPARING = "preparing"  # launched: its audience is being frozen
    WAITING = "waiting"  # frozen, for a second person to approve it
    SCHEDULED = "scheduled"  # frozen; may be undone until it starts
    MISSED = "missed"  # its start passed while nothing ran: a person decides
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class BatchStatus(StrEnum):
    READY = "ready"
    SENDING = "sending"  # the intent is committed; of a mass message WeChat may already have it
    ACCEPTED = "accepted"  # WeChat took it on, and will say how it ended
    DONE = "done"
    UNKNOWN = "unknown"  # no answer to a call that may be repeated with the same client id
    REVIEW = "review"  # a person must look
    FAILED = "failed"
    CANCELLED = "cancelled"


class DeliveryStatus(StrEnum):
    EXCLUDED = "excluded"  # never sent to; ``reason`` says why
    PENDING = "pending"
    SENDING = "sending"  # the intent is committed
    SENT = "sent"  # WeChat took it; of a mass message: in the call of this batch
    FAILED = "failed"  # certainly not delivered
    UNKNOWN = "unknown"  # no answer: never sent again by itself
    CANCELLED = "cancelled"


class Campaign(Base):
    """What a marketer plans, and how its one sending stands."""

    __tablename__ = "campaigns"
    __table_args__ = (Index(None, "account_id", "status", "starts_at"), Index(None, "status", "starts_at"))

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(64))  # operators see it, followers do not

    # The plan
    channel: Mapped[Channel]
    reach: Mapped[Reach] = mapped_column(default=Reach.LIST)
    variants: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # name, weight, content; one: no experiment
    held_out: Mapped[int] = mapped_column(default=0)  # per cent of the audience that get nothing, to compare with
    to_everyone: Mapped[bool] = mapped_column(default=False)  # who follows; otherwise a segment is needed
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("segments.id", ondelete="SET NULL"), index=True)
    excluded_ids: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"segments": [ids]}
    tag_id: Mapped[int | None] = mapped_column(ForeignKey("tags.id", ondelete="SET NULL"), index=True)
    starts: Mapped[str] = mapped_column(String(16), default="")  # 2026-11-25T09:00 on the wall; "": once launched
    in_own_zone: Mapped[bool] = mapped_column(default=False)  # that time in each follower's zone, not the account's
    quiet_from: Mapped[str] = mapped_column(String(5), default="")  # 22:00 on the follower's wall; "": no quiet hours
    quiet_until: Mapped[str] = mapped_column(String(5), default="")
    missed_minutes: Mapped[int] = mapped_column(default=60)  # later than that it asks instead of starting
    pace: Mapped[int | None]  # messages a second, of all workers together; None: as fast as WeChat allows
    ignores_cap: Mapped[bool] = mapped_column(default=False)  # of the account's messages per days
    goal: Mapped[dict[str, Any]] = mapped_column(default=dict)  # kind, of, days: what counts as a conversion
    version: Mapped[int] = mapped_column(default=1)  # of the plan: who saves must have seen the last one

    # How it stands
    status: Mapped[CampaignStatus] = mapped_column(default=CampaignStatus.DRAFT)
    why: Mapped[str] = mapped_column(String(24), default="")  # it is paused or parked: "breaker", "quota", "person" …
    errcode: Mapped[int | None]  # WeChat's, where that is why
    fence: Mapped[int] = mapped_column(default=0)  # of preparing, as for a batch
    leased_until: Mapped[datetime | None]
    audience: Mapped[int | None]  # how many rows its ledger has, or will have; None: not known yet
    excluded: Mapped[dict[str, Any]] = mapped_column(default=dict)  # reason → how many got nothing from the launch on
    starts_at: Mapped[datetime | None]  # the earliest batch; of a launch, after the time to undo it
    parked_until: Mapped[datetime | None]  # WeChat's quota is used up until then
    next_at: Mapped[datetime | None]  # when the pace lets the next message go
    judged: Mapped[int] = mapped_column(default=0)  # outcomes that the breaker looks at, and the failures among them
    judged_failed: Mapped[int] = mapped_column(default=0)
    salt: Mapped[str] = mapped_column(String(32), default="")  # of the assignment to variants
    approved_hash: Mapped[str] = mapped_column(String(64), default="")  # of what was approved: a change voids it
    approved_by: Mapped[str] = mapped_column(String(64), default="")
    who: Mapped[str] = mapped_column(String(64), default="")  # wrote it last: an operator's name, or a token's
    launched_by: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    launched_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Batch(Base):
    """Some deliveries that go together: one call of a mass message, or the next thousand of another channel."""

    __tablename__ = "batches"
    __table_args__ = (
        UniqueConstraint("campaign_id", "number"),
        UniqueConstraint("account_id", "msg_id"),  # 45065 may name somebody else's job
        Index(None, "status", "due_at"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    number: Mapped[int]  # from 1 within the campaign
    variant: Mapped[int] = mapped_column(SmallInteger, default=0)
    zone: Mapped[str] = mapped_column(String(64))  # whose wall clock its quiet hours are read on
    size: Mapped[int]
    status: Mapped[BatchStatus] = mapped_column(default=BatchStatus.READY)
    due_at: Mapped[datetime]  # ready and unknown: not before
    client_id: Mapped[str] = mapped_column(String(32), unique=True)
    fence: Mapped[int] = mapped_column(default=0)  # each claim adds one; an older claim may not report
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    first_tried_at: Mapped[datetime | None]  # from then on the list is frozen with its client id
    draft_id: Mapped[str] = mapped_column(String(128), default="")  # of an article: good for this one message
    msg_id: Mapped[int | None]
    msg_data_id: Mapped[int | None]
    sent: Mapped[int] = mapped_column(default=0)  # these count deliveries that reached a final state
    failed: Mapped[int] = mapped_column(default=0)
    unknown: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)  # excluded or cancelled since the launch
    ended: Mapped[dict[str, Any] | None]  # what WeChat said at the end: status, total, filtered, sent, error
    checks: Mapped[int] = mapped_column(default=0)  # how often we asked WeChat, as no word came
    check_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    errcode: Mapped[int | None]
    error: Mapped[str] = mapped_column(Text, default="")

    @property
    def left(self) -> int:
        return self.size - self.sent - self.failed - self.unknown - self.skipped


class Delivery(Base):
    """One campaign and one follower; the key itself says that nobody is in it twice."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_campaign_id_batch", "campaign_id", "batch"),
        {"sqlite_with_rowid": False},  # the key is the table: a million rows are written once, not twice
    )

    id = None  # type: ignore[assignment]  # of all tables the only one with another key
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"), primary_key=True)
    batch: Mapped[int] = mapped_column(default=0)  # its number; 0: excluded at the launch
    variant: Mapped[int] = mapped_column(SmallInteger, default=0)
    status: Mapped[DeliveryStatus]
    reason: Mapped[str] = mapped_column(String(16), default="")  # why excluded: "opted_out", "blocked", "capped" …
    at: Mapped[datetime | None]  # sending: the intent; otherwise when this state was reached
    errcode: Mapped[int | None]
    msg_id: Mapped[int | None]  # a template message's


class TrackedLink(Base):
    """An address in a campaign's content, counted when it is opened: /l/<code>."""

    __tablename__ = "tracked_links"
    __table_args__ = (UniqueConstraint("campaign_id", "variant", "number"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    variant: Mapped[int] = mapped_column(SmallInteger, default=0)
    number: Mapped[int] = mapped_column(SmallInteger)  # the first, second … of the content
    code: Mapped[str] = mapped_column(String(16), unique=True)
    url: Mapped[str] = mapped_column(String(1024))


class Click(Base):
    """Somebody opened a tracked link."""

    __tablename__ = "clicks"
    __table_args__ = (UniqueConstraint("link_id", "visitor"), Index(None, "link_id", "at"))

    link_id: Mapped[int] = mapped_column(ForeignKey("tracked_links.id", ondelete="CASCADE"))
    follower_id: Mapped[int | None] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"), index=True)
    visitor: Mapped[str] = mapped_column(String(32))  # a follower's number, or a browser's digest: one row for each
    at: Mapped[datetime] = mapped_column(default=utc_now)  # the first time
    times: Mapped[int] = mapped_column(default=1)

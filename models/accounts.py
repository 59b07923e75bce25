"""Official accounts, and who may work on them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, utc_now


class AccountKind(StrEnum):
    SUBSCRIPTION = "subscription"
    SERVICE = "service"


class CallbackMode(StrEnum):
    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SAFE = "safe"


class Role(StrEnum):
    """What a person may do; services.access says what that is."""

    OWNER = "owner"
    EDITOR = "editor"
    MARKETER = "marketer"
    AGENT = "agent"
    ANALYST = "analyst"


class Desk(StrEnum):
    """Where a follower who asks for a person is sent."""

    LOBBY = "lobby"
    WECHAT = "wechat"  # WeChat's own service desk (transfer_customer_service)
    WECHAT_AI = "wechat_ai"  # WeChat's own AI reply (transfer_biz_ai_ivr)


class Assigning(StrEnum):
    """How the inbox gives a new conversation to somebody."""

    BY_HAND = "by_hand"
    ROUND_ROBIN = "round_robin"
    LEAST_LOADED = "least_loaded"


class Account(Base):
    """One official account.  Sealed columns hold ciphertext only (services.vault)."""

    __tablename__ = "accounts"

    slug: Mapped[str] = mapped_column(String(32), unique=True)  # in /wechat/<slug>; never changes
    title: Mapped[str] = mapped_column(String(64))
    appid: Mapped[str] = mapped_column(String(32), default="")
    original_id: Mapped[str] = mapped_column(String(32), default="")  # gh_…: ToUserName of every push
    kind: Mapped[AccountKind] = mapped_column(default=AccountKind.SERVICE)
    is_verified: Mapped[bool] = mapped_column(default=True)
    mode: Mapped[CallbackMode] = mapped_column(default=CallbackMode.SAFE)
    sealed_secret: Mapped[str] = mapped_column(Text, default="")
    sealed_token: Mapped[str] = mapped_column(Text, default="")
    sealed_aes_key: Mapped[str] = mapped_column(Text, default="")
    timezone: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    rules_version: Mapped[int] = mapped_column(default=0)  # the number of the live version; 0: none was published
    auto_tags_version: Mapped[int] = mapped_column(default=0)  # the same for tags given by themselves; 0: never any
    human_words: Mapped[list[str]] = mapped_column(default=list)  # a text that is one of these asks for a person
    human_reply: Mapped[str] = mapped_column(Text, default="好的，已为您转接人工客服，请稍候。")
    handover_minutes: Mapped[int] = mapped_column(default=60)  # of silence, then the bot answers again
    desk: Mapped[Desk] = mapped_column(default=Desk.LOBBY)  # who answers those who ask for a person
    assigning: Mapped[Assigning] = mapped_column(default=Assigning.BY_HAND)
    offline_minutes: Mapped[int] = mapped_column(default=10)  # then an agent's conversations go back to the queue
    opening_hours: Mapped[dict[str, Any]] = mapped_column(default=dict)  # services.opening_hours; {}: always open
    away_reply: Mapped[str] = mapped_column(Text, default="现在是休息时间，上班后我们会尽快回复您。")
    signs_members_in: Mapped[bool] = mapped_column(default=False)  # followers may come into Moments through it
    cap_messages: Mapped[int] = mapped_column(default=0)  # campaigns' messages to one follower in ``cap_days``; 0: any
    cap_days: Mapped[int] = mapped_column(default=7)
    approval_above: Mapped[int | None]  # a campaign to more followers than this needs a second person; None: none does
    opt_out_words: Mapped[list[str]] = mapped_column(default=lambda: ["退订", "TD"])  # a text that is one of these
    opt_out_reply: Mapped[str] = mapped_column(Text, default="已为您退订群发消息。回复“订阅”可重新接收。")
    opt_in_words: Mapped[list[str]] = mapped_column(default=lambda: ["订阅"])
    opt_in_reply: Mapped[str] = mapped_column(Text, default="您将重新收到我们的群发消息。")
    verified_at: Mapped[datetime | None]  # WeChat last tried our address, and the signature was good
    refused_calls: Mapped[dict[str, Any]] = mapped_column(default=dict)  # path → when it last answered 48001
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class AccessToken(Base):
    """WeChat's access token of one account, shared by all processes."""

    __tablename__ = "access_tokens"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), unique=True)
    version: Mapped[int] = mapped_column(default=0)
    sealed_token: Mapped[str] = mapped_column(Text, default="")
    expires_at: Mapped[datetime | None]
    refreshing_until: Mapped[datetime | None]  # one process asks WeChat, the others wait for it
    refused_count: Mapped[int] = mapped_column(default=0)  # refreshes since the last token that worked
    blocked_until: Mapped[datetime | None]  # the breaker: nobody asks before this


class Operator(Base):
    """A person in the console."""

    __tablename__ = "operators"

    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255), default="")  # empty: sign-in links only
    is_active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(String(8), default="")
    sealed_totp: Mapped[str] = mapped_column(Text, default="")  # the second factor's secret; empty: none
    totp_step: Mapped[int] = mapped_column(default=0)  # of the last code that was accepted: none is good twice
    recovery_digests: Mapped[list[str]] = mapped_column(default=list)  # codes not used yet, as hashes
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Membership(Base):
    """One person's role in one account, or in all of them and the install itself."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("operator_id", "account_id"),
        # Two NULLs are not equal, so the line above lets a second role for everything through.
        Index(
            "uq_memberships_operator_id_everywhere",
            "operator_id",
            unique=True,
            sqlite_where=text("account_id IS NULL"),
            postgresql_where=text("account_id IS NULL"),
        ),
    )

    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    role: Mapped[Role]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    operator: Mapped[Operator] = relationship()


class SignIn(Base):
    """One signed-in browser, which can be listed and ended.  The cookie's value is kept as a hash only."""

    __tablename__ = "sign_ins"

    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    device: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    must_renew: Mapped[bool] = mapped_column(default=False)  # a role changed: the next request gets a new cookie

    operator: Mapped[Operator] = relationship()


class SignInLink(Base):
    """A link that signs one operator in, once."""

    __tablename__ = "sign_in_links"

    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiToken(Base):
    """A program's key to the API; the key itself is shown once and kept as a hash."""

    __tablename__ = "api_tokens"

    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))  # None: all
    name: Mapped[str] = mapped_column(String(64), default="")
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(default=list)  # "rules:write", …, or "all"
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    revoked_at: Mapped[datetime | None]


class AuditRecord(Base):
    """Who did what, and what was refused at the door.  Holds no secret and no message."""

    __tablename__ = "audit_records"

    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="SET NULL"))
    action: Mapped[str] = mapped_column(String(64))  # "rules.edit", "callback.refused"
    detail: Mapped[str] = mapped_column(Text, default="")
    before: Mapped[dict[str, Any] | None]  # what the change touched, as it was and as it became
    after: Mapped[dict[str, Any] | None]
    at: Mapped[datetime] = mapped_column(default=utc_now)

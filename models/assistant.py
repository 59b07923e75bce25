"""The assistant: its settings, what it knows, the answers it gives, and what they cost."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models import term_index
from models.base import Base, utc_now


class Assistant(Base):
    """One account's: which model answers, when, and within what bounds.  A limit of 0 is none."""

    __tablename__ = "assistants"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), unique=True)
    is_enabled: Mapped[bool] = mapped_column(default=False)
    url: Mapped[str] = mapped_column(String(500), default="")  # of an OpenAI-compatible API, or "practice"
    model: Mapped[str] = mapped_column(String(100), default="")
    sealed_key: Mapped[str] = mapped_column(Text, default="")
    is_streamed: Mapped[bool] = mapped_column(default=True)
    prompt: Mapped[str] = mapped_column(Text, default="")  # the owner's words to the model
    prefix: Mapped[str] = mapped_column(String(16), default="")  # answers texts that begin so; "": all left unanswered
    turns: Mapped[int] = mapped_column(default=4)  # of the same follower that the model is told
    max_tokens: Mapped[int] = mapped_column(default=600)  # of one answer
    fallback_reply: Mapped[str] = mapped_column(Text, default="抱歉，这个问题我暂时答不上来。发送“人工”可以找真人。")
    link_reply: Mapped[str] = mapped_column(Text, default="正在为您整理答案，请稍后点开查看：")
    signature: Mapped[str] = mapped_column(String(64), default="（AI 回答，仅供参考）")
    words_in: Mapped[list[str]] = mapped_column(default=list)  # a question with one of these is not asked
    words_out: Mapped[list[str]] = mapped_column(default=list)  # an answer with one of these is not given
    follower_messages: Mapped[int] = mapped_column(default=30)  # a day, as all of these
    follower_tokens: Mapped[int] = mapped_column(default=0)
    follower_fen: Mapped[int] = mapped_column(default=0)
    account_messages: Mapped[int] = mapped_column(default=2000)
    account_tokens: Mapped[int] = mapped_column(default=0)
    account_fen: Mapped[int] = mapped_column(default=0)
    price_in_fen: Mapped[int] = mapped_column(default=0)  # a million tokens
    price_out_fen: Mapped[int] = mapped_column(default=0)


class SourceKind(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"  # questions and answers


class Source(Base):
    """Something the assistant was given to know."""

    __tablename__ = "knowledge_sources"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[SourceKind]
    content: Mapped[str] = mapped_column(Text)  # as it was given, to be changed
    passages: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class Passage(Base):
    """A piece of a source that can be found and quoted by itself."""

    __tablename__ = "knowledge_passages"
    __table_args__ = (Index(None, "account_id"), Index(None, "source_id"))

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    source_id: Mapped[int] = mapped_column(ForeignKey("knowledge_sources.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200), default="")  # the headings above it, or the question
    text: Mapped[str] = mapped_column(Text)
    terms: Mapped[str] = mapped_column(Text)  # services.bigrams


term_index.index(Passage)


class AnswerState(StrEnum):
    PENDING = "pending"
    WORKING = "working"  # a worker asks the model, until ``due_at``
    READY = "ready"  # there is a text; nobody has given it yet
    GIVEN = "given"
    DROPPED = "dropped"  # a person took over, or no way was left


class Way(StrEnum):
    """How the follower gets it."""

    HOLD = "hold"  # as the reply to one of WeChat's attempts, one of which is open or comes soon
    PASSIVE = "passive"  # was the reply
    CUSTOMER = "customer"  # as customer-service messages, once it is there
    LINK = "link"  # on a page, to which the reply led
    TRIAL = "trial"  # on the console's page


class Answer(Base):
    """One question to the model, tied to the message that asked it."""

    __tablename__ = "answers"
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index(None, "follower_id", "id"),
        # Only what is under way is swept.
        Index(
            "ix_answers_open",
            "due_at",
            sqlite_where=text("state IN ('pending', 'working', 'ready')"),
            postgresql_where=text("state IN ('pending', 'working', 'ready')"),
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    follower_id: Mapped[int | None] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))  # None: a trial
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), unique=True)
    question: Mapped[str] = mapped_column(Text)
    state: Mapped[AnswerState] = mapped_column(default=AnswerState.PENDING)
    way: Mapped[Way] = mapped_column(default=Way.HOLD)
    attempt: Mapped[int] = mapped_column(default=1)  # of WeChat's, the last that came
    attempted_at: Mapped[datetime] = mapped_column(default=utc_now)
    fence: Mapped[int] = mapped_column(default=0)  # claims of workers; an older one may not report
    due_at: Mapped[datetime] = mapped_column(default=utc_now)  # pending: not before; working: the lease ends
    deadline_at: Mapped[datetime]  # then it ends, whatever became of it
    text: Mapped[str] = mapped_column(Text, default="")
    trouble: Mapped[str] = mapped_column(String(16), default="")  # why it is the fallback sentence, or was dropped
    trace: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # the passages it was given, and what it took
    tokens_in: Mapped[int] = mapped_column(default=0)
    tokens_out: Mapped[int] = mapped_column(default=0)
    milliseconds: Mapped[int] = mapped_column(default=0)  # of the model
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]  # given or dropped


class AssistantUsage(Base):
    """What one day took: of one follower, or (None) of the whole account."""

    __tablename__ = "assistant_usage"
    __table_args__ = (
        Index(
            "uq_assistant_usage_follower",
            "follower_id",
            "day",
            unique=True,
            sqlite_where=text("follower_id IS NOT NULL"),
            postgresql_where=text("follower_id IS NOT NULL"),
        ),
        Index(
            "uq_assistant_usage_account",
            "account_id",
            "day",
            unique=True,
            sqlite_where=text("follower_id IS NULL"),
            postgresql_where=text("follower_id IS NULL"),
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    follower_id: Mapped[int | None] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    day: Mapped[date]  # the account's own
    messages: Mapped[int] = mapped_column(default=0)
    tokens: Mapped[int] = mapped_column(default=0)  # with what is reserved for answers under way
    cost: Mapped[int] = mapped_column(default=0)  # in millionths of a fen

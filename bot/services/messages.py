"""The reply ledger: one row for each message, committed with its reply and every effect (docs/decisions.md, 2)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.errors import NotFound
from bot.services.followers import get as get_follower
from bot.wechat import limits
from bot.wechat.messages import Message
from models import Account, Base, Follower, InboundMessage, Operator, ReplyWindow, SeenSignature, Send
from models.prepared import Prepared

# What the row holds anyway; "fields" keeps the rest of the push.
OWN_COLUMN = frozenset({"ToUserName", "FromUserName", "MsgType", "MsgId", "Content", "Event", "EventKey"})

WINDOWS = {
    "message": limits.MESSAGE_WINDOW,
    "tap": limits.ACTION_WINDOW,
    "follow": limits.ACTION_WINDOW,
    "scan": limits.ACTION_WINDOW,
}
# How a message of ours ended: WeChat names the follower, who did nothing.
REPORTS = ("templatesendjobfinish", "subscribe_msg_sent_event")
ATTEMPTS_SECONDS = 15  # three attempts of five seconds


class Writer(NamedTuple):
    """What the webhook needs to know of who wrote."""

    id: int
    nickname: str
    is_subscribed: bool
    silent_until: datetime | None
    rules_version: int  # of the account, read in this same transaction
    auto_tags_version: int  # so too


class Answered(NamedTuple):
    """A message that was entered before."""

    id: int
    reply: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that was said, by either side, for a timeline."""

    id: str  # "m12", "r12" (the reply to m12), "s7"
    at: datetime
    side: str  # follower, bot, operator
    kind: str
    text: str
    reply: dict[str, Any] | None
    status: str
    who: str
    error: str = ""
    trace: list[dict[str, Any]] = field(default_factory=list)  # why the bot said this, or said nothing


# In the webhook's transaction ----------------------------------------------------------------------------------------


def meet(connection: Connection, account_id: int, message: Message, now: datetime) -> Writer:
    """Find or make the follower who wrote.

    Holds their row until the end: the same message on another process, and their next one, wait here.
    """
    wrote_at = None if message.kind == "event" else now
    values = {"account_id": account_id, "openid": message.openid, "seen_at": now, "wrote_at": wrote_at}
    row = _UPSERT_FOLLOWER.first(connection, values)
    assert row is not None
    return Writer(*row)


def find_answered(connection: Connection, account_id: int, message: Message) -> Answered | None:
    """The row of this same message, when it was entered before."""
    key = {"account_id": account_id, "openid": message.openid, "dedup_key": _fitting(message.dedup_key)}
    row = _FIND_ANSWERED.first(connection, key)
    return Answered(*row) if row else None


def open_window(connection: Connection, follower_id: int, message: Message, now: datetime) -> None:
    """Let as many customer-service messages follow as WeChat allows after this one."""
    if trigger := message.opens_window:
        window = WINDOWS[trigger]
        # WeChat counts from what the follower did: a third attempt brings it ten seconds later.
        late = min(max(now.timestamp() - message.created_at, 0), ATTEMPTS_SECONDS)
        _OPEN_WINDOW.first(
            connection,
            {
                "follower_id": follower_id,
                "trigger": trigger,
                "left": window.messages,
                "until": now + window.lasts - timedelta(seconds=late),
            },
        )


def enter(
    connection: Connection,
    account_id: int,
    message: Message,
    now: datetime,
    *,
    follower_id: int | None,
    reply: dict[str, Any] | None = None,
    rule_id: int | None = None,
    trace: list[dict[str, Any]],
    flag: str = "",
) -> int | None:
    """Enter a message with what was decided; its row's id, or None when another process just did (a report only)."""
    row = _INSERT_MESSAGE.first(
        connection,
        {
            "account_id": account_id,
            "openid": message.openid,
            "dedup_key": _fitting(message.dedup_key),
            "follower_id": follower_id,
            "kind": message.kind[:32],
            "event": message.event[:64],
            "key": message.key[:1024],
            "text": message.text,
            "fields": {name: value for name, value in message.fields.items() if name not in OWN_COLUMN},
            "received_at": now,
            "reply": reply,
            "rule_id": rule_id,
            "trace": trace,
            "flag": flag,
        },
    )
    return row[0] if row else None


def is_replay(connection: Connection, account_id: int, signature: str, message: Message, now: datetime) -> bool:
    """Plain mode: was this signature seen with another message?  (There it binds no body.)"""
    key = {"account_id": account_id, "signature": signature}
    first = sha256(f"{message.openid} {message.dedup_key}".encode()).hexdigest()
    if _INSERT_SIGNATURE.first(connection, {**key, "dedup_key": first, "seen_at": now}):
        return False
    return _FIND_SIGNATURE.first(connection, key) != (first,)


def _fitting(dedup_key: str) -> str:
    """A view's address may be longer than the column, which PostgreSQL does not take."""
    return dedup_key if len(dedup_key) <= 255 else sha256(dedup_key.encode()).hexdigest()


# For people ----------------------------------------------------------------------------------------------------------


def get(session: Session, account: Account, message_id: int) -> InboundMessage:
    message = session.scalar(
        select(InboundMessage).where(InboundMessage.id == message_id, InboundMessage.account_id == account.id)
    )
    if message is None:
        raise NotFound("There is no such message.")
    return message


def page(
    session: Session, account: Account, *, follower: Follower | None = None, before: int | None = None, limit: int = 50
) -> list[InboundMessage]:
    """Newest first; ``before`` is the last id of the page before."""
    query = select(InboundMessage).where(InboundMessage.account_id == account.id)
    if follower is not None:
        query = query.where(InboundMessage.openid == follower.openid)  # has an index; follower_id has none
    if before is not None:
        query = query.where(InboundMessage.id < before)
    return list(session.scalars(query.order_by(InboundMessage.id.desc()).limit(limit)))


def timeline(
    session: Session, account: Account, follower: Follower, before: datetime | None = None, limit: int = 50
) -> list[Turn]:
    """The last things said between one follower and the account, oldest first."""
    follower = get_follower(session, account, follower.id)
    received = select(InboundMessage).where(
        InboundMessage.account_id == account.id,
        InboundMessage.openid == follower.openid,
        InboundMessage.event.not_in(REPORTS),
    )
    sent = select(Send, Operator.name).outerjoin(Operator, Send.operator_id == Operator.id)
    sent = sent.where(Send.follower_id == follower.id)
    if before is not None:
        received, sent = received.where(InboundMessage.received_at < before), sent.where(Send.created_at < before)
    turns: list[Turn] = []
    for message in session.scalars(received.order_by(InboundMessage.id.desc()).limit(limit)):
        at, trace = message.received_at, message.trace
        kind, text = message.event or message.kind, message.text or message.key
        why = [] if message.reply else trace
        turns.append(Turn(f"m{message.id}", at, "follower", kind, text, message.fields, "", follower.name, trace=why))
        if reply := message.reply:
            said = reply.get("text", "")
            turns.append(Turn(f"r{message.id}", at, "bot", reply["kind"], said, reply, "sent", "", trace=trace))
    for send, name in session.execute(sent.order_by(Send.id.desc()).limit(limit)):
        # What the bot sends belongs to a message; the rest was written by a person, or by a program through the API.
        side, who = ("bot", "") if send.message_id else ("operator", name or "API")
        reply, at = send.reply, send.created_at
        said = reply.get("text", "")
        turns.append(Turn(f"s{send.id}", at, side, reply["kind"], said, reply, send.status, who, send.error))
    turns.sort(key=lambda turn: turn.at)  # stable: a reply stays behind its message
    return turns[-limit:]


def count_since(session: Session, account: Account, since: datetime) -> int:
    query = select(func.count()).select_from(InboundMessage).where(InboundMessage.account_id == account.id)
    return session.scalar(query.where(InboundMessage.received_at >= since)) or 0


# Statements ----------------------------------------------------------------------------------------------------------


def _insert(dialect: str, table: type[Base], *names: str) -> Any:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).values({name: bindparam(name) for name in names})


def _upsert_follower(dialect: str) -> Executable:
    empty = dict.fromkeys(("nickname", "remark", "unionid", "language", "source", "timezone"), "")
    statement = _insert(dialect, Follower, "account_id", "openid", "seen_at", "wrote_at")
    statement = statement.values(**empty, is_subscribed=True)
    versions = (
        select(version).where(Account.id == bindparam("account_id")).scalar_subquery()
        for version in (Account.rules_version, Account.auto_tags_version)
    )
    return statement.on_conflict_do_update(  # type: ignore[no-any-return]
        index_elements=["account_id", "openid"],
        set_={
            "seen_at": statement.excluded.seen_at,
            "wrote_at": func.coalesce(statement.excluded.wrote_at, Follower.wrote_at),
        },
    ).returning(Follower.id, Follower.nickname, Follower.is_subscribed, Follower.silent_until, *versions)


def _find_answered(dialect: str) -> Executable:
    return select(InboundMessage.id, InboundMessage.reply).where(
        InboundMessage.account_id == bindparam("account_id"),
        InboundMessage.openid == bindparam("openid"),
        InboundMessage.dedup_key == bindparam("dedup_key"),
    )


def _open_window(dialect: str) -> Executable:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    names = {"follower_id": "follower_id", "trigger": "trigger", "left": "left", "expires_at": "until"}
    statement = insert(ReplyWindow).values({column: bindparam(name) for column, name in names.items()})
    fresh = {"left": statement.excluded.left, "expires_at": statement.excluded.expires_at}
    return statement.on_conflict_do_update(index_elements=["follower_id", "trigger"], set_=fresh)


def _insert_message(dialect: str) -> Executable:
    said = ("kind", "event", "key", "text", "fields")
    decided = ("reply", "rule_id", "trace", "flag")
    statement = _insert(
        dialect, InboundMessage, "account_id", "openid", "dedup_key", "follower_id", *said, "received_at", *decided
    )
    return statement.on_conflict_do_nothing().returning(InboundMessage.id)  # type: ignore[no-any-return]


def _insert_signature(dialect: str) -> Executable:
    statement = _insert(dialect, SeenSignature, "account_id", "signature", "dedup_key", "seen_at")
    return statement.on_conflict_do_nothing().returning(SeenSignature.id)  # type: ignore[no-any-return]


def _find_signature(dialect: str) -> Executable:
    return select(SeenSignature.dedup_key).where(
        SeenSignature.account_id == bindparam("account_id"), SeenSignature.signature == bindparam("signature")
    )


_UPSERT_FOLLOWER = Prepared(_upsert_follower)
_FIND_ANSWERED = Prepared(_find_answered)
_OPEN_WINDOW = Prepared(_open_window)
_INSERT_MESSAGE = Prepared(_insert_message)
_INSERT_SIGNATURE = Prepared(_insert_signature)
_FIND_SIGNATURE = Prepared(_find_signature)

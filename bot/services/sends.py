"""Customer-service messages: counted against WeChat's windows, sent at most once, never lost from sight."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, aliased

from bot import clock
from bot.errors import NotFound, Refused
from bot.queue import enqueue
from bot.services import journal
from bot.wechat import limits
from bot.wechat.messages import Reply
from models import Account, Conversation, Follower, Operator, ReplyWindow, Send, SendStatus, affected

LEASE = timedelta(seconds=120)  # longer than a token refreshed twice and a call that times out
OPEN_STATES = (SendStatus.READY, SendStatus.SENDING)
WINDOW_CLOSED = "WeChat's reply window is closed: the follower must write first."
NO_ANSWER = "No answer from WeChat: it may have arrived. Ask before sending again."
NOT_FOLLOWING = "The follower no longer follows the account."
BLOCKED = "The follower is on the blocklist. Take them off it first."
TAKEN_OVER = "A person has taken over: the bot's message was not sent."


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may still be sent to one follower now."""

    left: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A send that is ours to make, until the lease ends."""

    send_id: int
    fence: int
    account_id: int
    openid: str
    reply: dict[str, Any]


def get(session: Session, account: Account, send_id: int) -> Send:
    send = session.scalar(select(Send).where(Send.id == send_id, Send.account_id == account.id))
    if send is None:
        raise NotFound("There is no such message.")
    return send


def page(
    session: Session, account: Account, *, follower: Follower | None = None, before: int | None = None, limit: int = 50
) -> list[Send]:
    """Newest first; ``before`` is the last id of the page before."""
    query = select(Send).where(Send.account_id == account.id)
    if follower is not None:
        query = query.where(Send.follower_id == follower.id)
    if before is not None:
        query = query.where(Send.id < before)
    return list(session.scalars(query.order_by(Send.id.desc()).limit(limit)))


def create(
    session: Session,
    account_id: int,
    follower_id: int,
    reply: Reply,
    *,
    operator: Operator | None = None,
    message_id: int | None = None,
    intent: str | None = None,
) -> Send:
    """Intend to send; the worker sends it, if the window allows, after those already waiting for this follower.

    ``message_id``: the message that the bot answers; without it a person or a program speaks.
    """
    send = Send(
        account_id=account_id,
        follower_id=follower_id,
        operator_id=operator.id if operator else None,
        message_id=message_id,
        intent=intent,
        reply=reply.model_dump(mode="json"),
    )
    session.add(send)
    session.flush()
    enqueue(session, "sends.deliver", send.id, queue="replies")
    return send


def find_intended(session: Session, account_id: int, intent: str) -> Send | None:
    """What an earlier copy of the same intention made."""
    return session.scalar(select(Send).where(Send.account_id == account_id, Send.intent == intent))


def must_be_allowed(session: Session, follower_id: int) -> None:
    """
    Raises:
        Refused: WeChat would deliver nothing to this follower: they are on the blocklist.
    """
    if session.scalar(select(Follower.blocked_at).where(Follower.id == follower_id)) is not None:
        raise Refused(BLOCKED, field="text")


def cancel(session: Session, follower_ids: Sequence[int], error: str, *, only_bots: bool = False) -> None:
    """What waits to be sent to these followers is not sent; ``only_bots``: what a person wrote is, all the same."""
    waiting = update(Send).where(Send.follower_id.in_(follower_ids), Send.status == SendStatus.READY)
    if only_bots:
        waiting = waiting.where(Send.message_id.is_not(None))
    session.execute(waiting.values(status=SendStatus.FAILED, error=error).execution_options(synchronize_session=False))


def allowance(session: Session, follower_id: int, now: datetime | None = None) -> Allowance:
    """What is left of the open window that closes last, less what waits to be sent; a shorter one (a tap's minute)
    is spent first."""
    now = now or clock.now()
    windows = session.execute(
        select(ReplyWindow.left, ReplyWindow.expires_at)
        .where(ReplyWindow.follower_id == follower_id, ReplyWindow.expires_at > now, ReplyWindow.left > 0)
        .order_by(ReplyWindow.expires_at.desc())
    ).all()
    if not windows:
        return Allowance(0, None)
    ready = select(func.count()).where(Send.follower_id == follower_id, Send.status == SendStatus.READY)
    left = sum(window.left for window in windows) - (session.scalar(ready) or 0)
    return Allowance(max(0, min(left, windows[0].left)), windows[0].expires_at)


def claim(session: Session, send_id: int, now: datetime | None = None) -> Claim | None:
    """Take the first waiting message of this one's follower, and count it against the window.

    None: somebody else has it, it is done, it may not be sent (then its row says why), or an earlier one is under way.
    """
    now = now or clock.now()
    follower = _hold(session, send_id)
    if follower is None:
        return None
    send = session.scalar(
        select(Send)
        .where(Send.follower_id == follower.id, Send.status.in_(OPEN_STATES))
        .order_by(Send.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if send is None or send.status is not SendStatus.READY or send.due_at > now:
        return None
    claimed = session.execute(
        update(Send)
        .where(Send.id == send.id, Send.status == SendStatus.READY, Send.fence == send.fence)
        .values(status=SendStatus.SENDING, fence=Send.fence + 1, due_at=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    if affected(claimed) == 0:
        return None
    error = _why_not(follower, send, now)
    window = "" if error else _spend(session, follower.id, now)
    if not window:
        error = error or WINDOW_CLOSED
        settle(session, send.id, send.fence + 1, SendStatus.FAILED, error=error)
        return None
    session.execute(
        update(Send).where(Send.id == send.id).values(window=window).execution_options(synchronize_session=False)
    )
    return Claim(send.id, send.fence + 1, send.account_id, follower.openid, send.reply)


def settle(
    session: Session,
    send_id: int,
    fence: int,
    status: SendStatus,
    *,
    errcode: int | None = None,
    error: str = "",
    retry_at: datetime | None = None,
) -> bool:
    """Record how it went; READY with ``retry_at`` puts it back (certainly not sent) and gives its count back.

    False: the lease was lost meanwhile, and nothing was written.
    """
    follower = _hold(session, send_id)
    values: dict[str, Any] = {"status": status, "errcode": errcode, "error": error}
    claimed_until: datetime | None = None
    if status is SendStatus.SENT:
        values["sent_at"] = clock.now()
    if status is SendStatus.READY:
        claimed_until = session.scalar(select(Send.due_at).where(Send.id == send_id, Send.fence == fence))
        values["due_at"] = retry_at or clock.now()
    settled = session.execute(
        update(Send)
        .where(Send.id == send_id, Send.fence == fence, Send.status == SendStatus.SENDING)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if affected(settled) == 0:
        return False
    if claimed_until is not None:
        _give_back(session, send_id, claimed_until - LEASE)
    if status is not SendStatus.READY and follower is not None:
        _tell(session, follower, send_id, status)
    _hint_next(session, send_id)
    return True


def due(session: Session, now: datetime, limit: int = 1000) -> list[int]:
    """Waiting messages whose time and turn have come: what the clock hints again.

    Not those behind an earlier one of the same follower: a few hundred of them would leave no room for others.
    """
    earlier = aliased(Send)
    behind = exists().where(
        earlier.follower_id == Send.follower_id, earlier.id < Send.id, earlier.status.in_(OPEN_STATES)
    )
    ready = select(Send.id).where(Send.status == SendStatus.READY, Send.due_at <= now, ~behind)
    return list(session.scalars(ready.order_by(Send.id).limit(limit)))


def expire(session: Session, now: datetime, limit: int = 500) -> int:
    """A sender died between intent and outcome: WeChat may have the message, so it is never sent again by itself."""
    late = session.execute(
        select(Send.id, Send.fence)
        .join(Follower, Follower.id == Send.follower_id)
        .where(Send.status == SendStatus.SENDING, Send.due_at <= now)
        .order_by(Send.id)
        .limit(limit)
        # All of their rows before the journal's head, which a settled one takes: whoever is held comes next time.
        .with_for_update(of=Follower, skip_locked=True)
    ).all()
    return sum(settle(session, send.id, send.fence, SendStatus.UNKNOWN, error=NO_ANSWER) for send in late)


def _hold(session: Session, send_id: int) -> Follower | None:
    """Whom it is for; their row is the lock of all that is theirs.  None: there is no such message any more."""
    follower_id = select(Send.follower_id).where(Send.id == send_id).scalar_subquery()
    held = select(Follower).where(Follower.id == follower_id).with_for_update()
    return session.scalar(held.execution_options(populate_existing=True))


def _why_not(follower: Follower, send: Send, now: datetime) -> str:
    if follower.blocked_at:
        return BLOCKED
    if not follower.is_subscribed:
        return NOT_FOLLOWING
    is_bots = send.message_id is not None
    taken_over = follower.silent_until is not None and follower.silent_until > now
    return TAKEN_OVER if is_bots and taken_over else ""


def _tell(session: Session, follower: Follower, send_id: int, status: SendStatus) -> None:
    """Whoever looks at the conversation sees how their answer ended."""
    conversation = session.scalar(
        select(Conversation).where(Conversation.follower_id == follower.id, Conversation.closed_at.is_(None))
    )
    is_bots = session.scalar(select(Send.message_id).where(Send.id == send_id)) is not None
    if conversation is not None and not is_bots:
        journal.append(session, conversation, journal.SETTLED, send=send_id, status=status.value)


def _spend(session: Session, follower_id: int, now: datetime) -> str:
    """Count one message against the open window that closes first; its trigger, or "" when none is open."""
    for window in session.scalars(
        select(ReplyWindow)
        .where(ReplyWindow.follower_id == follower_id, ReplyWindow.left > 0, ReplyWindow.expires_at > now)
        .order_by(ReplyWindow.expires_at)
    ):
        spent = session.execute(
            update(ReplyWindow)
            .where(ReplyWindow.id == window.id, ReplyWindow.left > 0)
            .values(left=ReplyWindow.left - 1)
            .execution_options(synchronize_session=False)
        )
        if affected(spent):
            return window.trigger
    return ""


def _give_back(session: Session, send_id: int, claimed_at: datetime) -> None:
    """Undo one count, unless the window was opened anew since: then it is full without it."""
    send = session.execute(select(Send.follower_id, Send.window).where(Send.id == send_id)).one()
    window = limits.MESSAGE_WINDOW if send.window == "message" else limits.ACTION_WINDOW
    session.execute(
        update(ReplyWindow)
        .where(
            ReplyWindow.follower_id == send.follower_id,
            ReplyWindow.trigger == send.window,
            ReplyWindow.expires_at <= claimed_at + window.lasts,
            ReplyWindow.left < window.messages,
        )
        .values(left=ReplyWindow.left + 1)
        .execution_options(synchronize_session=False)
    )


def _hint_next(session: Session, send_id: int) -> None:
    follower_id = select(Send.follower_id).where(Send.id == send_id).scalar_subquery()
    following = session.scalar(
        select(Send.id)
        .where(Send.follower_id == follower_id, Send.status == SendStatus.READY, Send.id != send_id)
        .order_by(Send.id)
        .limit(1)
    )
    if following is not None:
        enqueue(session, "sends.deliver", following, queue="replies")

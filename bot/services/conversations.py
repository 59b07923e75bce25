"""A person takes over from the bot, answers, and hands back.

Every change holds the follower's row first: the lock of all that is theirs, for the webhook too (decisions.md, 2).
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.queue import enqueue
from bot.services import access, followers, journal, sends
from bot.services.conversation_states import Command, must_allow
from bot.wechat.messages import Reply
from models import Account, Agent, Conversation, Follower, Operator, Send

UNDO = timedelta(seconds=30)  # so long a closing can be taken back
LONGEST_SNOOZE = timedelta(days=30)
KEY_USED = "This key was used for another follower's message; take a new one."
API = "API"  # who it was, when no operator was it


def get(session: Session, account: Account, conversation_id: int) -> Conversation:
    conversation = session.scalar(
        select(Conversation).where(Conversation.id == conversation_id, Conversation.account_id == account.id)
    )
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation


def find_open(session: Session, follower_id: int) -> Conversation | None:
    return session.scalar(
        select(Conversation).where(Conversation.follower_id == follower_id, Conversation.closed_at.is_(None))
    )


def is_open(connection: Connection, follower_id: int) -> bool:
    """The same question in the webhook, at the price of one look into an index."""
    found = select(Conversation.id).where(Conversation.follower_id == follower_id, Conversation.closed_at.is_(None))
    return connection.scalar(found) is not None


# From the bot to a person --------------------------------------------------------------------------------------------


def take(
    session: Session,
    account: Account,
    follower: Follower,
    operator: Operator | None = None,
    *,
    is_waiting: bool = False,
) -> Conversation:
    """Make a follower's conversation the operator's; the bot is silent from the commit on.

    Without an operator (a program) it is opened, or found open, and stays whoever's it is.
    """
    now = clock.now()
    said = followers.last_said(session, follower)
    conversation = open_for(
        session,
        account.id,
        follower.id,
        account.handover_minutes,
        now,
        is_waiting=is_waiting,
        text=said,
        by=operator,
        who=API,
    )
    if operator is not None and (conversation.assignee_id != operator.id or conversation.snoozed_until is not None):
        was = conversation.assignee.name if conversation.assignee else ""
        _give(session, conversation, operator)
        journal.append(session, conversation, journal.TAKEN, operator, was=was)
    elif conversation.snoozed_until is not None:
        wake(session, conversation)
    return conversation


def open_for(
    session: Session,
    account_id: int,
    follower_id: int,
    minutes: int,
    now: datetime,
    *,
    is_waiting: bool,
    text: str = "",
    keeps_bot: bool = False,
    by: Operator | None = None,
    who: str = "",
) -> Conversation:
    """The same by ids, for the webhook; ``minutes`` of silence until the bot answers again.

    ``keeps_bot``: nobody is there, so the bot goes on until somebody takes it.  ``by``, ``who``: as in the journal.
    """
    if keeps_bot:
        hold(session, follower_id)
    else:
        silence(session, follower_id, now + timedelta(minutes=minutes))
    opened = session.scalar(  # there may be one already
        _insert(session)(Conversation)
        .values(
            account_id=account_id,
            follower_id=follower_id,
            opened_at=now,
            updated_at=now,
            waiting_since=now if is_waiting else None,
            closed_why="",
            preview=_preview(text),
            preview_side="follower" if text else "",
            seq=0,
            said_seq=0,
        )
        .on_conflict_do_nothing()
        .returning(Conversation.id)
    )
    conversation = session.scalars(
        select(Conversation)
        .where(Conversation.follower_id == follower_id, Conversation.closed_at.is_(None))
        .execution_options(populate_existing=True)
    ).one()
    if opened is not None:
        journal.append(session, conversation, journal.OPENED, by, who, waiting=is_waiting)
        enqueue(session, "inbox.assign", account_id, queue="replies")
    return conversation


def wrote(session: Session, follower_id: int, now: datetime, text: str = "") -> None:
    """The follower wrote to the person: they wait from their first unanswered message."""
    conversation = find_open(session, follower_id)
    if conversation is None:
        return
    conversation.updated_at = now
    conversation.waiting_since = conversation.waiting_since or now
    conversation.preview, conversation.preview_side = _preview(text), "follower"
    if conversation.snoozed_until is not None:
        _awake(session, conversation, now)
        journal.append(session, conversation, journal.WOKEN, why="wrote")
    journal.append(session, conversation, journal.WROTE, text=_preview(text))


# What an operator does -----------------------------------------------------------------------------------------------


def reply(
    session: Session,
    account: Account,
    conversation: Conversation,
    operator: Operator | None,
    reply: Reply,
    *,
    seen: int | None = None,
    intent: str | None = None,
) -> Send:
    """Answer as a person, and keep the bot silent for another while; from the queue it becomes the operator's.

    Args:
        seen: the conversation's ``seq`` when its author last looked; None: whatever was said since, send it.
        intent: the same for every copy of one press of "Send": they make one message.

    Raises:
        Conflict: closed since the page was opened, or somebody said something that the author has not seen.
        Refused: WeChat would not take it: the follower has to write first, or is blocked.
    """
    now = clock.now()
    conversation = fresh(session, conversation)
    if intent is not None and (sent := sends.find_intended(session, account.id, intent)) is not None:
        if sent.follower_id != conversation.follower_id:
            raise Conflict(KEY_USED)
        return sent
    must_allow(Command.REPLY, conversation)
    if seen is not None and conversation.said_seq > seen:
        raise Conflict("Something was said since you last looked. Read it, then send again.", field="text")
    sends.must_be_allowed(session, conversation.follower_id)
    if not sends.allowance(session, conversation.follower_id).left:
        raise Refused("No replies left: the follower must write first.", field="text")

    silence(session, conversation.follower_id, now + timedelta(minutes=account.handover_minutes))
    if operator is not None and conversation.assignee_id is None:
        conversation.assignee_id = operator.id
    conversation.snoozed_until = None
    conversation.waiting_since = None
    conversation.updated_at = now
    conversation.first_replied_at = conversation.first_replied_at or now
    said = _preview(getattr(reply, "text", "") or f"[{reply.kind}]")
    conversation.preview, conversation.preview_side = said, "operator"
    try:
        with session.begin_nested():  # only another follower's can be there: copies of this one wait for the row above
            send = sends.create(session, account.id, conversation.follower_id, reply, operator=operator, intent=intent)
    except IntegrityError:
        raise Conflict(KEY_USED) from None
    journal.append(session, conversation, journal.REPLIED, operator, API, send=send.id, text=said)
    return send


def assign(
    session: Session,
    account: Account,
    conversation: Conversation,
    to: Operator,
    by: Operator | None = None,
    who: str = API,
    *,
    why: str = "by_hand",
) -> None:
    """Make it somebody's; to whom it belongs already changes nothing.

    Raises:
        Conflict: it was closed.
        Refused: they may not answer in this account.
    """
    if "conversations:write" not in access.of_operator(session, to.id).at(account.id):
        raise Refused("{name} may not answer in this account.", field="operator", name=to.name)
    conversation = fresh(session, conversation)
    must_allow(Command.ASSIGN, conversation)
    if conversation.assignee_id == to.id and conversation.snoozed_until is None:
        return
    _give(session, conversation, to)
    silence(session, conversation.follower_id, clock.now() + timedelta(minutes=account.handover_minutes))
    journal.append(session, conversation, journal.ASSIGNED, by, who, to=to.name, why=why)


def give_back(
    session: Session,
    account: Account,
    conversation: Conversation,
    by: Operator | None = None,
    who: str = API,
    *,
    why: str = "by_hand",
) -> None:
    """Return it to the queue, where anybody may take it.

    Raises:
        Conflict: nobody has it, or it was closed.
    """
    conversation = fresh(session, conversation)
    must_allow(Command.RETURN, conversation)
    was = conversation.assignee.name if conversation.assignee else ""
    if conversation.snoozed_until is not None:
        _awake(session, conversation, clock.now())
    conversation.assignee_id = None
    journal.append(session, conversation, journal.RETURNED, by, who, was=was, why=why)
    enqueue(session, "inbox.assign", account.id, queue="replies")


def snooze(
    session: Session,
    account: Account,
    conversation: Conversation,
    until: datetime,
    by: Operator | None = None,
    who: str = API,
) -> None:
    """Put it out of sight until a time, or until the follower writes; the bot stays silent meanwhile.

    Raises:
        Conflict: it was closed.
        Refused: the time has passed, or is more than 30 days away.
    """
    now = clock.now()
    if not now < until <= now + LONGEST_SNOOZE:
        raise Refused("Choose a time within the next 30 days.", field="until")
    conversation = fresh(session, conversation)
    must_allow(Command.SNOOZE, conversation)
    silence(session, conversation.follower_id, until + timedelta(minutes=account.handover_minutes))
    conversation.snoozed_until = until
    journal.append(session, conversation, journal.SNOOZED, by, who, until=until.isoformat())


def wake(session: Session, conversation: Conversation, by: Operator | None = None, who: str = API) -> None:
    """
    Raises:
        Conflict: it does not sleep.
    """
    conversation = fresh(session, conversation)
    must_allow(Command.WAKE, conversation)
    _awake(session, conversation, clock.now())
    journal.append(session, conversation, journal.WOKEN, by, who, why="by_hand" if by or who else "time")


def hand_back(
    session: Session, account: Account, conversation: Conversation, by: Operator | None = None, who: str = API
) -> None:
    """The bot answers again.  A second press changes nothing, even if the follower has a newer one by now."""
    conversation = fresh(session, conversation)
    if conversation.is_open:
        close(session, conversation.follower_id, "handed_back", clock.now(), by, who)


def reopen(
    session: Session, account: Account, conversation: Conversation, by: Operator | None = None, who: str = API
) -> None:
    """Take a closing back, as long as that is fresh: it is again as it was.

    Raises:
        Conflict: it is open, its half minute is over, or the follower has a newer one.
    """
    now = clock.now()
    conversation = fresh(session, conversation)
    must_allow(Command.REOPEN, conversation)
    if conversation.closed_at is None or now > conversation.closed_at + UNDO:
        raise Conflict("That was too long ago to take back; take the conversation over again.")
    if find_open(session, conversation.follower_id) is not None:
        raise Conflict("There is a newer conversation with this follower.")
    silence(session, conversation.follower_id, now + timedelta(minutes=account.handover_minutes))
    [closed] = [entry for entry in journal.of_conversation(session, conversation) if entry.kind == journal.CLOSED][-1:]
    waiting = closed.detail.get("waiting_since")
    conversation.waiting_since = datetime.fromisoformat(waiting) if waiting else None
    conversation.closed_at = conversation.closed_by_id = None
    conversation.closed_why = ""
    journal.append(session, conversation, journal.REOPENED, by, who)


# Ends ----------------------------------------------------------------------------------------------------------------


def close(
    session: Session, follower_id: int, why: str, now: datetime, by: Operator | None = None, who: str = ""
) -> None:
    """``why``: handed_back, timed_out, unsubscribed or blocked."""
    silence(session, follower_id, None)
    conversation = find_open(session, follower_id)
    if conversation is None:
        return
    session.refresh(conversation)
    waiting = conversation.waiting_since.isoformat() if conversation.waiting_since else ""
    conversation.closed_at, conversation.closed_why = now, why
    conversation.closed_by_id = by.id if by else None
    conversation.waiting_since = conversation.snoozed_until = None
    journal.append(session, conversation, journal.CLOSED, by, who, why=why, waiting_since=waiting)
    enqueue(session, "inbox.assign", conversation.account_id, queue="replies")


# The lock ------------------------------------------------------------------------------------------------------------


def hold(session: Session, follower_id: int) -> None:
    session.execute(select(Follower.id).where(Follower.id == follower_id).with_for_update())


def fresh(session: Session, conversation: Conversation) -> Conversation:
    """The conversation as it is now, and as it stays until the end of the transaction."""
    hold(session, conversation.follower_id)
    session.refresh(conversation)
    return conversation


def silence(session: Session, follower_id: int, until: datetime | None) -> None:
    """The bot says nothing before this, nor what it had still to say; None: it answers."""
    session.execute(
        update(Follower)
        .where(Follower.id == follower_id)
        .values(silent_until=until)
        .execution_options(synchronize_session=False)
    )
    if until is not None:
        sends.cancel(session, [follower_id], sends.TAKEN_OVER, only_bots=True)


def _give(session: Session, conversation: Conversation, operator: Operator) -> None:
    conversation.assignee_id = operator.id
    conversation.snoozed_until = None
    # Who never opened the inbox takes part from now on: if they do not come, it goes back to the queue.
    agent = {"account_id": conversation.account_id, "operator_id": operator.id}
    session.execute(_insert(session)(Agent).values(**agent).on_conflict_do_nothing())


def _awake(session: Session, conversation: Conversation, now: datetime) -> None:
    """No longer put off: neither is the time at which the bot answers again."""
    conversation.snoozed_until = None
    minutes = session.get_one(Account, conversation.account_id).handover_minutes
    silence(session, conversation.follower_id, now + timedelta(minutes=minutes))
    if conversation.assignee_id is None:
        enqueue(session, "inbox.assign", conversation.account_id, queue="replies")


def _insert(session: Session) -> Any:
    return sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert


def _preview(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"

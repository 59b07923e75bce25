"""Answers on their way to the follower: tied to their question, given once, by the best way that is still open.

The follower's row is the lock, taken before the answer's: a person takes over under the same one, so what is given
after the takeover's commit is given by nobody (docs/decisions.md, 93).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from bot.errors import NotFound, Refused
from bot.queue import enqueue
from bot.services import abilities, assistant, assistant_links, sends
from bot.wechat import limits
from bot.wechat.messages import Message, Reply, ReplyAdapter, Text
from bot.wechat.replies import split_text
from models import Account, Answer, AnswerState, Assistant, Follower, InboundMessage, Send, Way

ATTEMPTS = 3  # of WeChat's, five seconds each
LAST_BEGINS = 9.5  # seconds after the message was written: what comes then is the last, however many got lost
DEADLINE = timedelta(seconds=75)  # for an answer: longer than a model may take, and short enough to be of use
GONE = timedelta(seconds=8)  # after an attempt began: nobody comes for the answer any more
OPEN = (AnswerState.PENDING, AnswerState.WORKING, AnswerState.READY)

# Why an answer is the fallback sentence, or never came.
WHY = {
    "limit": "The day's limit of tokens or money is used up.",
    "timeout": "The model took too long.",
    "unreachable": "The model's address does not answer.",
    "key": "The model does not accept the key.",
    "busy": "The model is busy, or its quota is used up (429).",
    "broken": "The model answered with an error.",
    "redirect": "The model's address leads on to another one, which is not followed.",
    "garbage": "What the model sent is no answer of a chat API.",
    "empty": "The model's answer was empty.",
    "endless": "The model did not stop writing.",
    "words": "The answer held a word that may not be said.",
    "secret": "The model's key cannot be read: it was sealed with another one.",
    "crashed": "The worker stopped three times over this question.",
    "late": "There was no answer in time.",
    "person": "A person took over.",
    "nobody": "WeChat allowed no further message.",
}


class Waiting(NamedTuple):
    """A request of WeChat's that may wait for an answer."""

    answer_id: int
    is_last: bool  # WeChat will not ask again


class Taken(NamedTuple):
    """It is decided; None: silence, as another way is taken or a person is in charge."""

    reply: Reply | None


# In the webhook's transaction ----------------------------------------------------------------------------------------


def ask(
    session: Session, account_id: int, follower_id: int, message_id: int, message: Message, question: str, now: datetime
) -> Waiting:
    """Tie a question to its message; a worker asks the model after the commit."""
    answer = Answer(
        account_id=account_id,
        follower_id=follower_id,
        message_id=message_id,
        question=question,
        attempted_at=now,
        due_at=now,
        created_at=now,
        deadline_at=now + DEADLINE,
    )
    session.add(answer)
    session.flush()
    enqueue(session, "assistant.answer", answer.id, queue="assistant")
    return Waiting(answer.id, _is_late(message, now))


def go_elsewhere(session: Session, answer_id: int) -> Taken:
    """Its request cannot wait, and no other will come; the follower is held."""
    answer = session.get_one(Answer, answer_id)
    account, follower = session.get_one(Account, answer.account_id), session.get_one(Follower, answer.follower_id)
    return _elsewhere(session, account, follower, answer, session.get_one(InboundMessage, answer.message_id))


def ask_again(connection: Connection, message_id: int, message: Message, now: datetime) -> Waiting | None:
    """WeChat repeats a message that has no reply yet; None: it waits for no answer."""
    row = connection.execute(
        update(Answer)
        .where(Answer.message_id == message_id, Answer.way == Way.HOLD, Answer.state.in_(OPEN))
        .values(attempt=Answer.attempt + 1, attempted_at=now)
        .returning(Answer.id, Answer.attempt)
    ).one_or_none()
    return Waiting(row.id, row.attempt >= ATTEMPTS or _is_late(message, now)) if row else None


def sent_by_it(session: Session, send_id: int) -> bool:
    """Whether a customer-service message is (part of) an answer of the assistant's."""
    query = select(Answer.id).join(Send, Send.message_id == Answer.message_id)
    return session.scalar(query.where(Send.id == send_id, Send.operator_id.is_(None))) is not None


def is_answers(connection: Connection, message_id: int) -> bool:
    """Whether the assistant answers, or answered, this message."""
    return connection.execute(select(Answer.id).where(Answer.message_id == message_id)).first() is not None


def _is_late(message: Message, now: datetime) -> bool:
    return now.timestamp() - message.created_at >= LAST_BEGINS


# While a request waits -----------------------------------------------------------------------------------------------


def ended(session: Session, answer_ids: Sequence[int]) -> list[int]:
    """Which of these have something to give, or wait for nothing any more."""
    waiting = (AnswerState.PENDING, AnswerState.WORKING)
    query = select(Answer.id).where(Answer.id.in_(answer_ids), Answer.state.not_in(waiting) | (Answer.way != Way.HOLD))
    return list(session.scalars(query))


def take(session: Session, answer_id: int, now: datetime, *, is_over: bool) -> Taken | None:
    """Give it as this request's reply, if it is there; None: not yet.

    ``is_over``: this request cannot wait any longer, and no other will come: choose another way for it.
    """
    of = select(Answer.follower_id, Answer.account_id).where(Answer.id == answer_id, Answer.follower_id.is_not(None))
    follower_id, account_id = session.execute(of).one()
    follower = lock_follower(session, follower_id or 0)
    answer = session.get_one(Answer, answer_id, with_for_update=True, populate_existing=True)
    message = session.get_one(InboundMessage, answer.message_id)
    if answer.state in (AnswerState.GIVEN, AnswerState.DROPPED) or answer.way is not Way.HOLD:
        is_reply = answer.way in (Way.PASSIVE, Way.LINK) and message.reply is not None and not is_silent(follower, now)
        return Taken(ReplyAdapter.validate_python(message.reply) if is_reply else None)
    if is_silent(follower, now):
        drop(answer, "person", now)
        return Taken(None)
    account = session.get_one(Account, account_id)
    if answer.state is AnswerState.READY:
        return Taken(_give_as_reply(session, account, follower, answer, message, now))
    return _elsewhere(session, account, follower, answer, message) if is_over else None


# Once there is a text ------------------------------------------------------------------------------------------------


def give(session: Session, account: Account, follower: Follower, answer: Answer, now: datetime) -> None:
    """Send a text that nobody waits for: as customer-service messages, where WeChat allows them.

    The caller holds both rows.
    """
    message = session.get_one(InboundMessage, answer.message_id)
    if is_silent(follower, now):
        drop(answer, "person", now)
        return
    left = sends.allowance(session, follower.id, now).left if may_write_later(session, account, follower) else 0
    if not left:
        drop(answer, "nobody", now)
        return
    text = said(session, account, answer)
    if _wrote_since(session, answer, follower):
        short = answer.question if len(answer.question) <= 20 else f"{answer.question[:20]}…"
        text = f"「{short}」\n{text}"  # whoever has asked something else since sees to what this belongs
    for part in _within(split_text(text), left, answer.id):
        sends.create(session, account.id, follower.id, Text(text=part), message_id=message.id)
    answer.way = Way.CUSTOMER
    _end(answer, now)
    _keep(message, None, "The answer was sent as a customer-service message.", answer.trace)


def said(session: Session, account: Account, answer: Answer) -> str:
    """With the mark that a machine wrote it."""
    signature = "" if answer.trouble else assistant.get(session, account).signature
    return f"{answer.text}\n{signature}" if signature else answer.text


def drop(answer: Answer, trouble: str, now: datetime) -> None:
    answer.state, answer.trouble, answer.ended_at = AnswerState.DROPPED, trouble, now


def lock_follower(session: Session, follower_id: int) -> Follower:
    return session.get_one(Follower, follower_id, with_for_update=True, populate_existing=True)


def is_silent(follower: Follower, now: datetime) -> bool:
    """A person is in charge."""
    return follower.silent_until is not None and follower.silent_until > now


def may_write_later(session: Session, account: Account, follower: Follower) -> bool:
    is_there = follower.is_subscribed and follower.blocked_at is None
    return is_there and abilities.may(account, "write_later") and sends.allowance(session, follower.id).left > 0


def _elsewhere(
    session: Session, account: Account, follower: Follower, answer: Answer, message: InboundMessage
) -> Taken:
    if may_write_later(session, account, follower):
        answer.way = Way.CUSTOMER
        return Taken(None)
    answer.way = Way.LINK
    sentence = assistant.get(session, account).link_reply
    reply = Text(text=f"{sentence}\n{assistant_links.address(answer.id)}")
    _keep(message, reply, "There was no time: the follower got a link to the answer.")
    return Taken(reply)


def _give_as_reply(
    session: Session, account: Account, follower: Follower, answer: Answer, message: InboundMessage, now: datetime
) -> Reply:
    first, *rest = split_text(said(session, account, answer))
    if rest:
        left = sends.allowance(session, follower.id, now).left if may_write_later(session, account, follower) else 0
        first, *rest = _within([first, *rest], 1 + left, answer.id)
    reply = Text(text=first)
    for part in rest:
        sends.create(session, account.id, follower.id, Text(text=part), message_id=message.id)
    answer.way = Way.PASSIVE
    _end(answer, now)
    _keep(message, reply, "The assistant answered.", answer.trace)
    return reply


def _within(parts: list[str], most: int, answer_id: int) -> list[str]:
    """No more messages than WeChat takes: the last one leads to the whole text."""
    if len(parts) <= most:
        return parts
    end = f"…\n{assistant_links.address(answer_id)}"
    last = split_text(parts[most - 1], limits.TEXT_BYTES - len(end.encode()))[0].rstrip()
    return [*parts[: most - 1], last + end]


def _end(answer: Answer, now: datetime) -> None:
    answer.state, answer.ended_at = AnswerState.GIVEN, now


def _keep(message: InboundMessage, reply: Reply | None, why: str, trace: Sequence[dict[str, Any]] = ()) -> None:
    """In the message's row: a repeat gets the same, and people see why."""
    if reply is not None:
        message.reply = reply.model_dump(mode="json")
    message.trace = [*message.trace, {"handler": "assistant", "why": why}, *trace]


def _wrote_since(session: Session, answer: Answer, follower: Follower) -> bool:
    later = select(InboundMessage.id).where(
        InboundMessage.account_id == answer.account_id,
        InboundMessage.openid == follower.openid,
        InboundMessage.id > answer.message_id,
        InboundMessage.kind != "event",
    )
    return session.scalar(later.limit(1)) is not None


# Where it is read ----------------------------------------------------------------------------------------------------


class Shown(NamedTuple):
    """An answer on a page of its own."""

    account: str
    question: str
    state: str  # waiting, there, or gone: a person answers instead
    text: str


def for_page(session: Session, answer_id: int) -> Shown | None:
    """For whoever holds its signed address; None: it was deleted, as with its follower."""
    answer = session.get(Answer, answer_id)
    if answer is None:
        return None
    account = session.get_one(Account, answer.account_id)
    waiting = answer.state in OPEN
    is_gone = answer.state is AnswerState.DROPPED
    text = "" if waiting or is_gone else said(session, account, answer)
    return Shown(account.title, answer.question, "waiting" if waiting else "gone" if is_gone else "there", text)


# For people ----------------------------------------------------------------------------------------------------------


def try_out(session: Session, account: Account, question: str, now: datetime) -> Answer:
    """Ask the model something from the console; nobody else sees the answer.

    Raises:
        Refused: no question, or no model to ask.
    """
    question = question.strip()
    if not 1 <= len(question) <= 500:
        raise Refused("Write a question of 1 to 500 characters.", field="question")
    settings: Assistant = assistant.get(session, account)
    if not settings.url or not settings.model:
        raise Refused("Give the address and the name of the model first.", field="question")
    answer = Answer(account_id=account.id, question=question, way=Way.TRIAL, deadline_at=now + DEADLINE)
    session.add(answer)
    session.flush()
    enqueue(session, "assistant.answer", answer.id, queue="assistant")
    return answer


def get(session: Session, account: Account, answer_id: int) -> Answer:
    answer = session.scalar(select(Answer).where(Answer.id == answer_id, Answer.account_id == account.id))
    if answer is None:
        raise NotFound("There is no such answer.")
    return answer


def page(session: Session, account: Account, before: int | None = None, limit: int = 50) -> list[Answer]:
    """Newest first; ``before`` is the last id of the page before."""
    query = select(Answer).where(Answer.account_id == account.id)
    if before is not None:
        query = query.where(Answer.id < before)
    return list(session.scalars(query.order_by(Answer.id.desc()).limit(limit)))


def latest_ended(session: Session, account_id: int, since: datetime, limit: int = 20) -> list[Answer]:
    """What became of the last ones that were asked for followers or for trial, newest first."""
    query = select(Answer).where(Answer.account_id == account_id, Answer.created_at >= since)
    waiting = (AnswerState.PENDING, AnswerState.WORKING)
    return list(session.scalars(query.where(Answer.state.not_in(waiting)).order_by(Answer.id.desc()).limit(limit)))

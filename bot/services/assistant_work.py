"""A worker's side of an answer: claimed with a lease and a fence, asked, and ended whatever happens."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from bot.queue import enqueue
from bot.services import (
    assistant,
    assistant_answers,
    assistant_limits,
    assistant_prompt,
    assistant_words,
    knowledge,
    moderation,
    vault,
)
from bot.services.assistant_answers import GONE
from bot.services.assistant_prompt import Messages, Turn
from models import Account, Answer, AnswerState, Assistant, InboundMessage, Way

LEASE = timedelta(seconds=6)  # renewed while the model writes: after a crash another worker begins within it
TRIES = 3
MEMORY = timedelta(hours=12)  # what a follower wrote longer ago is another talk


@dataclass(frozen=True, slots=True)
class Work:
    """A question that is ours to ask, until the lease ends."""

    answer_id: int
    fence: int
    account_id: int
    follower_id: int | None
    url: str
    key: str
    model: str
    is_streamed: bool
    max_tokens: int
    messages: Messages
    day: date
    reserved: tuple[int, int]  # tokens and cost


@dataclass(frozen=True, slots=True)
class Written:
    """What the model made of it; ``trouble``: one of assistant_answers.WHY, and then there is no text."""

    text: str = ""
    trouble: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    milliseconds: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What will be asked; nothing of it is anybody's yet."""

    answer_id: int
    messages: Messages
    trace: list[dict[str, Any]]


def prepare(session: Session, answer_id: int, now: datetime) -> Prepared | None:
    """Look up what the model is told; None: it is taken, or ended."""
    answer = session.get(Answer, answer_id)
    if answer is None or answer.state is not AnswerState.PENDING or answer.due_at > now:
        return None
    account = session.get_one(Account, answer.account_id)
    settings = assistant.get(session, account)
    found = knowledge.search(session, account.id, answer.question)
    turns = _turns(session, answer, settings.turns, now)
    messages = assistant_prompt.build(account.title, settings.prompt, found, turns, answer.question)
    told = [
        {"handler": "assistant", "why": "It was told this passage.", "title": _cited(each), "passage": each.passage_id}
        for each in found
    ]
    nothing = [{"handler": "assistant", "why": "No passage of the knowledge has to do with it."}]
    return Prepared(answer_id, messages, told or nothing)


def claim(session: Session, prepared: Prepared, now: datetime) -> Work | None:
    """Take a question; commit before asking.  None: it is taken, ended, or ends here with the reason in its row."""
    answer_id, messages = prepared.answer_id, prepared.messages
    known = session.execute(select(Answer.follower_id, Answer.account_id).where(Answer.id == answer_id)).one_or_none()
    if known is None:
        return None
    follower = assistant_answers.lock_follower(session, known.follower_id) if known.follower_id else None
    fence = session.scalar(
        update(Answer)
        .where(Answer.id == answer_id, Answer.state == AnswerState.PENDING, Answer.due_at <= now)
        .values(state=AnswerState.WORKING, fence=Answer.fence + 1, due_at=now + LEASE)
        .returning(Answer.fence)
        .execution_options(synchronize_session=False)
    )
    if fence is None:
        return None
    answer = session.get_one(Answer, answer_id, populate_existing=True)
    account = session.get_one(Account, known.account_id)
    settings = assistant.get(session, account)
    if follower is not None and assistant_answers.is_silent(follower, now):
        assistant_answers.drop(answer, "person", now)
        return None
    answer.trace = prepared.trace
    most = assistant_prompt.most(messages)
    reserved = (most + settings.max_tokens, assistant_limits.cost_of(settings, most, settings.max_tokens))
    day = assistant_limits.day_of(account.timezone, now)
    key, trouble = "", "crashed" if fence > TRIES else ""
    try:
        key = assistant.key(account, settings)
    except vault.Unreadable:
        trouble = "secret"
    if not trouble and not assistant_limits.reserve(session, settings, answer.follower_id, day, *reserved):
        trouble = "limit"
    if trouble:
        _end(session, account, settings, answer, Written(trouble=trouble), now, follower)
        return None
    return Work(
        answer_id=answer_id,
        fence=fence,
        account_id=account.id,
        follower_id=answer.follower_id,
        url=assistant.endpoint(settings.url),
        key=key,
        model=settings.model,
        is_streamed=settings.is_streamed,
        max_tokens=settings.max_tokens,
        messages=messages,
        day=day,
        reserved=reserved,
    )


def finish(session: Session, work: Work, written: Written, now: datetime) -> bool:
    """Keep what the model wrote, and give it if nobody comes for it; False: the lease was lost, nothing was given."""
    follower = assistant_answers.lock_follower(session, work.follower_id) if work.follower_id else None
    answer = session.get_one(Answer, work.answer_id, with_for_update=True, populate_existing=True)
    account = session.get_one(Account, work.account_id)
    settings = assistant.get(session, account)
    took = assistant_limits.cost_of(settings, written.tokens_in, written.tokens_out)
    tokens = written.tokens_in + written.tokens_out
    is_ours = answer.fence == work.fence and answer.state is AnswerState.WORKING
    if is_ours:
        _end(session, account, settings, answer, written, now, follower)
    assistant_limits.adjust(
        session, settings, work.follower_id, work.day, tokens - work.reserved[0], took - work.reserved[1]
    )
    return is_ours


def renew(session: Session, answer_ids: list[int], now: datetime) -> None:
    """Hold these for another lease: their worker lives."""
    session.execute(
        update(Answer)
        .where(Answer.id.in_(answer_ids), Answer.state == AnswerState.WORKING)
        .values(due_at=now + LEASE)
        .execution_options(synchronize_session=False)
    )


def let_go(session: Session, answer_ids: list[int], now: datetime) -> None:
    """The worker stops: another one may begin at once."""
    session.execute(
        update(Answer)
        .where(Answer.id.in_(answer_ids), Answer.state == AnswerState.WORKING)
        .values(state=AnswerState.PENDING, due_at=now)
        .execution_options(synchronize_session=False)
    )


def due(session: Session, now: datetime, limit: int = 500) -> tuple[list[int], list[int]]:
    """Ids to hint, and ids to ``end``: past their deadline, or there and nobody came for them."""
    session.execute(
        update(Answer)
        .where(
            Answer.state == AnswerState.WORKING,
            # Given before the clock was put back: no lease ends that late.
            or_(Answer.due_at <= now, Answer.due_at > now + 2 * LEASE),
        )
        .values(state=AnswerState.PENDING, due_at=now)
        .execution_options(synchronize_session=False)
    )
    waiting = Answer.state.in_((AnswerState.PENDING, AnswerState.WORKING))
    forgotten = and_(Answer.state == AnswerState.READY, Answer.attempted_at <= now - GONE)
    over = select(Answer.id).where(or_(and_(waiting, Answer.deadline_at <= now), forgotten)).limit(limit)
    pending = select(Answer.id).where(
        Answer.state == AnswerState.PENDING, Answer.due_at <= now, Answer.deadline_at > now
    )
    return list(session.scalars(pending.order_by(Answer.due_at).limit(limit))), list(session.scalars(over))


def hint(session: Session, answer_ids: list[int]) -> None:
    for answer_id in answer_ids:
        enqueue(session, "assistant.answer", answer_id, queue="assistant")


def end(session: Session, answer_id: int, now: datetime) -> None:
    """Past its deadline: the fallback sentence instead.  There already, and nobody came: give it another way."""
    known = session.execute(select(Answer.follower_id, Answer.account_id).where(Answer.id == answer_id)).one()
    follower = assistant_answers.lock_follower(session, known.follower_id) if known.follower_id else None
    answer = session.get_one(Answer, answer_id, with_for_update=True, populate_existing=True)
    account = session.get_one(Account, known.account_id)
    if answer.state in (AnswerState.PENDING, AnswerState.WORKING) and answer.deadline_at <= now:
        answer.fence += 1  # who still works on it reports to nobody
        _end(session, account, assistant.get(session, account), answer, Written(trouble="late"), now, follower)
    if answer.state is AnswerState.READY and answer.attempted_at <= now - GONE and follower is not None:
        assistant_answers.give(session, account, follower, answer, now)


def _end(
    session: Session,
    account: Account,
    settings: Assistant,
    answer: Answer,
    written: Written,
    now: datetime,
    follower: Any = None,
) -> None:
    """There is a text now, the model's or the fallback sentence; who holds the rows calls this."""
    text, trouble = assistant_words.plain(written.text), written.trouble
    if not trouble and not text:
        trouble = "empty"
    if not trouble and moderation.found(settings.words_out, text):
        trouble = "words"
    answer.state = AnswerState.READY
    answer.text, answer.trouble = (settings.fallback_reply if trouble else text), trouble
    answer.tokens_in, answer.tokens_out = written.tokens_in, written.tokens_out
    answer.milliseconds = written.milliseconds
    if trouble:
        answer.trace = [*answer.trace, {"handler": "assistant", "why": assistant_answers.WHY[trouble]}]
    if answer.way in (Way.LINK, Way.TRIAL):  # it is read where it stands
        answer.state, answer.ended_at = AnswerState.GIVEN, now
        if answer.way is Way.LINK and answer.follower_id is not None:
            follower = follower or assistant_answers.lock_follower(session, answer.follower_id)
            if assistant_answers.is_silent(follower, now):
                assistant_answers.drop(answer, "person", now)
    elif answer.way is Way.CUSTOMER and answer.follower_id is not None:
        follower = follower or assistant_answers.lock_follower(session, answer.follower_id)
        assistant_answers.give(session, account, follower, answer, now)


def _cited(found: knowledge.Found) -> str:
    return f"{found.source} › {found.title}" if found.title else found.source


def _turns(session: Session, answer: Answer, count: int, now: datetime) -> list[Turn]:
    """This follower's own last ones before the question, oldest first."""
    if answer.follower_id is None or not count:
        return []
    own = select(InboundMessage.openid).where(InboundMessage.id == answer.message_id).scalar_subquery()
    rows = session.execute(
        select(InboundMessage.text, InboundMessage.reply, Answer.text.label("answer"))
        .outerjoin(Answer, and_(Answer.message_id == InboundMessage.id, Answer.state == AnswerState.GIVEN))
        .where(
            InboundMessage.account_id == answer.account_id,
            InboundMessage.openid == own,
            InboundMessage.id < answer.message_id,
            InboundMessage.kind == "text",
            InboundMessage.received_at > now - MEMORY,
        )
        .order_by(InboundMessage.id.desc())
        .limit(count)
    ).all()
    return [Turn(row.text, row.answer or str((row.reply or {}).get("text", ""))) for row in reversed(rows)]

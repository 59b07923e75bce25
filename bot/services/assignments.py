"""Who gets the next conversation: the account's rule, each agent's capacity, and whoever is there."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session, joinedload

from bot import clock
from bot.errors import Refused
from bot.queue import enqueue
from bot.services import access, conversations
from models import Account, Agent, Assigning, Conversation, ConversationStatus, Follower, Operator

AT_ONCE = 200  # conversations of one transaction
PRESENT = timedelta(seconds=45)  # a browser speaks every 20 seconds; who has been silent longer gets nothing new
CAPACITY = (0, 1000)


def agent(session: Session, account: Account, operator: Operator) -> Agent:
    """How this operator takes part; made when they first open the inbox."""
    query = select(Agent).where(Agent.account_id == account.id, Agent.operator_id == operator.id)
    found = session.scalar(query)
    if found is None:  # two tabs may open at once
        insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
        values = {"account_id": account.id, "operator_id": operator.id}
        session.execute(insert(Agent).values(**values).on_conflict_do_nothing())
        found = session.scalars(query).one()
    return found


def seen(session: Session, account: Account, operator: Operator, now: datetime) -> None:
    """Their browser spoke: they are there."""
    agent(session, account, operator)
    was = session.scalar(
        select(Agent.seen_at).where(Agent.account_id == account.id, Agent.operator_id == operator.id).with_for_update()
    )
    session.execute(
        update(Agent).where(Agent.account_id == account.id, Agent.operator_id == operator.id).values(seen_at=now)
    )
    if was is None or was < now - PRESENT:
        enqueue(session, "inbox.assign", account.id, queue="replies")


def must_tell(session: Session, account: Account, operator: Operator, now: datetime) -> bool:
    """Whether ``seen`` is due: at most every 20 seconds, however many pages are open."""
    query = select(Agent.seen_at).where(Agent.account_id == account.id, Agent.operator_id == operator.id)
    at = session.scalar(query)
    return at is None or at < now - PRESENT / 2.25


def set_part(session: Session, account: Account, operator: Operator, *, is_available: bool, capacity: int) -> Agent:
    """
    Raises:
        Refused: not a number of conversations.
    """
    if not CAPACITY[0] <= capacity <= CAPACITY[1]:
        raise Refused("Give a number of conversations from 0 to 1,000.", field="capacity")
    found = agent(session, account, operator)
    found.is_available, found.capacity = is_available, capacity
    session.flush()
    enqueue(session, "inbox.assign", account.id, queue="replies")
    return found


def list_agents(session: Session, account: Account) -> list[tuple[Agent, int]]:
    """All who may answer and ever opened the inbox, each with how many open conversations they have."""
    loads = _loads(session, account)
    found = session.scalars(
        select(Agent).where(Agent.account_id == account.id).options(joinedload(Agent.operator)).order_by(Agent.id)
    )
    allowed = _who_answer(session, account)
    return [(each, loads[each.operator_id]) for each in found if each.operator_id in allowed]


def assign_waiting(session: Session, account: Account, now: datetime) -> int:
    """Give the queue's conversations away, oldest first, as long as somebody has room; how many.

    The agents' rows are held: two who assign at once would each count the other's conversations as not there.
    """
    if account.assigning is Assigning.BY_HAND:
        return 0
    present = session.scalars(_present(account, now).with_for_update()).all()
    loads = _loads(session, account)
    allowed = _who_answer(session, account)
    agents = [each for each in present if loads[each.operator_id] < each.capacity and each.operator_id in allowed]
    room = sum(each.capacity - loads[each.operator_id] for each in agents)
    if not room:
        return 0
    queued = (
        Conversation.account_id == account.id,
        Conversation.closed_at.is_(None),
        Conversation.snoozed_until.is_(None),
        Conversation.assignee_id.is_(None),
    )
    waiting = session.scalars(
        select(Conversation)
        .join(Follower, Follower.id == Conversation.follower_id)
        .where(*queued)
        .order_by(func.coalesce(Conversation.waiting_since, Conversation.opened_at), Conversation.id)
        .limit(min(room, AT_ONCE))
        # All of their rows before the journal's head; whoever is held is being taken or writes, and comes next time.
        .with_for_update(of=Follower, skip_locked=True)
    ).all()
    given = 0
    for conversation in waiting:
        session.refresh(conversation)  # it was looked up before its follower was held: somebody may have taken it
        if conversation.status is not ConversationStatus.QUEUED:
            continue
        free = [each for each in agents if loads[each.operator_id] < each.capacity]
        chosen = min(free, key=_turn(account.assigning, loads))
        operator = session.get_one(Operator, chosen.operator_id)
        conversations.assign(session, account, conversation, operator, who="", why=account.assigning.value)
        loads[chosen.operator_id] += 1
        chosen.assigned_at = clock.now() + timedelta(microseconds=given)  # in this order, within one moment too
        given += 1
    if given < room and session.scalar(select(Conversation.id).where(*queued).limit(1)) is not None:
        enqueue(session, "inbox.assign", account.id, queue="replies")  # more than AT_ONCE, or some were held
    return given


def return_offline(session: Session, account: Account, now: datetime) -> int:
    """Who waits for somebody who has gone goes back to the queue; how many."""
    gone = now - timedelta(minutes=account.offline_minutes)
    waiting = session.scalars(
        select(Conversation)
        .join(Follower, Follower.id == Conversation.follower_id)
        .join(Agent, (Agent.account_id == Conversation.account_id) & (Agent.operator_id == Conversation.assignee_id))
        .where(
            Conversation.account_id == account.id,
            Conversation.closed_at.is_(None),
            Conversation.snoozed_until.is_(None),
            Conversation.waiting_since.is_not(None),
            Agent.seen_at < gone,
        )
        .limit(AT_ONCE)
        .with_for_update(of=Follower, skip_locked=True)
    ).all()
    returned = 0
    for conversation in waiting:
        had = conversation.assignee_id
        session.refresh(conversation)
        if conversation.status is ConversationStatus.ASSIGNED and conversation.assignee_id == had:
            conversations.give_back(session, account, conversation, who="", why="offline")
            returned += 1
    return returned


def _present(account: Account, now: datetime) -> Select[Agent]:
    return (
        select(Agent)
        .where(Agent.account_id == account.id, Agent.is_available, Agent.seen_at > now - PRESENT)
        .order_by(Agent.id)
        .execution_options(populate_existing=True)
    )


def _loads(session: Session, account: Account) -> Counter[int]:
    """Operator → how many awake open conversations are theirs."""
    rows = session.execute(
        select(Conversation.assignee_id, func.count())
        .where(
            Conversation.account_id == account.id,
            Conversation.closed_at.is_(None),
            Conversation.snoozed_until.is_(None),
            Conversation.assignee_id.is_not(None),
        )
        .group_by(Conversation.assignee_id)
    )
    return Counter({operator_id: count for operator_id, count in rows if operator_id is not None})


def _turn(rule: Assigning, loads: Counter[int]) -> Callable[[Agent], tuple[float, float, int]]:
    def turn(each: Agent) -> tuple[float, float, int]:
        last = each.assigned_at.timestamp() if each.assigned_at else 0.0
        load = loads[each.operator_id] if rule is Assigning.LEAST_LOADED else 0
        return load, last, each.id

    return turn


def _who_answer(session: Session, account: Account) -> set[int]:
    return {each.id for each in access.who_may(session, account, "conversations:write")}

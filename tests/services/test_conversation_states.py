"""The state machine: whatever is asked, in whatever order, only the published table happens, and the journal tells."""

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Row, bindparam, func, select

from bot import clock
from bot.errors import Conflict
from bot.services import conversation_queues, conversation_states, conversation_times, conversations, journal
from bot.services.conversation_queues import Queue
from bot.services.conversation_states import BOT, TRANSITIONS, Command
from bot.wechat.messages import Text
from models import Account, Conversation, ConversationStatus, Follower, JournalEntry, Operator, Role
from tests.flows.phone import wait

DOCS = Path(__file__).parents[2] / "docs" / "conversations.md"
FOLLOWERS, PEOPLE = 6, 3
# Looked at after every step, so: columns, and statements that are put together once.
STATE = (
    select(
        *(Conversation.follower_id, Conversation.id, Conversation.assignee_id, Conversation.waiting_since),
        *(Conversation.first_replied_at, Conversation.snoozed_until, Conversation.closed_at, Conversation.closed_why),
        Conversation.seq,
    )
    .where(Conversation.id >= bindparam("oldest"))
    .order_by(Conversation.id)
)
ENTRIES = (
    select(JournalEntry.seq, JournalEntry.kind, JournalEntry.who, JournalEntry.at, JournalEntry.conversation_id)
    .where(JournalEntry.seq > bindparam("after"))
    .order_by(JournalEntry.seq)
)
# What may be written into the journal when a command is done.
KINDS = {
    Command.ASK: {"opened", "wrote"},
    Command.TAKE: {"opened", "taken", "woken"},
    Command.ASSIGN: {"assigned"},
    Command.RETURN: {"returned"},
    Command.SNOOZE: {"snoozed"},
    Command.WAKE: {"woken"},
    Command.REPLY: {"replied"},
    Command.CLOSE: {"closed"},
    Command.REOPEN: {"reopened"},
}


def test_the_published_table_is_the_one_that_rules():
    for line in conversation_states.table().splitlines():
        assert line in DOCS.read_text(), "write docs/conversations.md anew: conversation_states.table()"


class Inbox:
    """Some followers, some operators, and every command there is."""

    def __init__(self, session, account: Account, followers: list[Follower], people: list[Operator], seed: int) -> None:
        self.session, self.account, self.people = session, account, people
        self.followers = [follower.id for follower in followers]
        self.random = random.Random(seed)
        self.done: Counter[tuple[Command, str]] = Counter()
        self.refused: Counter[tuple[Command, str]] = Counter()
        self.seq = 0
        self.now: dict[int, Row] = {}
        self.objects: dict[int, Conversation] = {}  # the session forgets what nobody holds

    def look(self) -> dict[int, Row]:
        """Each follower's newest conversation, as it stands in the table."""
        self.session.flush()
        oldest = min((row.id for row in self.now.values()), default=0) if len(self.now) == len(self.followers) else 0
        return {row.follower_id: row for row in self.session.execute(STATE, {"oldest": oldest})}

    def status(self, follower_id: int) -> str:
        row = self.now.get(follower_id)
        if row is None:
            return BOT
        if row.closed_at is not None:
            return ConversationStatus.CLOSED
        if row.snoozed_until is not None:
            return ConversationStatus.SNOOZED
        return ConversationStatus.ASSIGNED if row.assignee_id else ConversationStatus.QUEUED

    def step(self) -> None:
        self.before = self.now
        pick = self.random.random()
        if pick < 0.06:
            self.time_passes()
            kinds, who = {"closed", "woken"}, {""}
        elif pick < 0.16:
            self.follower_acts()
            kinds, who = {"wrote", "woken", "closed"}, {""}
        else:
            kinds, who = self.command()
        self.check(kinds, who)

    def time_passes(self) -> None:
        wait(self.random.choice([1, 20, 40, 900, 4000]))
        conversation_times.close_timed_out(self.session, clock.now())
        conversation_times.wake_due(self.session, clock.now())

    def follower_acts(self) -> None:
        follower = self.random.choice(self.followers)
        if self.random.random() < 0.8:
            conversations.wrote(self.session, follower, clock.now(), "hello")
        else:
            conversations.close(self.session, follower, "unsubscribed", clock.now())

    def command(self) -> tuple[set[str], set[str]]:
        command = self.random.choice(list(Command))
        by = self.random.choice([None, *self.people])
        follower_id = self.random.choice(self.followers)
        was = self.status(follower_id)
        if command in (Command.ASK, Command.TAKE) and was == ConversationStatus.CLOSED:
            was = BOT  # they open another one
        elif was == BOT and command not in (Command.ASK, Command.TAKE):
            return set(), set()  # the bot's: there is nothing to name
        found = None if was == BOT else self.conversation(follower_id)
        try:
            is_done = self.do(command, follower_id, found, by)
        except Conflict:
            is_late = command is Command.REOPEN and was == ConversationStatus.CLOSED
            assert (command, was) not in TRANSITIONS or is_late, (command, was)
            self.refused[command, was] += 1
            return set(), set()
        if not is_done:  # a second press of "Hand back": nothing to check but that nothing changed
            return set(), set()
        assert (command, was) in TRANSITIONS, (command, was)
        self.now = self.look()
        assert self.status(follower_id) in TRANSITIONS[command, was], (command, was)
        self.done[command, was] += 1
        actor = "" if command is Command.ASK else by.name if by else "API"
        return KINDS[command], {actor}

    def conversation(self, follower_id: int) -> Conversation:
        held = self.objects.get(follower_id)
        if held is None or held.id != self.now[follower_id].id:
            held = self.objects[follower_id] = self.session.get_one(Conversation, self.now[follower_id].id)
        return held

    def do(self, command: Command, follower_id: int, found: Conversation | None, by: Operator | None) -> bool:
        session, account, now = self.session, self.account, clock.now()
        match command, found:
            case Command.ASK, Conversation():  # somebody is in charge: it is a message like any other
                if found.status.value not in {was for wanted, was in TRANSITIONS if wanted is Command.ASK}:
                    raise Conflict("")
            case Command.ASK, None:
                conversations.open_for(session, account.id, follower_id, 60, now, is_waiting=True)
            case Command.TAKE, _:
                conversations.take(session, account, session.get_one(Follower, follower_id), by)
            case Command.ASSIGN, Conversation():
                conversations.assign(session, account, found, self.random.choice(self.people), by)
            case Command.RETURN, Conversation():
                conversations.give_back(session, account, found, by)
            case Command.SNOOZE, Conversation():
                until = now + timedelta(seconds=self.random.choice([1, 30, 5000]))
                conversations.snooze(session, account, found, until, by)
            case Command.WAKE, Conversation():
                conversations.wake(session, found, by)
            case Command.REPLY, Conversation():
                conversations.reply(session, account, found, by, Text(text="Here"))
            case Command.CLOSE, Conversation():
                was_open = found.is_open
                conversations.hand_back(session, account, found, by)
                return was_open
            case Command.REOPEN, Conversation():
                conversations.reopen(session, account, found, by)
        return True

    def check(self, kinds: set[str], who: set[str]) -> None:
        before, self.now = self.before, self.look()
        entries = self.session.execute(ENTRIES, {"after": self.seq}).all()
        assert [entry.seq for entry in entries] == list(range(self.seq + 1, self.seq + len(entries) + 1))
        for entry in entries:
            assert (entry.kind in kinds, entry.who in who) == (True, True), (entry.kind, entry.who, kinds, who)
            assert timedelta(0) <= clock.now() - entry.at < timedelta(minutes=1)
        last = {entry.conversation_id: entry.seq for entry in entries}
        for follower_id, row in self.now.items():
            known = before.get(follower_id)
            if row.id in last:
                assert row.seq == last[row.id]
            else:
                assert row == known, "a change without an entry"
        if entries:
            self.seq = entries[-1].seq

    def invariants(self) -> None:
        session, account = self.session, self.account
        everything = session.scalars(select(Conversation)).all()
        is_open = [each for each in everything if each.is_open]
        assert len({each.follower_id for each in is_open}) == len(is_open)
        newest = dict(
            session.execute(
                select(JournalEntry.conversation_id, func.max(JournalEntry.seq)).group_by(JournalEntry.conversation_id)
            ).all()
        )
        for each in everything:
            assert each.seq == newest[each.id]
            assert each.is_open or (each.waiting_since is None and each.snoozed_until is None)
        assert session.scalar(select(func.count(JournalEntry.id))) == journal.last(session, account.id)
        lists = [Queue.UNASSIGNED, Queue.SNOOZED]
        parts = [each.id for queue in lists for each in conversation_queues.page(session, account, queue)]
        for person in self.people:
            parts += [each.id for each in conversation_queues.page(session, account, Queue.MINE, person.id)]
        assert sorted(parts) == sorted(each.id for each in is_open)


def run(session, create, commands: int, seed: int) -> Inbox:
    account = create.account()
    followers = [create.follower(account, may_get=10**7) for _ in range(FOLLOWERS)]
    people = [create.operator(f"agent {n}", role=Role.AGENT, account=account) for n in range(PEOPLE)]
    inbox = Inbox(session, account, followers, people, seed)
    for number in range(commands):
        inbox.step()
        if number % 500 == 0:
            inbox.invariants()
            session.info.clear()  # hints for workers that are not there
            session.commit()
            session.expire_all()
    inbox.invariants()
    return inbox


@pytest.fixture(autouse=True)
def windows_do_not_close(monkeypatch):
    """The clock runs for months here."""
    from bot.services import sends

    monkeypatch.setattr(sends, "allowance", lambda *_: sends.Allowance(5, None))


@pytest.mark.parametrize("seed", [1, 2])
def test_only_the_table_happens(session, create, seed):
    inbox = run(session, create, 1_500, seed)

    assert set(inbox.done) == set(TRANSITIONS)  # each was tried, and done
    assert (Command.WAKE, "assigned") in inbox.refused
    assert (Command.REPLY, "closed") in inbox.refused


@pytest.mark.campaign
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(50))
def test_only_the_table_happens_a_million_times(session, create, seed):
    inbox = run(session, create, 20_000, seed)

    assert set(inbox.done) == set(TRANSITIONS)


def test_a_change_that_the_table_does_not_know_is_found(session, create, monkeypatch):
    """Negative control: without the table's check a closed conversation is put off, and the walk notices."""
    monkeypatch.setattr(conversations, "must_allow", lambda *_: None)

    with pytest.raises(AssertionError):
        run(session, create, 500, 1)


def test_a_change_that_nobody_enters_is_found(session, create, monkeypatch):
    """Negative control: somebody closes a conversation past the journal."""
    monkeypatch.setattr(journal, "append", lambda *_, **__: 0)

    with pytest.raises(AssertionError, match="without an entry"):
        run(session, create, 100, 1)

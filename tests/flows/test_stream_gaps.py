"""INB-1: however often its line is cut, an inbox has the server's state.  The server is as `lobby up` starts it."""

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from bot import clock
from bot.database import reading, transaction
from bot.services import conversations, journal, operators
from models import Account, Conversation, Follower
from tests.factories import Create
from tests.processes import Granian
from tests.stack import until

GAP = 3  # events at least between a cut and the next line
FULL = [pytest.mark.campaign, pytest.mark.timeout(3600)]
State = tuple[int, str, str]  # of one conversation: its number in the journal, what was last said, its status


class Server:
    """The web process, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "granian.log"
        self.web = Granian(self.log)

    def restart(self) -> None:
        self.web.kill()
        self.web = Granian(self.log)


class Reader:
    """A browser's inbox, whose line is cut after any number of bytes, also within an event."""

    def __init__(self, server: Server, account: Account, cookie: str, seed: int, *, keeps_cursor: bool) -> None:
        self.server, self.account, self.keeps_cursor = server, account, keeps_cursor
        self.headers = {"Cookie": f"lobby={cookie}", "Accept": "text/event-stream"}
        self.name, self.chance = f"page{seed}", random.Random(seed)
        self.state: dict[int, State] = {}
        self.cursor = self.cuts = 0
        self.is_last = threading.Event()  # nothing more is written: read to the end

    def read(self) -> None:
        while not (self.is_last.is_set() and self.cursor >= head(self.account)):
            before = self.cursor
            try:
                self.listen(self.chance.randint(1, 3000), self.chance.random() < 0.3)
            except requests.RequestException:
                until(lambda: self.is_last.is_set(), 0.1)  # the server is starting
            self.cuts += 1
            self.wait_for_more(max(before, self.cursor) + GAP)
            if not self.keeps_cursor:
                self.cursor = head(self.account)

    def wait_for_more(self, number: int) -> None:
        until(lambda: self.is_last.is_set() or head(self.account) >= number, 10)

    def listen(self, most_bytes: int, waits_for_event: bool) -> None:
        """Cut after so many bytes; or only once an event has come, or who is far behind would never get a long one."""
        before = self.cursor
        address = f"{self.server.web.address}/console/{self.account.slug}/conversations/stream"
        query = {"after": str(self.cursor), "page": self.name}
        left, buffer = most_bytes, b""
        with requests.get(address, query, headers=self.headers, stream=True, timeout=(5, 30)) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_content(None):
                buffer += chunk if waits_for_event or self.is_last.is_set() else chunk[:left]
                left -= len(chunk)
                *frames, buffer = buffer.split(b"\n\n")
                for frame in frames:
                    self.take(frame.decode())
                if left <= 0 and not self.is_last.is_set() and (self.cursor > before or not waits_for_event):
                    return
                if self.is_last.is_set() and self.cursor >= head(self.account):
                    return

    def take(self, frame: str) -> None:
        lines = dict(line.split(": ", 1) for line in frame.split("\n") if ": " in line)
        if "id" not in lines:
            return
        told = json.loads(lines["data"])
        assert not told.get("reload")
        assert told["head"] >= self.cursor
        self.cursor = told["head"]
        for one in told["changed"]:
            if one["seq"] > self.state.get(one["id"], (0, "", ""))[0]:
                self.state[one["id"]] = (one["seq"], one["preview"], one["status"])


def head(account: Account) -> int:
    with reading() as session:
        return journal.last(session, account.id)


def happen(account: Account, follower_ids: list[int], chance: random.Random) -> None:
    """Somebody writes, or a person acts."""
    with transaction() as session:
        ours, follower = session.get_one(Account, account.id), session.get_one(Follower, chance.choice(follower_ids))
        talk = conversations.find_open(session, follower.id)
        if talk is None:
            conversations.take(session, ours, follower)
        elif chance.random() < 0.1:
            conversations.hand_back(session, ours, talk)
        else:
            conversations.hold(session, follower.id)
            conversations.wrote(session, follower.id, clock.now(), f"句 {chance.random()}")


def wait_for_all(readers: list[Reader]) -> None:
    """Each was cut again, or has heard something new."""
    before = [(each.cuts, each.cursor) for each in readers]
    until(lambda: not {(each.cuts, each.cursor) for each in readers} & set(before), 3)


def run(create: Create, folder: Path, events: int, *, keeps_cursor: bool) -> list[tuple[int, int]]:
    """For each of two readers: how often its line was cut, and in how many conversations it differs in the end."""
    account = create.account()
    people = [create.follower(account).id for _ in range(100)]
    cookie = operators.sign_in(create.session, create.operator(), "Firefox")
    create.session.commit()
    server, chance = Server(folder), random.Random(1)
    readers = [Reader(server, account, cookie, seed, keeps_cursor=keeps_cursor) for seed in (1, 2)]
    try:
        with ThreadPoolExecutor(len(readers)) as pool:
            reading_ = [pool.submit(reader.read) for reader in readers]
            try:
                for number in range(events):
                    happen(account, people, chance)
                    if number % 20 == 0:  # not all of it before the first line is there
                        wait_for_all(readers)
                    if number == events // 2:
                        server.restart()
            finally:
                for reader in readers:
                    reader.is_last.set()
            for each in reading_:
                each.result(60)
    finally:
        server.web.kill()
    with reading() as session:
        there = {talk.id: (talk.seq, talk.preview, talk.status.value) for talk in session.scalars(select(Conversation))}
    return [(each.cuts, sum(each.state.get(id) != state for id, state in there.items())) for each in readers]


@pytest.mark.parametrize("events", [400, pytest.param(10_000, marks=FULL)], ids=["short", "full"])
def test_nothing_is_missing_however_often_the_line_is_cut(create, redis, tmp_path, events):
    for cuts, different in run(create, tmp_path, events, keeps_cursor=True):
        assert cuts >= events // 50
        assert different == 0


def test_without_a_cursor_something_is(create, redis, tmp_path):
    """Negative control: a reader that goes on with what happens from its new line on misses what happened before."""
    for _cuts, different in run(create, tmp_path, 400, keeps_cursor=False):
        assert different > 0

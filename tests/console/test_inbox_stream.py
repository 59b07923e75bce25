"""INB-1: whatever a client misses, its next frame brings it to the server's state."""

import json
import random

from bot import clock
from bot.services import conversations
from models import Conversation
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse
from tests.factories import Create


def test_a_client_that_loses_its_line_again_and_again_has_the_servers_state(
    browser: Browser, house: TeaHouse, create: Create
) -> None:
    random.seed(7)
    with_cursor, without = {}, {}
    cursor = 0

    def ask(after: int) -> dict:
        return browser.open(f"/tea-house/conversations/stream?once=1&after={after}").json

    for turn in range(300):
        person = random.choice(house.people[:6])
        conversations.take(create.session, house.account, person)
        conversations.wrote(create.session, person.id, clock.now(), f"第 {turn} 句")
        create.session.commit()
        if random.random() < 0.1:
            frame = ask(cursor)
            cursor = frame["head"]
            with_cursor |= {each["id"]: each for each in frame["changed"]}
            if random.random() < 0.5:  # the other one's line was cut just then, and it keeps no cursor
                without |= {each["id"]: each for each in ask(cursor - 1)["changed"]}
    frame = ask(cursor)
    with_cursor |= {each["id"]: each for each in frame["changed"]}
    create.session.expire_all()
    there = {each.id: (each.seq, each.preview) for each in create.session.query(Conversation)}
    create.session.commit()
    assert {id: (each["seq"], each["preview"]) for id, each in with_cursor.items()} == there
    assert {id: (each["seq"], each["preview"]) for id, each in without.items()} != there


def test_the_stream_tells_what_changed_under_its_number_and_ends_with_a_newer_one(
    browser: Browser, house: TeaHouse, create: Create
) -> None:
    address = "/tea-house/conversations/stream?page=one&after={}"
    stream = browser.open(address.format(0), headers={"Accept": "text/event-stream"})
    frames = stream.iter_encoded()
    assert next(frames) == b"retry: 1500\n\n"
    frame = next(each for each in frames if b"data: {" in each)
    head, data = frame.decode().split("\n")[:2]
    told = json.loads(data.removeprefix("data: "))
    assert head == f"id: {told['head']}"
    assert {each["id"] for each in told["changed"]} >= {house.conversation.id}
    newer = browser.open(address.format(told["head"]), headers={"Accept": "text/event-stream"})
    assert all(b"data: {" not in each for each in frames)
    stream.close()
    newer.close()

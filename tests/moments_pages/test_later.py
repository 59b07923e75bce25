"""Posts that wait for their time, by forms alone and in a browser's own zone."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot import clock
from bot.jobs import moments as jobs
from bot.moments.pages.when import ZONE, typed
from tests.flows.phone import wait
from tests.moments_pages.people import Person, words
from tests.moments_pages.test_posts import photo

Make = Callable[..., Person]


def in_hours(hours: float) -> str:
    return f"{(clock.now() + timedelta(hours=hours)).astimezone(ZONE):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("language", "nothing", "waits"), [("en", "Nothing waits", "Do not publish it"), ("zh", "没有定时动态", "取消发布")]
)
def test_a_post_with_a_photo_waits_and_comes(person: Make, redis, language: str, nothing: str, waits: str) -> None:
    ann = person("ann", language=language)
    bob = person("bob", ann)
    assert nothing in ann.text("/scheduled")
    sent = ann.send(
        "/compose", "/compose", do="later", mode="friends", body="see you", at=in_hours(2), photos=[photo(0)]
    )
    assert "see you" in sent.text
    assert waits in words(sent)
    assert "/thumb" in sent.text
    assert "see you" not in bob.text("/")
    assert "see you" not in ann.text("/")

    wait(3 * 3600)
    jobs.publish()

    assert "see you" in bob.text("/")
    assert nothing in ann.text("/scheduled")


def test_another_time_keeps_all_of_it_and_cancelling_none(person: Make, redis) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    data = {"mode": "friends", "body": "later", "mentions": bob.address, "photos": [photo(0)], "place": "Xi'an"}
    ann.send("/compose", "/compose", do="later", at=in_hours(2), **data)
    one = ann.get("/scheduled").json["items"][0]
    moved = ann.send(f"/scheduled/{one['id']}", "/scheduled", do="move", at=in_hours(30))
    assert "It waits for the new time." in words(moved)
    now = ann.get("/scheduled").json["items"][0]
    assert {**now, "at": ""} == {**one, "at": ""}
    assert now["at"] > one["at"]
    for wrong in ("", in_hours(-1), "2026-13-40T99:00"):
        refused = ann.send(f"/scheduled/{one['id']}", "/scheduled", do="move", at=wrong)
        assert "Choose" in words(refused)
    assert ann.get("/scheduled").json["items"][0] == now
    assert bob.send(f"/scheduled/{one['id']}", "/scheduled", do="cancel").status_code == 404
    assert "It is not published." in words(ann.send(f"/scheduled/{one['id']}", "/scheduled", do="cancel"))
    assert ann.get("/scheduled").json["items"] == []


def test_a_time_that_cannot_be_keeps_what_was_typed(person: Make) -> None:
    ann = person("ann")
    refused = ann.send("/compose", "/compose", do="later", mode="friends", body="hello", at="")
    assert refused.status_code == 422
    assert "Choose a day and a time." in words(refused)
    assert ">hello</textarea>" in refused.text


@pytest.mark.parametrize(
    ("offset", "hour"),
    [("480", 4), ("0", 12), ("-300", 17), ("60", 11), ("NaN", 4), ("9" * 5000, 4), ("--1", 4), ("", 4)],
)
def test_a_moment_is_that_of_the_browsers_zone(offset: str, hour: int) -> None:
    assert typed("2026-12-01T12:00", offset).utctimetuple().tm_hour == hour

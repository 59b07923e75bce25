"""Posts for later: nobody sees any of it before, and then it is published once, for those whom it is for then."""

import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Select, func, select

from bot import clock
from bot.database import reading
from bot.errors import Refused
from bot.jobs import moments
from bot.moments import posts
from models import MediaState, Post, ScheduledPost
from tests import processes
from tests.moments.test_media import state_of

HOUR, DAY = 3_600, 86_400


def soon(**later: float) -> str:
    return (clock.now() + timedelta(**(later or {"hours": 1}))).isoformat()


def schedule(who, body: str = "for later", **values):
    return who("POST", "/scheduled", {"body": body, "at": soon(), **values})


def count(row=Post) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


@pytest.mark.databases
def test_a_post_waits_and_is_published_by_the_clock_alone(join, advance):
    """Without Redis: no hint is needed."""
    ann = join("ann")
    bob = join("bob", ann)
    photo = ann.photo()
    made = schedule(ann, place="Hangzhou", media=[photo], mentions=[bob.address])
    assert (made.status_code, made.json["is_late"], [each["name"] for each in made.json["mentions"]]) == (
        201, False, ["Bob"],
    )  # fmt: skip
    moments.publish()
    assert [each["id"] for each in ann.get("/scheduled").json["items"]] == [made.json["id"]]
    for who in (ann, bob):
        assert who.get("/feed").json["items"] == who.get("/search?q=later").json["items"] == []
    assert [who.get(f"/media/{photo}/thumb").status_code for who in (ann, bob)] == [200, 404]
    assert "mention" not in [each["kind"] for each in bob.get("/notices").json["items"]]

    advance(HOUR)
    moments.publish()
    moments.publish()

    (card,) = bob.get("/feed").json["items"]
    assert (card["body"], card["place"], [each["id"] for each in card["media"]]) == ("for later", "Hangzhou", [photo])
    assert abs(datetime.fromisoformat(card["at"]) - clock.now()) < timedelta(minutes=1)
    assert bob.get(f"/media/{photo}/thumb").status_code == 200
    assert bob.get("/notices").json["items"][0]["kind"] == "mention"
    assert ann.get("/scheduled").json["items"] == []
    assert ann("DELETE", f"/scheduled/{made.json['id']}").status_code == 404


@pytest.mark.databases
def test_its_audience_is_that_of_the_time_when_it_is_published(join, advance):
    ann = join("ann")
    bob, eve, tom = join("bob", ann), join("eve", ann), join("tom", ann)
    group = ann("POST", "/groups", {"name": "Family"}).json["id"]
    ann("PUT", f"/groups/{group}/members/{eve.address}")
    schedule(ann, audience={"mode": "allow", "allow_groups": [group]})
    schedule(ann, "not for tom", audience={"mode": "deny", "deny_members": [tom.address]})
    ann("PUT", f"/groups/{group}/members/{bob.address}")
    ann("DELETE", f"/groups/{group}/members/{eve.address}")
    ann("PUT", f"/blocks/{tom.address}")
    later = join("later", ann)
    advance(HOUR)
    moments.publish()
    ann("DELETE", f"/blocks/{tom.address}")  # whom it was denied stays shut out
    seen = {name: [post["body"] for post in who.get("/feed").json["items"]]
            for name, who in {"bob": bob, "eve": eve, "tom": tom, "later": later}.items()}  # fmt: skip
    assert seen == {
        "bob": ["not for tom", "for later"], "eve": ["not for tom"], "tom": [], "later": ["not for tom"],
    }  # fmt: skip


def test_it_is_changed_and_cancelled_by_its_author_alone(join, advance):
    ann = join("ann")
    bob = join("bob", ann)
    kept, away = ann.photo(), ann.photo()
    path = f"/scheduled/{schedule(ann, media=[away, kept]).json['id']}"
    for refused in (bob("DELETE", path), bob("PUT", path, {"body": "x", "at": soon()})):
        assert refused.status_code == 404
    changed = ann("PUT", path, {"body": "later still", "media": [kept], "at": soon(hours=2)})
    assert (changed.json["body"], [each["id"] for each in changed.json["media"]]) == ("later still", [kept])
    assert state_of(away) == MediaState.ERASED
    advance(HOUR)
    moments.publish()
    assert count() == 0
    assert [each["body"] for each in ann.get("/me/export").json["scheduled"]] == ["later still"]
    assert ann("DELETE", path).status_code == 204
    assert state_of(kept) == MediaState.ERASED
    advance(HOUR)
    moments.publish()
    assert (count(), count(ScheduledPost)) == (0, 0)


def test_what_could_not_be_published_is_refused_at_once(join):
    ann = join("ann")
    eve = join("eve")
    root = ann.post("look")
    for field, values in {
        "at": {"at": soon(hours=-1)},
        "body": {"body": " "},
        "mentions": {"mentions": [eve.address]},
        "media": {"media": [eve.photo()]},
        "root": {"root": root},
    }.items():
        answer = schedule(ann, **values)
        assert (answer.status_code in (409, 422), answer.json["error"]["field"]) == (True, field)
    assert schedule(ann, at=soon(days=366)).json["error"]["field"] == "at"
    assert schedule(ann, at="2030-01-01T00:00").json["error"]["field"] == "at"  # of which zone?
    assert count(ScheduledPost) == 0
    assert [schedule(ann).status_code for _ in range(13)] == [201] * 12 + [429]


@pytest.mark.databases
def test_what_is_a_day_late_waits_for_its_author(join, advance):
    """The server was off, or the member: nothing old comes out by itself."""
    ann = join("ann")
    first = schedule(ann).json["id"]
    ann("POST", "/me/off")
    advance(2 * HOUR)
    moments.publish()
    assert count() == 0
    advance(DAY)
    ann("POST", "/me/back")
    moments.publish()
    assert (count(), [each["is_late"] for each in ann.get("/scheduled").json["items"]]) == (0, [True])
    ann("PUT", f"/scheduled/{first}", {"body": "now then", "at": soon()})
    advance(HOUR)
    moments.publish()
    assert [each["body"] for each in ann.get("/feed").json["items"]] == ["now then"]


def test_one_that_fails_does_not_stop_the_others(join, advance, monkeypatch):
    ann = join("ann")
    schedule(ann, "breaks")
    schedule(ann, "works")
    real = posts.write

    def write(session, author, draft, root=None):
        if draft.body == "breaks":
            raise Refused("It breaks.")
        return real(session, author, draft, root)

    monkeypatch.setattr(posts, "write", write)
    advance(HOUR)
    moments.publish()
    assert [each["body"] for each in ann.get("/feed").json["items"]] == ["works"]
    assert count(ScheduledPost) == 1


def publish_slowly(_number: int, locks: bool) -> None:
    real = posts.write

    def write(*args):
        time.sleep(0.3)
        return real(*args)

    posts.write = write
    if not locks:
        Select.with_for_update = lambda self, **_options: self
    moments.publish()


@pytest.mark.databases
def test_many_clocks_publish_once(join, advance):
    ann = join("ann")
    schedule(ann)
    advance(HOUR)
    processes.at_once(4, publish_slowly, True)
    assert (count(), count(ScheduledPost)) == (1, 0)


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_without_the_lock_many_publish_more_than_once(join, advance):
    """Negative control."""
    ann = join("ann")
    schedule(ann)
    advance(HOUR)
    processes.at_once(4, publish_slowly, False)
    assert count() > 1

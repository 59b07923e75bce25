"""G1 to G3, P15, P16: one scroll shows each post that stayed visible exactly once, whatever happens meanwhile."""

import itertools
import random

import pytest
from sqlalchemy import select

from bot.database import transaction
from bot.moments import feed, stamps
from models import Edge, Member, Post, PostMode


@pytest.fixture
def people(join):
    """A reader with twelve friends and two hundred posts over ten years; returns the reader and the friends."""
    ann = join("ann")
    friends = [join(f"friend{number}") for number in range(12)]
    rng = random.Random(5)
    with transaction() as session:
        for friend in friends:
            for one, other in ((ann, friend), (friend, ann)):
                session.add(Edge(owner_id=one.member_id, other_id=other.member_id, since=1))
        now = stamps.now()
        for number in range(200):
            at = now - int(rng.random() ** 3 * 3650 * stamps.DAY) - number - 1
            mode = rng.choice([PostMode.FRIENDS] * 3 + [PostMode.PRIVATE])
            author = rng.choice([ann, *friends]).member_id
            session.add(Post(id=at, author_id=author, mode=mode, aud_at=at, body=f"{number}"))
    return ann, friends


def scroll(reader, size, path="/feed", between=lambda: None):
    """The posts of all pages; each but the last is full."""
    found, after = [], ""
    while after is not None:
        page = reader.get(f"{path}?limit={size}{after and f'&after={after}'}").json
        after = page["next"]
        assert after is None or len(page["items"]) == size
        found += [post["id"] for post in page["items"]]
        between()
    return found


@pytest.mark.databases
@pytest.mark.parametrize("walks", [False, True])
def test_every_page_size_and_source_shows_the_same(people, monkeypatch, walks):
    ann, _friends = people
    whole = scroll(ann, 100)
    monkeypatch.setattr(feed, "WALK_ABOVE", -1 if walks else 900)
    for size in (7, 20):
        assert scroll(ann, size) == whole
    assert len(whole) == len(set(whole)) > 120


@pytest.mark.databases
def test_what_stays_visible_appears_exactly_once_while_others_write(people, unlimited):
    ann, friends = people
    rng = random.Random(6)
    before = scroll(ann, 100)
    gone: set[str] = set()
    turn = itertools.count()

    def between() -> None:
        friend = friends[next(turn) % len(friends)]
        friend.post("new")
        for post in [each["id"] for each in friend.get(f"/members/{friend.address}/posts?limit=5").json["items"]]:
            if rng.random() < 0.3:
                gone.add(post)
                assert friend("DELETE", f"/posts/{post}").status_code == 204

    shown = scroll(ann, 20, between=between)
    assert len(shown) == len(set(shown))
    assert [post for post in before if post not in gone] == [post for post in shown if post not in gone]


def test_the_end_tells_nothing_of_what_is_hidden(join):
    """The next page is offered only if it holds something for this reader (X1)."""
    ann = join("ann")
    bob = join("bob", ann)
    ann.post("private", audience={"mode": "private"})
    seen = [ann.post(f"{number}") for number in range(2)]
    page = bob.get("/feed?limit=2").json
    assert [post["id"] for post in page["items"]] == seen[::-1]
    assert page["next"] is None


def test_publishing_writes_one_post_whatever_the_number_of_friends(people):
    ann, _friends = people
    with transaction() as session:
        before = len(session.scalars(select(Post.id)).all())
    ann.post("one")
    with transaction() as session:
        assert len(session.scalars(select(Post.id)).all()) == before + 1
        assert session.get(Member, ann.member_id).stamp > 0

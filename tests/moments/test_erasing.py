"""What is deleted is hidden at once and erased when it was promised."""

import signal

import pytest
from sqlalchemy import select

from bot.database import reading
from bot.jobs import moments
from models import Comment, Member, Post
from tests import processes

DAY = 86_400


@pytest.mark.databases
def test_words_are_erased_after_a_day_and_a_member_after_fifteen(join, advance):
    ann = join("ann")
    bob = join("bob", ann)
    post, other = ann.post("forget me"), bob.post("stays")
    ann("POST", f"/posts/{other}/comments", {"body": "forget this too"})
    assert ann("DELETE", f"/posts/{post}").status_code == 204
    moments.erase()
    assert "forget me" in kept(Post.body)  # it can still be taken back
    advance(DAY)
    moments.erase()
    assert kept(Post.body) == {"", "stays"}
    assert ann("DELETE", "/me").status_code == 204
    moments.erase()
    assert kept(Member.handle) == {"ann", "bob"}
    advance(15 * DAY)
    moments.erase()
    assert kept(Member.handle) == {"bob"}
    assert kept(Post.body) == {"stays"}
    assert kept(Comment.body) == set()
    assert bob.get(f"/posts/{other}").json["comment_count"] == 0


def test_a_place_and_a_link_are_erased_too_where_there_were_no_words(join, advance):
    ann = join("ann")
    for where in ({"link": "https://forget.example/"}, {"body": "", "link": "https://a.example/", "place": "forget"}):
        ann("DELETE", f"/posts/{ann.post(**where)}")
    advance(DAY)
    moments.erase()
    assert kept(Post.link) | kept(Post.place) == {""}


def test_a_deletion_is_taken_back_within_a_minute(join, advance):
    ann = join("ann")
    bob = join("bob", ann)
    post = ann.post("oops")
    ann("DELETE", f"/posts/{post}")
    assert ann("POST", f"/posts/{post}/restore").json["body"] == "oops"
    assert bob.get(f"/posts/{post}").status_code == 200
    ann("DELETE", f"/posts/{post}")
    advance(61)
    assert ann("POST", f"/posts/{post}/restore").status_code == 404


@pytest.mark.databases
@pytest.mark.parametrize(("time", "members_left"), [(1, {"ann", "bob"}), (2, {"bob"})])  # before the commit, after it
def test_k23_an_erasure_that_dies_goes_on_with_the_next_round(join, advance, monkeypatch, time, members_left):
    ann, bob = join("ann"), join("bob")
    post = bob.post("forget me")
    ann("DELETE", "/me")
    bob("DELETE", f"/posts/{post}")
    advance(15 * DAY)

    monkeypatch.setenv("LOBBY_TEST_KILL_AT", f"K23 between erasure's tables:{time}")
    process = processes.start(moments.erase)
    monkeypatch.delenv("LOBBY_TEST_KILL_AT")
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    assert kept(Member.handle) == members_left
    assert kept(Post.body) == {"forget me"}

    moments.erase()
    assert (kept(Member.handle), kept(Post.body)) == ({"bob"}, {""})


def kept(column):
    with reading() as session:
        return set(session.scalars(select(column)))

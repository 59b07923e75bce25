"""What is deleted is hidden at once and erased when it was promised."""

import pytest
from sqlalchemy import select

from bot.database import reading
from bot.jobs import moments
from models import Comment, Member, Post

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


def kept(column):
    with reading() as session:
        return set(session.scalars(select(column)))

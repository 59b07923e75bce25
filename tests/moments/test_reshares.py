"""What a reshare says to those who may not see its root: nothing that tells that there is one (2.7)."""

import pytest


@pytest.fixture
def three(join):
    """Ann sees what Bob passed on of Cem's, and not Cem's post: Cem hides from her."""
    ann, cem = join("ann"), join("cem")
    cem.befriend(ann)
    bob = join("bob", ann, cem)
    root = cem.post("the root")
    passed_on = bob.post("my own words", root=root)
    assert ann.get(f"/posts/{passed_on}").json["root"]["body"] == "the root"
    return ann, bob, cem, passed_on


def feed(reader):
    return [each["id"] for each in reader.get("/feed").json["items"]]


def change(browser, friend, **values):
    assert browser("PATCH", f"/friends/{friend.address}", values).status_code == 200


@pytest.mark.databases
def test_muting_somebody_whose_root_one_may_not_see_does_not_tell_that_there_is_one(three):
    ann, _bob, cem, passed_on = three
    change(ann, cem, mutes=True)
    assert passed_on not in feed(ann)
    change(cem, ann, hides=True)
    assert passed_on in feed(ann)  # as a plain post of Bob's words, whomever Ann has muted
    change(ann, cem, mutes=False)
    assert passed_on in feed(ann)


def test_passing_it_on_is_refused_like_any_other_post_that_may_not_be(three):
    ann, bob, cem, passed_on = three
    plain = bob.post("plain", reshare_ok=False)
    change(cem, ann, hides=True)
    refused, same = (ann("POST", "/posts", {"body": "", "root": post}) for post in (plain, passed_on))
    assert (same.status_code, same.data) == (refused.status_code, refused.data)
    assert same.status_code == 403

"""Notices that one does not want: of one post, of one kind, and those that begin switched off."""

import pytest


def kinds(browser):
    listed = [each["kind"] for each in browser.get("/notices").json["items"] if each["post"]]
    assert browser.get("/notices/unread").json["count"] >= len(listed)
    return listed


@pytest.mark.databases
def test_a_muted_post_is_quiet_until_it_is_wanted_again(join):
    ann = join("ann")
    bob = join("bob", ann)
    quiet, other = ann.post("quiet"), ann.post("other")
    bob("PUT", f"/posts/{quiet}/like")
    assert kinds(ann) == ["like"]
    assert ann("PUT", f"/posts/{quiet}/mute").status_code == 204
    assert ann("PUT", f"/posts/{quiet}/mute").status_code == 204  # twice changes nothing
    bob("POST", f"/posts/{quiet}/comments", {"body": "hi"})
    assert kinds(ann) == []
    assert [each["id"] for each in ann.get("/notices/muted").json["items"]] == [quiet]
    assert bob.get("/notices/muted").json["items"] == []
    bob("PUT", f"/posts/{other}/like")
    assert kinds(ann) == ["like"]
    assert ann("DELETE", f"/posts/{quiet}/mute").status_code == 204
    assert sorted(kinds(ann)) == ["like", "like"]  # what came meanwhile was never told


def test_muting_says_nothing_about_posts_one_may_not_see(join):
    ann, eve = join("ann"), join("eve")
    post = ann.post("for nobody yet")
    assert eve("PUT", f"/posts/{post}/mute").status_code == 404


def test_a_kind_can_be_switched_off(join):
    ann = join("ann")
    bob = join("bob", ann)
    post = ann.post("hi")
    bob("PUT", f"/posts/{post}/like")
    bob("POST", f"/posts/{post}/comments", {"body": "hi"})
    assert ann("PATCH", "/notices/choices", {"like": False}).json["like"] is False
    assert kinds(ann) == ["comment"]
    assert ann("PATCH", "/notices/choices", {"comment": False}).json["like"] is False  # what is left out stays
    assert kinds(ann) == []
    assert ann("PATCH", "/notices/choices", {"sneeze": False}).status_code == 422
    ann("PATCH", "/notices/choices", {"like": True, "comment": True})
    assert kinds(ann) == ["comment", "like"]


@pytest.mark.databases
def test_what_others_do_on_a_post_one_took_part_in_is_told_on_wish_and_of_friends_only(join):
    ann = join("ann")
    bob = join("bob", ann)
    cem = join("cem", ann, bob)
    eve = join("eve", ann)  # no friend of Bob's
    post = ann.post("hi")
    bob("PUT", f"/posts/{post}/like")
    cem("PUT", f"/posts/{post}/like")
    assert kinds(bob) == []  # as it begins
    choices = bob.get("/notices/choices").json
    assert (choices["also_like"], choices["also_comment"], choices["like"]) == (False, False, True)
    bob("PATCH", "/notices/choices", {"also_like": True, "also_comment": True})
    cem("DELETE", f"/posts/{post}/like")
    for browser in (cem, eve):
        browser("PUT", f"/posts/{post}/like")
        browser("POST", f"/posts/{post}/comments", {"body": "hello"})
    told = bob.get("/notices").json["items"]
    assert [(each["kind"], each["by"]["name"]) for each in told if each["post"]] == [
        ("also_comment", "Cem"),
        ("also_like", "Cem"),
    ]
    cem("DELETE", f"/posts/{post}/like")
    assert kinds(bob) == ["also_comment"]
    assert sorted(kinds(ann)) == ["comment", "comment", "like", "like"]  # the author hears of all, once

"""Being found by a code, changing the password, and who is signed in."""

import pytest

from bot.database import reading, transaction
from bot.errors import Conflict
from bot.moments import members
from bot.moments.api.contract import HEADER


def test_a_code_finds_its_member_until_it_is_renewed(join):
    ann, bob = join("ann"), join("bob")
    assert ann.get("/me/code").json == {"code": None, "address": "", "svg": ""}
    old = ann("POST", "/me/code").json
    assert old["address"].endswith(f"/moments/add/{old['code']}")
    assert old["svg"].startswith("<svg")
    assert ann.get("/me/code").json == old
    assert bob.get(f"/members?code={old['code']}").json["handle"] == "ann"
    new = ann("POST", "/me/code").json["code"]
    nobody = bob.get("/members?code=never-made")
    for code in (old["code"], ""):
        dead = bob.get(f"/members?code={code}")
        assert (dead.status_code, dead.data) == (nobody.status_code, nobody.data) == (404, nobody.data)
        assert bob("POST", "/requests", {"code": code}).status_code == 404
    assert bob("POST", "/requests", {"code": new}).status_code == 204
    assert [each["source"] for each in ann.get("/requests").json["items"]] == ["code"]


def test_a_code_opens_no_door_that_is_closed(join):
    ann, bob, eve = join("ann"), join("bob"), join("eve")
    code = ann("POST", "/me/code").json["code"]
    ann("PUT", "/me/privacy", {"window_days": None, "newonly": False, "takes_requests": False})
    assert bob("POST", "/requests", {"code": code}).status_code == 403
    ann("PUT", f"/blocks/{eve.address}")
    assert eve.get(f"/members?code={code}").status_code == 404
    assert ann("POST", "/me/off").status_code == 200
    assert bob.get(f"/members?code={code}").status_code == 404


def test_a_changed_password_leaves_only_this_browser_signed_in(client, redis, join):
    person = {"handle": "mei", "name": "小美", "password": "a short sentence"}
    assert client.post("/moments/api/v1/members", json=person).status_code == 201
    with transaction() as session:
        mei = members.find(session, "mei")
        members.sign_in(session, mei, "an old phone")
        _token, plain = members.make_token(session, mei, "", ["all"])
    browsers = client.get("/moments/api/v1/sign-ins").json["items"]
    assert [each["is_this"] for each in browsers] == [False, True]

    def change(old):
        body = {"old": old, "new": "another sentence"}
        return client.put("/moments/api/v1/me/password", json=body, headers={HEADER: "1"})

    refused = change("not my password")
    assert (refused.status_code, refused.json["error"]["field"]) == (422, "old")
    assert len(client.get("/moments/api/v1/sign-ins").json["items"]) == 2
    assert change("a short sentence").status_code == 204
    assert [each["is_this"] for each in client.get("/moments/api/v1/sign-ins").json["items"]] == [True]
    ended = client.get("/moments/api/v1/feed", headers={"Authorization": f"Bearer {plain}"})
    assert ended.status_code == 401
    body = {"handle": "mei", "password": "another sentence"}
    assert client.post("/moments/api/v1/sign-in", json=body).status_code == 200


def test_the_password_cannot_be_guessed_from_a_browser_left_open(client, redis):
    person = {"handle": "mei", "name": "小美", "password": "a short sentence"}
    assert client.post("/moments/api/v1/members", json=person).status_code == 201
    body = {"old": "a guess at it", "new": "another sentence"}
    answers = [
        client.put("/moments/api/v1/me/password", json=body, headers={HEADER: "1"}).status_code for _try in range(12)
    ]
    assert answers[0] == 422
    assert answers[-1] == 429


def test_of_two_who_change_a_password_at_once_the_second_is_told(client, redis):
    """What was asked for was the first one's; the second would undo it unasked."""
    person = {"handle": "mei", "name": "小美", "password": "a short sentence"}
    assert client.post("/moments/api/v1/members", json=person).status_code == 201
    with reading() as session:
        mei = members.find(session, "mei")
    first, second = (members.new_hash(mei, person["password"], new) for new in ("another sentence", "yet another one"))
    with transaction() as session:
        members.change_password(session, mei, first)
    with transaction() as session, pytest.raises(Conflict):
        members.change_password(session, mei, second)
    body = {"handle": "mei", "password": "another sentence"}
    assert client.post("/moments/api/v1/sign-in", json=body).status_code == 200


def test_one_ends_ones_own_sign_ins_only(client, redis, join):
    person = {"handle": "mei", "name": "小美", "password": "a short sentence"}
    assert client.post("/moments/api/v1/members", json=person).status_code == 201
    (mine,) = client.get("/moments/api/v1/sign-ins").json["items"]
    assert join("eve")("DELETE", f"/sign-ins/{mine['id']}").status_code == 204  # says nothing, does nothing
    assert client.get("/moments/api/v1/me").status_code == 200
    client.delete(f"/moments/api/v1/sign-ins/{mine['id']}", headers={HEADER: "1"})
    assert client.get("/moments/api/v1/me").status_code == 401


def test_what_one_has_left_is_listed_and_can_be_taken_away_also_where_it_is_no_longer_shown(join):
    ann = join("ann")
    bob = join("bob", ann)
    post = ann.post("look")
    passed_on = bob.post("see", root=post)
    bob("PUT", f"/posts/{post}/like")
    bob("DELETE", f"/friends/{ann.address}")
    left = bob.get("/me/activity").json
    assert [each["id"] for each in left["reshares"]] == [passed_on]
    assert [each["post"] for each in left["likes"]] == [post]
    assert bob("DELETE", f"/posts/{passed_on}").status_code == 204
    assert bob("DELETE", f"/posts/{post}/like").status_code == 204
    left = bob.get("/me/activity").json
    assert (left["reshares"], left["likes"]) == ([], [])

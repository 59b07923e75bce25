"""The door of Moments: who comes in, what each endpoint must declare, and that nothing tells more than 404."""

import re

import pytest

from bot.moments import addresses
from bot.moments.api.contract import ENDPOINTS, HEADER, OPEN
from tests.api.test_openapi import misfit, resolve

# P18: everything that shows posts, comments, names, counts or notices, with how a stranger asks for it.  A new endpoint
# that returns something fails until it is listed here, or below among those that show one's own only.
SHOWS = {
    "read_feed", "read_album", "search", "read_post", "list_likes", "list_comments", "list_notices", "count_unread",
    "list_friends", "profile", "look_up", "list_requests", "view_as", "list_viewers", "list_reshares", "export",
    "sight_of_friend", "sight_if_accepted", "preview_group", "preview_many", "list_muted",
    "read_media",
}  # fmt: skip
OWN = {
    "me", "change_me", "change_privacy", "switch_off", "come_back", "join", "sign_in", "activity", "list_tokens",
    "make_token", "change_friend", "list_blocks", "list_groups", "make_group", "rename_group", "list_group", "publish",
    "change_post", "restore_post", "list_edits", "change_audience", "audience_history", "preview", "comment",
    "my_code", "renew_code", "list_sign_ins", "list_choices", "choose", "list_group_posts", "list_mine",
    "change_many",
    "list_wechat_accounts", "begin_sign_in", "finish", "list_links", "begin_link",
    "list_scheduled", "schedule", "change_scheduled",
    "upload", "describe_media", "choose_avatar", "remove_avatar", "choose_cover", "remove_cover",
    "list_staff_views",
}  # fmt: skip


def test_p18_whatever_returns_something_is_listed():
    assert {known.name for known in ENDPOINTS if known.returns or known.gives_file} == SHOWS | OWN


def path_of(known, post, comment, member, group="none", media="none"):
    parts = {"post": post, "comment": comment, "member": member, "group": group, "token": group, "media": media}
    parts |= {"signin": group, "link": group, "part": "thumb", "scheduled": "none"}
    return re.sub(r"<(\w+)>", lambda found: parts[found[1]], known.path)


BODIES = {
    "change_audience": {"audience": {}}, "comment": {"body": "x"}, "publish": {"body": "x"},
    "preview": {"audience": {}},
    "ask": {"member": "x"}, "make_group": {"name": "x"}, "rename_group": {"name": "x"}, "mark_read": {"until": "x"},
    "describe_media": {"alt": "x"}, "choose_avatar": {"media": "x"}, "choose_cover": {"media": "x"},
    "schedule": {"at": "2030-01-01T00:00Z"}, "change_scheduled": {"at": "2030-01-01T00:00Z"},
    "report_post": {"reason": "spam"}, "report_comment": {"reason": "spam"},
    "make_token": {"scopes": ["all"]}, "change_privacy": {"window_days": None, "newonly": False},
}  # fmt: skip


def test_x1_a_hidden_post_answers_as_one_that_never_was(join):
    ann = join("ann")
    bob, eve = join("bob", ann), join("eve", ann)
    media = ann.photo()
    post = ann.post("for bob", media=[media], audience={"mode": "allow", "allow_members": [bob.address]})
    comment = bob("POST", f"/posts/{post}/comments", {"body": "hi"}).json["id"]
    there, never = (post, comment, media), [addresses.of(kind, 4711) for kind in ("post", "comment", "media")]
    for known in ENDPOINTS:
        if {"post", "comment", "media"} & set(re.findall(r"<(\w+)>", known.path)):
            asked = [path_of(known, *each[:2], ann.address, media=each[2]) for each in (there, never)]
            hidden, missing = (eve(known.method, path, BODIES.get(known.name)) for path in asked)
            assert (hidden.status_code, hidden.data) == (missing.status_code, missing.data), known.name
            assert hidden.status_code in (404, 204), known.name  # taking a like back says nothing
    assert bob.get(f"/posts/{post}").status_code == bob.get(f"/media/{media}/thumb").status_code == 200


def test_whoever_blocks_is_not_there(join):
    ann, bob = join("ann"), join("bob")
    assert ann("PUT", f"/blocks/{bob.address}").status_code == 204
    nobody = addresses.of("member", 4711)
    for path in ("/members/{}", "/members?handle={}"):
        there = bob.get(path.format("ann" if "?" in path else ann.address))
        missing = bob.get(path.format("noone" if "?" in path else nobody))
        assert (there.status_code, there.data) == (missing.status_code, missing.data) == (404, missing.data)
    asked = [bob("POST", "/requests", {"member": address}) for address in (ann.address, nobody)]
    assert asked[0].data == asked[1].data


def test_nobody_comes_in_without_a_token_that_may(client, join):
    ann = join("ann", scopes=("friends:read",))
    for known in ENDPOINTS:
        path = path_of(known, "x", "x", "x")
        if known.scope != OPEN:
            assert client.open(f"/moments/api/v1{path}", method=known.method, json={}).status_code == 401, known.name
            if known.scope != "friends:read":
                assert ann(known.method, path, {}).status_code == 403, known.name


def test_joining_signs_a_browser_in_and_changes_need_the_header(client, redis):
    person = {"handle": "mei", "name": "小美", "password": "a short sentence"}
    assert client.post("/moments/api/v1/members", json=person).status_code == 201
    assert client.get("/moments/api/v1/me").json["name"] == "小美"
    assert client.post("/moments/api/v1/posts", json={"body": "hi"}).status_code == 403
    made = client.post("/moments/api/v1/posts", json={"body": "hi"}, headers={HEADER: "1"})
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "private, no-store"
    assert client.post("/moments/api/v1/sign-out", headers={HEADER: "1"}).status_code == 204
    assert client.get("/moments/api/v1/me").status_code == 401
    wrong = client.post("/moments/api/v1/sign-in", json={"handle": "mei", "password": "another sentence"})
    unknown = client.post("/moments/api/v1/sign-in", json={"handle": "no", "password": "another sentence"})
    assert (wrong.status_code, wrong.data) == (unknown.status_code, unknown.data) == (401, wrong.data)
    assert (
        client.post("/moments/api/v1/sign-in", json={k: person[k] for k in ("handle", "password")}).status_code == 200
    )
    assert client.get("/moments/api/v1/me").json["handle"] == "mei"


def test_a_cursor_is_good_for_its_own_list_only(join):
    ann = join("ann")
    bob = join("bob", ann)
    for number in range(3):
        ann.post(f"post {number}")
    cursor = bob.get("/feed?limit=2").json["next"]
    assert [post["body"] for post in bob.get(f"/feed?limit=2&after={cursor}").json["items"]] == ["post 0"]
    assert ann.get(f"/feed?limit=2&after={cursor}").status_code == 404
    assert bob.get(f"/feed?limit=2&after={cursor[:-1]}x").status_code == 404
    assert bob.get(f"/search?q=post&after={cursor}").status_code == 404


def test_more_viewers_need_a_yes_and_earlier_commenters_are_told(join):
    ann = join("ann")
    bob, eve = join("bob", ann), join("eve", ann)
    post = ann.post("for bob", audience={"mode": "allow", "allow_members": [bob.address]})
    bob("POST", f"/posts/{post}/comments", {"body": "hi"})
    wider = {"audience": {"mode": "friends"}}
    assert len(ann("POST", "/audience/preview", {**wider, "post": post}).json["items"]) == 2
    refused = ann("PUT", f"/posts/{post}/audience", wider)
    assert (refused.status_code, refused.json["error"]["field"]) == (409, "confirm")
    assert eve.get(f"/posts/{post}").status_code == 404
    assert ann("PUT", f"/posts/{post}/audience", {**wider, "confirm": True}).status_code == 200
    assert eve.get(f"/posts/{post}").status_code == 200
    assert "widened" in [notice["kind"] for notice in bob.get("/notices").json["items"]]
    (before,) = ann.get(f"/posts/{post}/audience/history").json["items"]
    assert [each["name"] for each in before["audience"]["allow_members"]] == ["Bob"]
    assert [each["name"] for each in ann.get(f"/posts/{post}/viewers").json["items"]] == ["Bob", "Eve"]


def test_new_members_may_do_a_quarter(join):
    ann = join("ann")
    answers = [ann("POST", "/posts", {"body": str(number)}).status_code for number in range(6)]
    assert answers == [201] * 5 + [429]


def test_a_deleted_member_can_come_back_for_fifteen_days(join, advance):
    ann = join("ann")
    bob = join("bob", ann)
    post = ann.post("hi")
    assert ann("DELETE", "/me").status_code == 204
    assert bob.get(f"/posts/{post}").status_code == 404
    assert ann.get("/feed").status_code == 403
    assert ann("POST", "/me/back").json["status"] == "active"
    assert bob.get(f"/posts/{post}").status_code == 200


def test_the_export_holds_what_is_ones_own(join):
    ann = join("ann")
    bob = join("bob", ann)
    post = ann.post("hello")
    bob("POST", f"/posts/{post}/comments", {"body": "well said"})
    theirs = bob.get("/me/export").json
    assert (theirs["posts"], [comment["body"] for comment in theirs["comments"]]) == ([], ["well said"])
    assert [each["name"] for each in theirs["friends"]] == ["Ann"]
    bob("DELETE", f"/friends/{ann.address}")
    assert [each["body"] for each in bob.get("/me/activity").json["comments"]] == ["well said"]


@pytest.fixture
def document(client):
    return client.get("/moments/api/v1/openapi.json").json


def test_answers_fit_the_document(join, document):
    ann = join("ann")
    bob = join("bob", ann)
    media = ann.photo()
    post = ann.post("hello", media=[media], audience={"mode": "deny", "deny_members": []})
    group = ann("POST", "/groups", {"name": "Family"}).json["id"]
    comment = bob("POST", f"/posts/{post}/comments", {"body": "hi"}).json["id"]
    for known in ENDPOINTS:
        if known.method != "GET":
            continue
        path = path_of(known, post, comment, bob.address, group, media)
        path += {"search": "?q=h", "look_up": "?handle=bob"}.get(known.name, "")
        answer = ann.get(path)
        assert answer.status_code == 200, (known.name, answer.data)
        responses = document["paths"][re.sub(r"<(\w+)>", r"{\1}", known.path)]["get"]["responses"]
        content = resolve(document, responses["200"])["content"]
        assert answer.mimetype in content, known.name
        if known.gives_file:
            continue
        schema = content["application/json"]["schema"]
        assert misfit(document, schema, answer.json) == "", known.name

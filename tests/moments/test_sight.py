"""What a friend sees, in numbers and reasons; and what a change of a group would do to past posts."""

import pytest


def lines(answer):
    assert answer.status_code == 200, answer.data
    return {(each["mode"], each["row"], each["is_seen"]): each["count"] for each in answer.json["lines"]}


@pytest.mark.databases
def test_each_post_is_counted_under_the_first_reason(join, unlimited, advance):
    ann = join("ann")
    old = ann.post("old")
    advance(4 * 86_400)
    bob, eve = join("bob", ann), join("eve", ann)
    group = ann("POST", "/groups", {"name": "Family"}).json["id"]
    ann("PUT", f"/groups/{group}/members/{bob.address}")
    ann.post("for friends")
    ann.post("mine", audience={"mode": "private"})
    ann.post("family", audience={"mode": "allow", "allow_groups": [group]})
    ann.post("eve only", audience={"mode": "allow", "allow_members": [eve.address]})
    ann.post("not family", audience={"mode": "deny", "deny_groups": [group]})
    ann.post("not eve", audience={"mode": "deny", "deny_members": [eve.address]})
    sight = f"/friends/{bob.address}/sight"
    expected = {
        ("friends", "friend", True): 2,
        ("private", "private", False): 1,
        ("allow", "in_group", True): 1,
        ("allow", "not_named", False): 1,
        ("deny", "group_left_out", False): 1,
        ("deny", "not_left_out", True): 1,
    }
    assert lines(ann.get(sight)) == expected
    assert ann.get(sight).json["seen"] == len(bob.get(f"/members/{ann.address}/posts").json["items"]) == 4
    ann("PUT", "/me/privacy", {"window_days": 3, "newonly": False})
    assert lines(ann.get(sight)) == {**expected, ("friends", "friend", True): 1, ("friends", "old", False): 1}
    assert ann("DELETE", f"/posts/{old}").status_code == 204
    assert ("friends", "old", False) not in lines(ann.get(sight))
    ann("PATCH", f"/friends/{bob.address}", {"hides": True})
    assert {row for _mode, row, _seen in lines(ann.get(sight))} == {"hidden"}


def test_only_for_friends(join):
    ann, bob = join("ann"), join("bob")
    assert ann.get(f"/friends/{bob.address}/sight").status_code == 404
    assert ann("POST", f"/requests/{bob.address}/sight", {}).status_code == 404


@pytest.mark.databases
def test_before_accepting_one_is_told_what_they_would_see_and_nothing_is_done(join):
    ann, wei = join("ann"), join("wei")
    group = ann("POST", "/groups", {"name": "Family"}).json["id"]
    for number in range(3):
        ann.post(f"for friends {number}")
    ann.post("family", audience={"mode": "allow", "allow_groups": [group]})
    assert wei("POST", "/requests", {"member": ann.address}).status_code == 204
    path = f"/requests/{wei.address}/sight"
    told = lines(ann("POST", path, {"groups": [group]}))
    assert told == {("friends", "friend", True): 3, ("allow", "after_audience", False): 1}
    assert ann("POST", path, {"hides": True}).json["seen"] == 0
    assert ann("POST", path, {"chat_only": True}).json["seen"] == 0
    assert ann.get("/friends").json["items"] == []
    assert [each["kind"] for each in wei.get("/notices").json["items"]] == []
    assert ann("POST", f"/requests/{wei.address}/accept", {"groups": [group]}).status_code == 204
    assert lines(ann.get(f"/friends/{wei.address}/sight")) == told  # what was told came true
    assert len(wei.get(f"/members/{ann.address}/posts").json["items"]) == 3


@pytest.mark.databases
def test_a_group_says_what_a_change_does_to_past_posts(join):
    ann = join("ann")
    bob, eve = join("bob", ann), join("eve", ann)
    group = ann("POST", "/groups", {"name": "Family"}).json["id"]
    ann("PUT", f"/groups/{group}/members/{bob.address}")
    posts = [
        ann.post("family", audience={"mode": "allow", "allow_groups": [group]}),
        ann.post("and Bob", audience={"mode": "allow", "allow_groups": [group], "allow_members": [bob.address]}),
        ann.post("not family", audience={"mode": "deny", "deny_groups": [group]}),
    ]
    ann.post("another")
    named = [each["id"] for each in ann.get(f"/groups/{group}/posts").json["items"]]
    assert named == posts[::-1]

    def effect(act, member=""):
        answer = ann("POST", f"/groups/{group}/preview", {"act": act, "member": member}).json
        return answer["closes"], answer["opens"]

    def seen(browser):
        return {each["id"] for each in browser.get(f"/members/{ann.address}/posts").json["items"]} & set(posts)

    assert effect("take_out", bob.address) == (1, 0)  # the second names him too
    assert effect("put_in", eve.address) == (1, 0)  # it opens nothing; the one without family closes
    assert effect("delete") == (1, 0)
    assert effect("apply") == (0, 0)
    assert (seen(bob), seen(eve)) == ({posts[0], posts[1]}, {posts[2]})  # so far nothing was done
    ann("PUT", f"/groups/{group}/members/{eve.address}")
    assert seen(eve) == set()
    ann("DELETE", f"/groups/{group}/members/{bob.address}")
    assert seen(bob) == {posts[1]}
    assert effect("apply") == (0, 3)  # two to Eve, and to Bob the one without family
    assert ann("POST", f"/groups/{group}/apply", {}).json["error"]["field"] == "confirm"
    assert seen(eve) == set()
    assert ann("POST", f"/groups/{group}/apply", {"confirm": True}).status_code == 204
    assert (seen(bob), seen(eve)) == ({posts[1], posts[2]}, {posts[0], posts[1]})
    assert len(ann.get(f"/posts/{posts[0]}/audience/history").json["items"]) == 1
    assert eve.get(f"/groups/{group}/posts").status_code == 404
    assert eve("POST", f"/groups/{group}/apply", {"confirm": True}).status_code == 404


def test_mutual_friends_are_counted_among_ones_own_only(join):
    ann = join("ann")
    bob, cem = join("bob", ann), join("cem", ann)
    wei = join("wei", bob, cem, join("stranger"))
    assert wei("POST", "/requests", {"member": ann.address}).status_code == 204
    (asked,) = ann.get("/requests").json["items"]
    assert (asked["direction"], asked["mutual"], asked["source"]) == ("from", 2, "handle")
    assert [each["mutual"] for each in wei.get("/requests").json["items"]] == [None]  # asking must not find out
    bob("PUT", f"/blocks/{wei.address}")
    assert [each["mutual"] for each in ann.get("/requests").json["items"]] == [1]


@pytest.mark.databases
def test_many_posts_get_another_audience_at_once_after_a_look(join, unlimited, advance):
    ann = join("ann")
    bob, eve = join("bob", ann), join("eve", ann)
    old = [ann.post(f"old {number}") for number in range(3)]
    advance(86_400)
    now = ann.get(f"/posts/{ann.post('new')}").json["at"]
    limited = ann.post("for Bob", audience={"mode": "allow", "allow_members": [bob.address]})
    past = {"until": now, "mode": "friends"}
    assert [each["id"] for each in ann.get("/me/posts?mode=allow").json["items"]] == [limited]
    change = {"posts": past, "audience": {"mode": "deny", "deny_members": [eve.address]}}
    assert ann("POST", "/me/posts/audience/preview", change).json == {"count": 3, "closes": 3, "opens": 0}
    assert len(eve.get("/feed").json["items"]) == 4
    assert ann("POST", "/me/posts/audience", change).json == {"count": 3}
    assert [each["body"] for each in eve.get("/feed").json["items"]] == ["new"]
    assert len(bob.get("/feed").json["items"]) == 5
    back = {"posts": {"mode": "deny"}, "audience": {"mode": "friends"}}
    assert ann("POST", "/me/posts/audience/preview", back).json == {"count": 3, "closes": 0, "opens": 3}
    assert ann("POST", "/me/posts/audience", back).json["error"]["field"] == "confirm"
    assert len(eve.get("/feed").json["items"]) == 1
    assert ann("POST", "/me/posts/audience", {**back, "confirm": True}).json == {"count": 3}
    assert len(eve.get("/feed").json["items"]) == 4
    assert len(ann.get(f"/posts/{old[0]}/audience/history").json["items"]) == 2
    stranger = {"posts": {}, "audience": {"mode": "allow", "allow_members": ["none"]}}
    assert ann("POST", "/me/posts/audience", stranger).status_code == 404

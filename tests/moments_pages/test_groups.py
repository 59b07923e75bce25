"""Groups: each change says what it does to past posts before it is made."""

from tests.moments_pages.people import words


def family(ann, *people):
    group = ann("POST", "/groups", {"name": "Family"}).json["id"]
    for each in people:
        ann("PUT", f"/groups/{group}/members/{each.address}")
    return group


def test_a_group_is_made_named_and_filled(person):
    ann = person("ann")
    bob = person("bob", ann)
    assert "Tea lovers 0 friends" in words(ann.send("/groups", "/groups", name="Tea lovers"))
    group = ann.get("/groups").json["items"][0]["id"]
    answer = ann.send(f"/groups/{group}/in", f"/groups/{group}", member=bob.address)
    assert "They see future posts for Tea lovers; past ones stay closed to them." in words(answer)
    assert "Renamed." in words(ann.send(f"/groups/{group}/name", f"/groups/{group}", name="Tea"))
    refused = ann.send(f"/groups/{group}/name", f"/groups/{group}", name="x" * 40)
    assert (refused.status_code, "Give the group a name of 1 to 32 characters." in words(refused)) == (422, True)
    assert "x" * 40 in refused.text
    assert "Give the group a name" in words(ann.send("/groups", "/groups", name=" "))


def test_taking_out_says_how_many_posts_close_and_closes_them(person):
    ann = person("ann")
    bob = person("bob", ann)
    group = family(ann, bob)
    posts = [ann.post(f"for family {n}", audience={"mode": "allow", "allow_groups": [group]}) for n in range(2)]
    asked = ann.text(f"/groups/{group}/out/{bob.address}")
    assert "Take Bob out of Family? 2 past posts close at once." in asked
    assert bob.get(f"/posts/{posts[0]}").status_code == 200
    assert "Bob is no longer in Family." in words(ann.send(f"/groups/{group}/out/{bob.address}", f"/groups/{group}"))
    assert bob.get(f"/posts/{posts[0]}").status_code == 404


def test_putting_in_asks_only_where_past_posts_close(person):
    ann = person("ann", language="zh")
    bob = person("bob", ann)
    group = family(ann)
    post = ann.post("not for family", audience={"mode": "deny", "deny_groups": [group]})
    asked = ann.send(f"/groups/{group}/in", f"/groups/{group}", member=bob.address)
    assert "1 条以往的动态立即不再可见。" in words(asked)
    assert bob.get(f"/posts/{post}").status_code == 200
    ann.send(f"/groups/{group}/in", f"/groups/{group}", member=bob.address, sure="1")
    assert bob.get(f"/posts/{post}").status_code == 404


def test_the_group_of_today_is_applied_to_past_posts_after_a_look(person):
    ann = person("ann")
    bob = person("bob", ann)
    group = family(ann)
    post = ann.post("for family", audience={"mode": "allow", "allow_groups": [group]})
    ann.send(f"/groups/{group}/in", f"/groups/{group}", member=bob.address)
    assert bob.get(f"/posts/{post}").status_code == 404
    page = ann.text(f"/groups/{group}")
    assert "for family for the group" in page
    assert "1 past post opens." in ann.text(f"/groups/{group}/apply")
    ann.send(f"/groups/{group}/apply", f"/groups/{group}")
    assert bob.get(f"/posts/{post}").status_code == 200
    assert "For past posts nothing changes." in ann.text(f"/groups/{group}/apply")


def test_deleting_a_group_closes_its_posts_after_a_look(person):
    ann = person("ann")
    bob = person("bob", ann)
    group = family(ann, bob)
    post = ann.post("for family", audience={"mode": "allow", "allow_groups": [group]})
    assert "1 past post closes at once." in ann.text(f"/groups/{group}/delete")
    assert "The group Family is deleted." in words(ann.send(f"/groups/{group}/delete", f"/groups/{group}"))
    assert bob.get(f"/posts/{post}").status_code == 404
    assert ann.open(f"/groups/{group}").status_code == 404


def test_another_members_group_is_not_there(person):
    ann = person("ann")
    bob = person("bob", ann)
    group = family(ann, bob)
    for path in ("", "/delete", "/apply", f"/out/{ann.address}", f"/in?member={ann.address}"):
        assert bob.open(f"/groups/{group}{path}").status_code == 404
    for path in ("/delete", "/apply", "/name", "/in", f"/out/{ann.address}"):
        assert bob.send(f"/groups/{group}{path}", name="mine").status_code == 404
    assert [each["name"] for each in ann.get("/groups").json["items"]] == ["Family"]

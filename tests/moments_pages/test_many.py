"""Another audience for many posts: looked at first, then changed."""

from tests.moments_pages.people import words


def test_many_posts_are_looked_at_and_then_changed(person):
    ann = person("ann")
    bob = person("bob", ann)
    group = ann("POST", "/groups", {"name": "Family"}).json["id"]
    posts = [ann.post(f"post {number}") for number in range(3)]
    change = {"mode": "friends", "to": "allow", "to_groups": group}
    look = words(ann.send("/many", "/many", **change))
    assert "3 posts get this audience. 3 past posts close to somebody at once." in look
    assert bob.get(f"/posts/{posts[0]}").status_code == 200
    assert "3 posts have their new audience." in words(ann.send("/many", "/many", sure="1", **change))
    assert bob.get(f"/posts/{posts[0]}").status_code == 404
    assert "3 past posts open to somebody." in words(ann.send("/many", "/many", mode="allow", to="friends"))


def test_only_the_chosen_days(person, advance):
    ann = person("ann", language="zh")
    ann.post("old")
    advance(3 * 86_400)
    new = ann.post("new")
    day = ann.get(f"/posts/{new}").json["at"][:10]
    assert "1 条动态将改为这个范围。" in words(ann.send("/many", "/many", since=day, to="private"))
    assert "2 条动态将改为这个范围。" in words(ann.send("/many", "/many", until=day, to="private"))


def test_what_is_missing_is_said_and_the_rest_stays(person):
    ann = person("ann")
    ann("POST", "/groups", {"name": "Family"})
    for data, sentence in [
        ({}, "Choose who is to see these posts."),
        ({"mode": "freinds", "to": "friends"}, "Choose which posts."),
        ({"to": "deny"}, "Choose one group or more."),
        ({"to": "private", "since": "soon"}, "Give a day such as 2026-11-23."),
    ]:
        answer = ann.send("/many", "/many", until="2026-11-01", **data)
        assert (answer.status_code, sentence in words(answer)) == (422, True)
        assert "2026-11-01" in answer.text

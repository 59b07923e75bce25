"""One friend's page: each step back with its consequence, and what it then does."""

from tests.moments_pages.people import words


def test_hiding_says_how_much_closes_and_closes_it(person):
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("hello")
    page = ann.text(f"/friends/{bob.address}")
    assert "Bob sees your one post." in page
    assert "1 post that they see now closes at once." in page
    answer = ann.send(f"/friends/{bob.address}/stand", hides="1")
    assert "Bob sees none of your Moments from now on, and is not told." in words(answer)
    assert bob.get(f"/posts/{post}").status_code == 404
    assert "1 post: you hide your Moments from Bob" in words(answer)
    ann.send(f"/friends/{bob.address}/stand")
    assert bob.get(f"/posts/{post}").status_code == 200


def test_muting_and_chat_only(person):
    ann = person("ann", language="zh")
    bob = person("bob", ann)
    bob.post("hello")
    assert "Bob的动态不再出现在你这里" in words(ann.send(f"/friends/{bob.address}/stand", mutes="1"))
    assert ann.get("/feed").json["items"] == []
    answer = words(ann.send(f"/friends/{bob.address}/stand", mutes="1", hides="1"))
    assert "你和Bob仍能找到对方，但互不分享动态。" in answer


def test_a_block_and_its_end(person):
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("hello")
    assert "Unblocking puts everything back as it was." in ann.text(f"/friends/{bob.address}")
    assert "Blocked." in words(ann.send(f"/friends/{bob.address}/block"))
    assert bob.get(f"/posts/{post}").status_code == 404
    assert ann.open(f"/friends/{bob.address}").status_code == 404
    assert "You block Bob Unblock" in ann.text("/privacy")
    assert "Unblocked" in words(ann.send(f"/friends/{bob.address}/unblock"))
    assert bob.get(f"/posts/{post}").status_code == 200


def test_a_friendship_ends_only_after_a_second_look(person):
    ann = person("ann")
    bob = person("bob", ann)
    asked = ann.text(f"/friends/{bob.address}/end")
    assert "limited posts of before stay closed to them for good" in asked
    assert len(ann.get("/friends").json["items"]) == 1
    assert "You and Bob are no longer friends." in words(ann.send(f"/friends/{bob.address}/end"))
    assert bob.get("/friends").json["items"] == []


def test_a_stranger_and_nobody_look_alike(person):
    ann, eve = person("ann"), person("eve")
    for path in ("/friends/{}", "/friends/{}/end"):
        there, nobody = ann.open(path.format(eve.address)), ann.open(path.format("00000000000"))
        assert there.status_code == nobody.status_code == 404
        assert words(there) == words(nobody)
    answer = ann.send(f"/friends/{eve.address}/remark", remark="x")
    assert answer.status_code == 404

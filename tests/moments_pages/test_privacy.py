"""Privacy: what holds for all posts at once, and the lists of those one has stepped back from."""

from tests.moments_pages.people import words


def test_the_window_and_new_friends_hold_at_once(person, advance):
    ann = person("ann")
    bob = person("bob", ann)
    old = ann.post("old")
    advance(4 * 86_400)
    answer = ann.send("/privacy", "/privacy", window="3", newonly="1", takes_requests="1")
    assert "This holds for all your posts from now on, the old ones too." in words(answer)
    assert bob.get(f"/posts/{old}").status_code == 404
    me = ann.get("/me").json
    assert (me["window_days"], me["newonly"], me["takes_requests"], me["lets_reshare"]) == (3, True, True, False)
    assert "1 post older than what you show to friends" in ann.text(f"/friends/{bob.address}")
    for wrong in ({"window": "4"}, {"window": "everything"}, {"window": "9" * 5000}, {}):
        refused = ann.send("/privacy", "/privacy", **wrong)
        assert (refused.status_code, "Choose 3, 30 or 180 days" in words(refused)) == (422, True)
        assert ann.get("/me").json["window_days"] == 3
    ann.send("/privacy", "/privacy", window="")
    assert bob.get(f"/posts/{old}").status_code == 200


def test_the_lists_name_whom_one_hides_from_mutes_and_blocks(person):
    ann = person("ann", language="zh")
    bob, cem, dia = person("bob", ann), person("cem", ann), person("dia", ann)
    ann.send(f"/friends/{bob.address}/stand", hides="1")
    ann.send(f"/friends/{cem.address}/stand", mutes="1")
    ann.send(f"/friends/{dia.address}/block")
    page = ann.text("/privacy")
    assert "不让他们看我的动态 Bob" in page
    assert "我不看他们的动态 Cem" in page
    assert "你拉黑的人 Dia" in page


def test_what_can_a_friend_see_leads_to_the_words(person):
    ann = person("ann")
    bob = person("bob", ann)
    ann.post("mine", audience={"mode": "private"})
    page = words(ann.open(f"/privacy/sight?member={bob.address}"))
    assert "Bob sees none of your posts." in page
    assert "1 private post, for you alone" in page

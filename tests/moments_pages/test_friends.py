"""Finding somebody, asking, and accepting with one's own terms; in both languages."""

import pytest

from tests.moments_pages.people import words


def test_somebody_found_by_handle_is_asked_and_accepts_with_terms(person):
    ann, wei = person("ann"), person("wei", language="zh")
    family = wei("POST", "/groups", {"name": "家人"}).json["id"]
    wei.post("给朋友")
    assert "Wei @wei" in ann.text("/friends?handle=WEI")
    answer = ann.send("/friends/ask", "/friends?handle=wei", handle="wei", message="From the tea house")
    assert "Wei will see your request." in words(answer)
    assert "Waiting for an answer Wei From the tea house" in ann.text("/friends")
    assert "From the tea house" in wei.text("/friends")
    page = wei.text(f"/friends/accept/{ann.address}")
    assert "Ann能看到你的全部 1 条动态。" in page
    look = wei.send(f"/friends/accept/{ann.address}", f"/friends/accept/{ann.address}", way="hides", preview="1")
    assert "Ann看不到你的任何动态。" in words(look)
    assert wei.get("/friends").json["items"] == []  # looking is not accepting
    done = wei.send(f"/friends/accept/{ann.address}", f"/friends/accept/{ann.address}", way="chat_only", groups=family)
    assert "你和Ann现在是朋友了。" in words(done)
    assert [each["name"] for each in wei.get(f"/groups/{family}/members").json["items"]] == ["Ann"]
    (friend,) = wei.get("/friends").json["items"]
    assert (friend["hides"], friend["mutes"]) == (True, True)
    assert "仅聊天" in wei.text("/friends")
    assert "chat only" not in ann.text("/friends")


def test_what_goes_wrong_is_said_at_the_form_and_keeps_what_was_typed(person):
    ann = person("ann")
    bob = person("bob")
    assert "There is no such member." in words(ann.open("/friends?handle=noone"))
    bob("PUT", "/me/privacy", {"window_days": None, "newonly": False, "takes_requests": False})
    answer = ann.send("/friends/ask", "/friends?handle=bob", handle="bob", message="my long story")
    assert answer.status_code == 403
    assert "This member takes no requests at the moment." in words(answer)
    assert "my long story" in answer.text


def test_who_has_asked_is_answered_not_asked_again(person):
    ann, bob = person("ann"), person("bob")
    bob.send("/friends/ask", "/friends?handle=ann", handle="ann")
    assert "They have asked you: see their request." in ann.text("/friends?handle=bob")
    assert "Refused." in words(ann.send(f"/friends/refuse/{bob.address}", "/friends"))
    assert ann.get("/requests").json["items"] == []


def test_a_request_can_be_withdrawn(person):
    ann, bob = person("ann"), person("bob")
    ann.send("/friends/ask", "/friends?handle=bob", handle="bob")
    assert "Your request was withdrawn." in words(ann.send(f"/friends/withdraw/{bob.address}", "/friends"))
    assert bob.get("/requests").json["items"] == []


def test_a_request_says_where_it_came_from_and_how_many_friends_are_shared(person):
    ann = person("ann")
    bob = person("bob", ann)
    wei = person("wei", bob)
    ann.send("/friends/code", "/friends/code")
    code = ann.get("/me/code").json["code"]
    assert "Ann @ann" in wei.text(f"/add/{code}")
    assert "Ann will see your request." in words(wei.send("/friends/ask", f"/add/{code}", code=code, message="hi"))
    page = ann.text("/friends")
    assert "by your QR code · 1 of your friends is a friend of theirs" in page


def test_a_code_is_shown_and_a_renewed_one_kills_the_old(person):
    ann, bob = person("ann"), person("bob")
    assert "<svg" in ann.send("/friends/code", "/friends/code").text
    old = ann.get("/me/code").json["code"]
    assert "That is you." in ann.text(f"/add/{old}")
    assert "The old one leads nowhere now." in words(ann.send("/friends/code", "/friends/code"))
    dead, never = bob.open(f"/add/{old}"), bob.open("/add/never")
    assert (dead.status_code, words(dead)) == (never.status_code, words(never)) == (404, words(never))


def test_friends_are_searched_by_name_remark_and_handle(person):
    ann = person("ann")
    others = [person(f"friend{number}", ann, name=f"Person {number}") for number in range(6)]
    ann.send(f"/friends/{others[2].address}/remark", remark="Tea master")
    assert "Person 1" not in ann.text("/friends?q=tea")
    assert "Tea master Person 2" in ann.text("/friends?q=TEA")
    assert "Person 4" in ann.text("/friends?q=friend4")
    assert "None of your friends has that name." in ann.text("/friends?q=zzz")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_friends_the_page_says_how_to_find_some(person, language):
    page = person("ann", language=language).text("/friends")
    assert ("You have no friends here yet." if language == "en" else "你在这里还没有朋友。") in page

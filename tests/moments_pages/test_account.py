"""The account: profile, password, programs, browsers, the export, and leaving."""

import io

from bot.database import transaction
from bot.moments import members
from tests.moments.test_media import PHOTO
from tests.moments_pages.people import words


def test_the_profile_is_changed_or_refused_with_what_was_typed(person):
    ann = person("ann")
    assert "Saved." in words(ann.send("/account/profile", name="Anna", about="Tea"))
    assert ann.get("/me").json["name"] == "Anna"
    refused = ann.send("/account/profile", name=" ", about="much to say")
    assert (refused.status_code, "Give a name of 1 to 32 characters." in words(refused)) == (422, True)
    assert "much to say" in refused.text


def test_a_first_password_is_set_and_then_changed_with_the_old_one(person):
    ann = person("ann", language="zh")
    assert "当前密码" not in ann.text("/account")  # she came without one
    assert "密码已修改" in words(ann.send("/account/password", new="a short sentence"))
    wrong = ann.send("/account/password", old="no idea at all", new="another sentence")
    assert (wrong.status_code, "当前密码不对。" in words(wrong)) == (422, True)
    assert "密码已修改" in words(ann.send("/account/password", old="a short sentence", new="another sentence"))


def test_the_old_password_cannot_be_guessed_here(person):
    ann = person("ann")
    ann.send("/account/password", new="a short sentence")
    answers = [ann.send("/account/password", old="a guess at it", new="another sentence") for _try in range(12)]
    assert "That is not your present password." in words(answers[0])
    assert answers[-1].status_code == 429
    assert "Too many tries." in words(answers[-1])


def test_a_programs_token_is_shown_once_and_ended(person):
    ann = person("ann")
    made = ann.send("/account/tokens", name="Backup", scopes="posts:read")
    plain = made.text.split('class="token">')[1].split("<")[0]
    assert plain.startswith("lbm_")
    assert plain not in ann.open("/account").text
    asked = {"Authorization": f"Bearer {plain}"}
    assert ann.client.get("/moments/api/v1/feed", headers=asked).status_code == 200
    token = next(each["id"] for each in ann.get("/tokens").json["items"] if each["name"] == "Backup")
    ann.send(f"/account/tokens/{token}/end")
    assert ann.client.get("/moments/api/v1/feed", headers=asked).status_code == 401
    refused = ann.send("/account/tokens", name="Backup")
    assert (refused.status_code, "Say what the token may do" in words(refused)) == (422, True)


def test_other_browsers_are_signed_out(person):
    ann = person("ann")
    other = person("bob").client
    with transaction() as session:
        cookie = members.sign_in(session, members.find(session, "ann"), "An old phone")
    other.set_cookie("lobby_moments", cookie, path="/moments")
    assert other.get("/moments/account").status_code == 200
    sign_in = next(
        each["id"] for each in ann.client.get("/moments/api/v1/sign-ins").json["items"] if not each["is_this"]
    )
    assert "An old phone" in ann.text("/account")
    ann.send(f"/account/sign-ins/{sign_in}/end")
    assert other.get("/moments/account").status_code in (302, 303)


def test_the_export_is_a_file_of_all_that_is_ones_own(person):
    ann = person("ann")
    bob = person("bob", ann)
    ann.post("hello")
    bob.post("for you")
    answer = ann.open("/account/export")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="moments-ann-')
    assert [each["body"] for each in answer.json["posts"]] == ["hello"]
    assert [each["name"] for each in answer.json["friends"]] == ["Bob"]


def test_switched_off_nobody_sees_anything_until_one_comes_back(person):
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("hello")
    assert "Your Moments are off." in words(ann.send("/account/off"))
    assert bob.get(f"/posts/{post}").status_code == 404
    assert ann.open("/friends").status_code == 403
    assert "Welcome back" in words(ann.send("/account/back"))
    assert bob.get(f"/posts/{post}").status_code == 200


def test_deleting_needs_the_handle_and_can_be_undone_for_fifteen_days(person):
    ann = person("ann", language="zh")
    bob = person("bob", ann)
    post = ann.post("hello")
    wrong = ann.send("/account/delete", "/account/delete", handle="an")
    assert (wrong.status_code, "请准确输入你的账号名" in words(wrong)) == (422, True)
    assert bob.get(f"/posts/{post}").status_code == 200
    assert "你的账号正在注销。" in words(ann.send("/account/delete", "/account/delete", handle="Ann"))
    assert bob.get(f"/posts/{post}").status_code == 404
    ann.send("/account/back")
    assert bob.get(f"/posts/{post}").status_code == 200


def test_an_avatar_and_a_cover_are_chosen_and_taken_away(person):
    ann = person("ann")
    page = ann.text("/account")
    assert "Remove" not in page
    for use in ("avatar", "cover"):
        photo = (io.BytesIO(PHOTO), "me.jpg")
        assert "Saved." in words(ann.send(f"/account/picture/{use}", photo=photo))
    me = ann.get("/me").json
    assert me["avatar"]
    assert me["cover"]
    assert f'src="{me["avatar"]}"' in ann.open("/account").text
    ann.send("/account/picture/avatar", remove="1")
    assert ann.get("/me").json["avatar"] is None
    none = ann.send("/account/picture/cover")
    assert (none.status_code, "Choose a photo first." in words(none)) == (422, True)
    broken = ann.send("/account/picture/cover", photo=(io.BytesIO(b"no photo at all"), "me.jpg"))
    assert broken.status_code == 422
    assert ann.get("/me").json["cover"]  # the old one stays
    assert ann.send("/account/picture/hat", remove="1").status_code == 404

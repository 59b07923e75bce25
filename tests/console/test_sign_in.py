"""Who gets in, and how that ends."""

import re
import statistics
import time
from datetime import timedelta

import pytest
from flask import Flask
from redis import Redis

from bot.services import operators, passwords
from models import Operator, SignIn, SignInLink, utc_now
from tests.console.conftest import Browser
from tests.factories import Create

PASSWORD = "a correct sentence"


def cookie_of(browser: Browser) -> str:
    cookie = browser.client.get_cookie("lobby")
    return cookie.value if cookie else ""


def link(create: Create, operator: Operator, minutes: int = 15) -> str:
    secret = operators.sign_in_link(create.session, operator, minutes)
    create.session.commit()
    return secret


def test_a_link_works_once_and_looking_does_not_use_it_up(stranger: Browser, create: Create, owner: Operator) -> None:
    secret = link(create, owner)
    for _ in range(3):  # the previews of a chat program
        assert "Sign in as owner" in stranger.open(f"/sign-in/{secret}").text
    answer = stranger.send(f"/sign-in/{secret}")
    assert answer.status_code == 302
    assert stranger.open("/profile").status_code == 200

    again = stranger.send(f"/sign-in/{secret}")
    assert again.status_code == 410
    assert "used already or has expired" in again.text
    assert stranger.open(f"/sign-in/{secret}").status_code == 410


def test_two_at_once_cannot_use_one_link(create: Create, owner: Operator) -> None:
    secret = link(create, owner)
    assert operators.redeem_link(create.session, secret, "one")
    with pytest.raises(operators.Unauthenticated):
        operators.redeem_link(create.session, secret, "two")


def test_a_link_expires(stranger: Browser, create: Create, owner: Operator) -> None:
    assert stranger.send(f"/sign-in/{link(create, owner, minutes=-1)}").status_code == 410


def test_secrets_are_kept_as_hashes_only(create: Create, owner: Operator) -> None:
    secret = link(create, owner)
    cookie = operators.sign_in(create.session, owner, "x")
    kept = [row.digest for row in create.session.query(SignIn).all() + create.session.query(SignInLink).all()]
    assert secret not in kept
    assert cookie not in kept
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in kept)


def test_every_sign_in_has_a_new_cookie_and_the_old_one_dies_at_sign_out(
    stranger: Browser, create: Create, owner: Operator
) -> None:
    stranger.client.set_cookie("lobby", "chosen-by-an-attacker")
    stranger.send(f"/sign-in/{link(create, owner)}")
    first = cookie_of(stranger)
    assert first not in ("", "chosen-by-an-attacker")
    stranger.send(f"/sign-in/{link(create, owner)}")
    second = cookie_of(stranger)
    assert second != first

    assert stranger.send("/sign-out").status_code == 302
    stranger.client.set_cookie("lobby", second)
    assert stranger.open("/profile").status_code == 302


def test_the_cookie_is_hidden_from_script_and_other_sites(stranger: Browser, create: Create, owner: Operator) -> None:
    header = stranger.send(f"/sign-in/{link(create, owner)}").headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header


def test_over_https_the_cookie_is_tied_to_the_host(
    database_url: str, create: Create, owner: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot import console, settings

    monkeypatch.setenv("LOBBY_BASE_URL", "https://lobby.example.com")
    settings.settings.cache_clear()
    app = Flask("https")
    console.register(app)
    browser = Browser(app.test_client(), create.session)
    secret = link(create, owner)
    page = browser.client.get(f"/console/sign-in/{secret}", base_url="https://lobby.example.com")
    token = re.search(r'csrf_token" value="([^"]+)', page.text)
    assert token
    answer = browser.client.post(
        f"/console/sign-in/{secret}", data={"csrf_token": token[1]}, base_url="https://lobby.example.com"
    )
    cookies = answer.headers.getlist("Set-Cookie")
    assert all(each.startswith("__Host-") and "Secure" in each for each in cookies), cookies
    assert "Strict-Transport-Security" in answer.headers


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36", "Chrome · Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/116.0 Mobile Safari/537.36 MicroMessenger/8.0", "WeChat · Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_listed_by_name(
    stranger: Browser, create: Create, owner: Operator, user_agent: str, name: str
) -> None:
    stranger.sign_in(operators.sign_in(create.session, owner, user_agent))
    assert f"<strong>{name}</strong>" in stranger.open("/profile").text


def test_a_password_signs_in_and_leads_to_where_one_wanted_to_go(stranger: Browser, create: Create) -> None:
    create.operator("xiaomei", PASSWORD)
    asked = stranger.open("/accounts")
    assert asked.headers["Location"] == "/console/sign-in?next=/console/accounts"
    answer = stranger.send("/sign-in", name="xiaomei", password=PASSWORD, next="/console/accounts")
    assert answer.headers["Location"] == "/console/accounts"


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/console\\@evil", "/consoleevil/../../x", "/console/../x", "x"],
)
def test_never_leads_to_another_site(stranger: Browser, create: Create, wanted: str) -> None:
    create.operator("xiaomei", PASSWORD)
    answer = stranger.send("/sign-in", name="xiaomei", password=PASSWORD, next=wanted)
    assert answer.headers["Location"] == "/console/"


def test_a_wrong_password_and_an_unknown_name_look_alike(stranger: Browser, create: Create) -> None:
    create.operator("xiaomei", PASSWORD)
    pages = [stranger.send("/sign-in", name=name, password="wrong wrong") for name in ("xiaomei", "nobody")]
    texts = [re.sub(r'value="[^"]*"', "", page.text) for page in pages]
    assert texts[0] == texts[1]
    assert pages[0].status_code == 401
    assert 'value="nobody"' in pages[1].text  # the name is kept, the password never
    assert "wrong wrong" not in pages[1].text


def test_an_unknown_name_takes_as_long(create: Create) -> None:
    known = create.operator("xiaomei", PASSWORD)

    def seconds(operator: Operator | None) -> float:
        start = time.perf_counter()
        operators.password_fits(operator, "wrong")
        return time.perf_counter() - start

    times = [(seconds(known), seconds(None)) for _ in range(7)]
    mine, nobodys = (statistics.median(each) for each in zip(*times, strict=True))
    assert nobodys > mine / 3  # not the instant answer that tells names apart; a busy machine may differ more


@pytest.mark.parametrize("has_redis", [True, False])
def test_ten_failures_slow_this_name_down_from_this_address_only(
    stranger: Browser, create: Create, request: pytest.FixtureRequest, has_redis: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_redis:
        request.getfixturevalue("redis")
    passwords._tries_here.clear()
    monkeypatch.setattr(operators, "password_fits", lambda operator, password: password == PASSWORD)
    create.operator("xiaomei", "")
    token = stranger.token()

    def tries(name: str, password: str, address: str) -> int:
        return stranger.client.post(
            "/console/sign-in",
            data={"name": name, "password": password, "csrf_token": token},
            environ_overrides={"REMOTE_ADDR": address},
        ).status_code

    answers = [tries("xiaomei", "wrong", "203.0.113.1") for _ in range(14)]
    assert answers[:10] == [401] * 10
    assert answers[11:] == [429] * 3
    assert [tries("nobody", "wrong", "203.0.113.1") for _ in range(14)][11:] == [429] * 3  # tells nothing of names
    assert tries("xiaomei", PASSWORD, "198.51.100.7") == 302


def test_tries_are_counted_for_all_processes(redis: "Redis[bytes]", create: Create) -> None:
    for _ in range(10):
        passwords.count_try("xiaomei", "203.0.113.1")
    passwords._tries_here.clear()  # as another process has it
    passwords.count_try("xiaomei", "203.0.113.1")  # one every 30 s still gets through
    with pytest.raises(passwords.TooManyTries):
        passwords.count_try("xiaomei", "203.0.113.1")
    passwords.forget_tries("xiaomei", "203.0.113.1")
    passwords.count_try("xiaomei", "203.0.113.1")


def test_a_new_password_ends_the_other_browsers(browser: Browser, app: Flask, create: Create, owner: Operator) -> None:
    other = Browser(app.test_client(), create.session)
    other.sign_in(operators.sign_in(create.session, owner, "Chrome"))
    create.session.commit()
    assert other.open("/profile").status_code == 200

    assert browser.send("/profile", password="short").status_code == 422
    assert browser.send("/profile", password=PASSWORD).status_code == 302
    assert browser.open("/profile").status_code == 200
    assert other.open("/profile").status_code == 302
    wrong = browser.send("/profile", current="not this", password="another sentence")
    assert "not your present password" in wrong.text


def test_ends_one_of_ones_own_browsers_and_nobody_elses(browser: Browser, create: Create, owner: Operator) -> None:
    operators.sign_in(create.session, owner, "Chrome")
    operators.sign_in(create.session, create.operator("other"), "Safari")
    create.session.commit()
    mine, others = (create.session.query(SignIn).filter_by(device=name).one().id for name in ("Chrome", "Safari"))
    for each in (mine, others):
        browser.send(f"/profile/browsers/{each}/end")
    left = {row.device for row in create.session.query(SignIn)}
    assert left == {"Firefox", "Safari"}


def test_an_expired_or_inactive_sign_in_is_none(browser: Browser, create: Create, owner: Operator) -> None:
    owner.is_active = False
    create.session.commit()
    assert browser.open("/profile").status_code == 302
    owner.is_active = True
    create.session.query(SignIn).update({"expires_at": utc_now() - timedelta(seconds=1)})
    create.session.commit()
    assert browser.open("/profile").status_code == 302


def test_seen_is_noted_once_a_minute(browser: Browser, create: Create) -> None:
    def seen() -> object:
        create.session.expire_all()
        return create.session.query(SignIn).one().seen_at

    first = seen()
    browser.open("/profile")
    assert seen() == first
    create.session.query(SignIn).update({"seen_at": utc_now() - timedelta(minutes=2)})
    create.session.commit()
    browser.open("/profile")
    assert seen() >= first  # type: ignore[operator]


def test_language_and_theme_are_chosen_once(browser: Browser, create: Create) -> None:
    browser.send("/preferences", language="zh", next="/console/profile")
    assert 'lang="zh-CN"' in browser.open("/profile").text  # though the browser asks for English
    browser.send("/preferences", theme="dark", next="https://evil.example")
    assert 'data-theme="dark"' in browser.open("/profile").text
    browser.send("/preferences", language="xx", theme="pink")
    assert 'data-theme="dark"' in browser.open("/profile").text

"""Every page opens, in both languages, with much on it and with nothing."""

import re

import pytest
from flask import Flask

from tests.console.conftest import Browser
from tests.console.samples import TeaHouse, tea_house
from tests.factories import Create

OF_ACCOUNT = (
    "/",
    "/settings",
    "/rules",
    "/rules?try=你好",
    "/rules/new",
    "/menu",
    "/menu/history",
    "/connect",
    "/abilities",
    "/conversations",
    "/conversations?show=closed",
    "/followers",
    "/followers?search=林",
    "/segments",
    "/segments/new",
    "/segments/new?ready=silent",
    "/health",
    "/people",
    "/tokens",
    "/audit",
)
GENERAL = ("/accounts", "/accounts/new", "/profile")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_opens_with_much_on_it(browser: Browser, house: TeaHouse, language: str) -> None:
    browser.language = language
    one = house.people[0].id
    paths = [*GENERAL, *(f"/tea-house{path}" for path in OF_ACCOUNT)]
    paths += [f"/tea-house/rules/{rule.id}" for rule in house.rules]
    paths += [f"/tea-house/followers/{one}", f"/tea-house/conversations/{house.conversation.id}"]
    for path in paths:
        page = browser.open(path)
        assert page.status_code == 200, path
        assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in page.text, path
        assert page.text.count("<h1") == 1, path


@pytest.mark.parametrize("language", ["en", "zh"])
def test_opens_with_nothing_on_it(browser: Browser, create: Create, language: str) -> None:
    browser.language = language
    create.account("empty", appid="", secret="", original_id="")
    for path in [*GENERAL, *(f"/empty{path}" for path in OF_ACCOUNT)]:
        assert browser.open(path).status_code == 200, path


def test_says_what_a_stranger_wrote_as_text(browser: Browser, create: Create) -> None:
    evil = "<script>alert(1)</script>"
    house = tea_house(create, nickname=evil)
    house.rules[0].title = evil
    create.session.commit()
    for path in (
        "/",
        "/rules?try=" + evil,
        "/followers",
        "/conversations",
        f"/followers/{house.people[0].id}",
        f"/conversations/{house.conversation.id}",
        f"/rules/{house.rules[0].id}",
    ):
        page = browser.open(f"/tea-house{path}").text
        assert evil not in page, path
        assert "&lt;script&gt;" in page, path


def test_carries_nothing_inline(browser: Browser, house: TeaHouse) -> None:
    for path in ("/", "/rules", "/menu", f"/conversations/{house.conversation.id}"):
        answer = browser.open(f"/tea-house{path}")
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", answer.text), path
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_answers_a_wrong_address_with_a_page_of_its_own(browser: Browser, house: TeaHouse) -> None:
    for path in ("/nowhere", "/tea-house/nowhere", "/other/rules", "/tea-house/rules/999", "/tea-house/followers/999"):
        page = browser.open(path, follow_redirects=True)  # "/nowhere" could be an account's front page
        assert page.status_code == 404, path
        assert "<h1>There is nothing here</h1>" in page.text, path


def test_the_account_of_another_address_is_not_there(browser: Browser, create: Create, house: TeaHouse) -> None:
    create.account("other")
    for path in (
        f"rules/{house.rules[0].id}",
        f"followers/{house.people[0].id}",
        f"conversations/{house.conversation.id}",
    ):
        mine, missing = browser.open(f"/other/{path}"), browser.open("/other/" + path.split("/")[0] + "/99999")
        assert mine.status_code == missing.status_code == 404
        # The form tokens hold the second in which they were made.
        bodies = [re.sub(r'value="[\w.-]{40,}"', "", page.text.split("<main")[1]) for page in (mine, missing)]
        assert bodies[0] == bodies[1]


def test_home_shows_what_is_being_sent(browser, house):
    assert "15,104 done, 31,208 left" in browser.open("/tea-house/").text


@pytest.mark.databases
def test_a_number_that_no_row_can_have_is_nobodys(browser: Browser, house: TeaHouse, app: Flask) -> None:
    """In each address with a number; and as where a list goes on."""
    huge, asked = 10**30, 0
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("console.") and "<int:" in rule.rule and "GET" in (rule.methods or ()):
            numbers = dict.fromkeys(re.findall(r"<int:(\w+)>", rule.rule), huge)
            path = rule.build(dict.fromkeys(rule.arguments, "x") | {"account": "tea-house"} | numbers)
            assert path, rule.rule
            assert browser.open(path[1].removeprefix("/console")).status_code == 404, rule.rule
            asked += 1
    assert asked > 10
    for path in ("/moments", "/tea-house/followers", "/tea-house/campaigns", "/tea-house/audit"):
        assert browser.open(f"{path}?before={huge}").status_code in (200, 404), path

"""In a real browser: the pages about people are accessible, fit a small phone, and do what they say."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright

from bot.moments.api.contract import COOKIE
from tests.chromium import launch, needs_chromium
from tests.moments_pages.people import Person
from tests.moments_pages.samples import circle

pytestmark = [pytest.mark.browser, needs_chromium]

RULES_OF_AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Chromium, app: Flask, serve: Callable[[Any], str]) -> Iterator[Callable[..., Page]]:
    """Open a page as somebody; a policy that was broken or an error of a script fails the test."""
    address, contexts, wrong = serve(app) + "/moments", [], []

    def visit(who: Person, path: str, width: int = 390, theme: Any = "light", language: str = "en-GB") -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme=theme, locale=language, accept_downloads=True
        )
        context.add_cookies([{"name": COOKIE, "value": who.cookie, "url": address}])
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if "Content Security" in line.text else None)
        page.goto(address + path)
        contexts.append(context)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not wrong


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("theme", "language", "width"), [("light", "zh-CN", 1280), ("dark", "en-GB", 390)])
def test_axe_finds_nothing_and_the_smallest_phone_cuts_nothing_off(
    visit: Callable[..., Page], person: Callable[..., Person], unlimited: None, theme: str, language: str, width: int
) -> None:
    around = circle(person)
    page, found, cut_off = visit(around.me, "/friends", width, theme, language), [], []
    address = page.url.removesuffix("/friends")
    for name, path in around.paths.items():
        answer = page.goto(address + path)
        assert answer
        assert answer.status == 200, name
        options = {"runOnly": {"type": "tag", "values": RULES_OF_AXE}, "resultTypes": ["violations"]}
        result = Axe().run(page, options=options).response
        found += [(name, each["id"], each["nodes"][0]["html"]) for each in result["violations"]]
        page.set_viewport_size({"width": 320, "height": 800})
        cut_off += [name] if page.evaluate("document.documentElement.scrollWidth") > 320 else []
        page.set_viewport_size({"width": width, "height": 800})
    assert not found
    assert not cut_off


def test_two_people_become_friends_and_one_hides(visit: Callable[..., Page], person: Callable[..., Person]) -> None:
    ann, wei = person("ann"), person("wei")
    post = wei.post("hello")
    page = visit(ann, "/friends")
    page.get_by_label("Their handle").fill("wei")
    page.keyboard.press("Enter")
    page.get_by_label("A few words").fill("From the tea house")
    page.get_by_role("button", name="Ask to be friends").click()
    page.get_by_text("Wei will see your request.").wait_for()

    theirs = visit(wei, "/notices")
    theirs.get_by_role("link", name="Ann asks to be your friend").click()
    theirs.get_by_role("heading", name="Ann sees your one post.").wait_for()
    theirs.get_by_label("Nothing: hide my Moments").check()
    theirs.get_by_role("button", name="Look again").click()
    theirs.get_by_role("heading", name="Ann sees none of your posts.").wait_for()
    assert theirs.get_by_label("Nothing: hide my Moments").is_checked()
    theirs.get_by_label("My Moments", exact=True).check()
    theirs.get_by_role("button", name="Accept", exact=True).click()
    theirs.get_by_text("Ann and you are friends now.").wait_for()
    assert ann.get(f"/posts/{post}").status_code == 200

    theirs.get_by_label("Hide my Moments from Ann").check()
    theirs.get_by_label("Hide my Moments from Ann").locator("xpath=ancestor::form").get_by_role("button").click()
    theirs.get_by_text("Ann sees none of your Moments from now on").wait_for()
    assert ann.get(f"/posts/{post}").status_code == 404


def test_a_group_is_made_changed_and_taken_apart_by_keyboard(
    visit: Callable[..., Page], person: Callable[..., Person]
) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    page = visit(ann, "/groups")
    page.get_by_label("A new group").focus()
    page.keyboard.type("Family")
    page.keyboard.press("Enter")
    page.get_by_label("Bob").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Put in").press("Enter")
    page.get_by_text("They see future posts for Family").wait_for()
    group = ann.get("/groups").json["items"][0]["id"]
    post = ann.post("for family", audience={"mode": "allow", "allow_groups": [group]})
    assert bob.get(f"/posts/{post}").status_code == 200
    page.get_by_role("link", name="Take out… Bob").press("Enter")
    page.get_by_text("1 past post closes at once.").wait_for()
    page.get_by_role("button", name="Take out").press("Enter")
    page.get_by_text("Bob is no longer in Family.").wait_for()
    assert bob.get(f"/posts/{post}").status_code == 404


def test_everything_is_downloaded(visit: Callable[..., Page], person: Callable[..., Person], tmp_path: Path) -> None:
    ann = person("ann")
    ann.post("hello")
    page = visit(ann, "/account")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download everything").click()
    started.value.save_as(tmp_path / "export.json")
    assert [each["body"] for each in json.loads((tmp_path / "export.json").read_text())["posts"]] == ["hello"]

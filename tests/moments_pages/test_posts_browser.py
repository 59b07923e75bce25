"""In a real browser: the pages of posts are accessible, fit a small phone, and a day goes by with them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright

from bot.moments.api.contract import COOKIE
from tests.chromium import launch, needs_chromium
from tests.moments_pages.moments import days, picture, upload
from tests.moments_pages.people import Person

pytestmark = [pytest.mark.browser, needs_chromium, pytest.mark.timeout(300)]

RULES_OF_AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Make = Callable[..., Person]
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Chromium, app: Flask, serve: Callable[[Any], str]) -> Iterator[Visit]:
    """Open a page as somebody; a policy that was broken or an error of a script fails the test."""
    address, contexts, wrong = serve(app) + "/moments", [], []

    def visit(
        who: Person | None,
        path: str,
        width: int = 390,
        theme: Any = "light",
        language: str = "en-GB",
        script: bool = True,
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            locale=language,
            java_script_enabled=script,
            has_touch=width < 800,
        )
        context.set_default_timeout(15_000)
        if who is not None:
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


@pytest.mark.parametrize(("theme", "language", "width"), [("light", "zh-CN", 1280), ("dark", "en-GB", 390)])
def test_axe_finds_nothing_and_the_smallest_phone_cuts_nothing_off(
    visit: Visit, person: Make, unlimited: None, theme: str, language: str, width: int
) -> None:
    around, paths = days(person)
    page, found, cut_off = visit(around.me, "/", width, theme, language), [], []
    stranger = visit(None, "/sign-in", width, theme, language)
    address = page.url.removesuffix("/")
    for name, path in {**paths, "sign_in": "/sign-in", "join": "/join"}.items():
        window = stranger if name in ("sign_in", "join") else page
        window.goto(address + path)
        options = {"runOnly": {"type": "tag", "values": RULES_OF_AXE}, "resultTypes": ["violations"]}
        result = Axe().run(window, options=options).response
        found += [(name, each["id"], each["nodes"][0]["html"][:300]) for each in result["violations"]]
        window.set_viewport_size({"width": 320, "height": 800})
        cut_off += [name] if window.evaluate("document.documentElement.scrollWidth") > 320 else []
        window.set_viewport_size({"width": width, "height": 800})
    assert not found
    assert not cut_off


def test_somebody_joins_and_finds_an_honest_empty_feed(visit: Visit) -> None:
    page = visit(None, "/")
    page.get_by_role("link", name="Join").click()
    page.get_by_label("Your name").fill("Ann Lee")
    page.get_by_label("Handle").fill("ann")
    page.get_by_label("Password").fill("a short sentence is good")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("heading", name="You have no friends here yet").wait_for()


def test_photos_go_to_a_group_with_progress_order_and_a_draft(
    visit: Visit, person: Make, unlimited: None, tmp_path: Path
) -> None:
    ann = person("ann")
    bob, eve = person("bob", ann), person("eve", ann)
    group = ann("POST", "/groups", {"name": "Family"}).json["id"]
    ann("PUT", f"/groups/{group}/members/{bob.address}")
    files = []
    for at in range(2):
        files.append(tmp_path / f"{at}.jpg")
        files[-1].write_bytes(picture(at))
    page = visit(ann, "/compose")
    page.get_by_label("Your words").fill("by the lake")
    page.reload()
    assert page.get_by_label("Your words").input_value() == "by the lake"  # the draft
    page.get_by_label("Photos, or one video").set_input_files([str(each) for each in files])
    page.locator(".shot input[name=media]").nth(1).wait_for(state="attached")
    first = page.locator(".shot input[name=media]").first.input_value()
    page.get_by_role("button", name="Turn").first.click()
    page.get_by_role("button", name="Later").first.click()
    page.get_by_label("What it shows, for those who do not see it: 0.jpg").fill("hills at dusk")
    page.get_by_text("Who can see this:").click()
    page.get_by_label("Only some", exact=True).check()
    page.get_by_text("Nobody but you would see this.").wait_for()
    page.get_by_role("group", name="Who sees it").get_by_label("Family").check()
    expect(page.locator("[data-names]")).to_have_text("Bob")
    page.get_by_role("button", name="Publish").last.click()
    page.get_by_text("Published.").wait_for()
    media = bob.get("/feed").json["items"][0]["media"]
    assert [each["alt"] for each in media] == ["", "hills at dusk"]
    assert media[1]["width"] < media[1]["height"]  # turned by a quarter
    assert first not in {each["id"] for each in media}
    assert eve.get("/feed").json["items"] == []
    page.goto(page.url.partition("?")[0] + "compose")
    assert page.get_by_label("Your words").input_value() == ""  # the draft went with the post

    page.goto(page.url.replace("compose", ""))
    page.get_by_role("img", name="Photo 1 of 2").click()
    shown = page.get_by_role("dialog").get_by_role("img")
    expect(shown).to_have_attribute("alt", "Photo 1 of 2")
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_attribute("alt", "hills at dusk")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.querySelector('img').alt") == "hills at dusk"


def test_publishing_is_taken_back(visit: Visit, person: Make) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    page = visit(ann, "/compose")
    page.get_by_label("Your words").fill("too soon")
    page.get_by_role("button", name="Publish").last.click()
    page.get_by_role("button", name="Take it back").click()
    page.get_by_text("The post is deleted, for everybody.").wait_for()
    assert bob.get("/feed").json["items"] == []


def test_reactions_stand_in_place_and_a_failed_one_loses_nothing(visit: Visit, person: Make) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    ann.post("hello")
    page = visit(bob, "/")
    page.get_by_role("button", name="Like the post of Ann").click()
    expect(page.get_by_role("button", name="Like the post of Ann")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Comment on the post of Ann").click()
    words = page.locator(".write textarea")
    words.fill("well said")
    page.route("**/comments", lambda route: route.fulfill(status=422, body="Not now."))
    words.press("Control+Enter")
    page.get_by_role("alert").get_by_text("Not now.").wait_for()
    assert words.input_value() == "well said"
    page.unroute("**/comments")
    words.press("Control+Enter")
    page.locator(".comment").get_by_text("well said").wait_for()
    assert page.url.endswith("/moments/")  # never left
    page.get_by_role("link", name="Answer Bob").click()
    page.locator(".write textarea").fill("and so it is")
    page.get_by_role("button", name="Send").click()
    page.locator(".comment").get_by_text("to Bob").wait_for()
    page.get_by_role("button", name="Delete the comment of Bob").first.click()
    page.get_by_text("This comment was deleted.").wait_for()


def test_the_feed_is_endless_merges_at_the_head_and_keeps_its_place(
    visit: Visit, person: Make, unlimited: None
) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    for at in range(50):
        bob.post(f"post number {at:02d}")
    page = visit(ann, "/")
    page.route("**/moments/?after=*", lambda route: route.abort())
    page.mouse.wheel(0, 20_000)
    again = page.get_by_role("link", name="That did not load. Try again.")
    again.wait_for()
    page.unroute("**/moments/?after=*")
    again.click()
    for _turn in range(30):
        page.mouse.wheel(0, 4000)
        page.wait_for_timeout(120)
        if page.get_by_text("That is everything.").count():
            break
    page.get_by_text("That is everything.").wait_for()
    seen = page.locator("[data-post] .words").all_inner_texts()
    assert seen == [f"post number {at:02d}" for at in reversed(range(50))]

    page.get_by_text("post number 10").scroll_into_view_if_needed()
    page.locator("[data-post]", has_text="post number 10").locator(".meta > a").first.click()
    page.get_by_role("link", name="Feed").first.wait_for()
    page.wait_for_url("**/posts/**")
    page.go_back()
    expect(page.get_by_text("post number 10")).to_be_in_viewport()

    bob.post("something new")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_role("button", name="1 new post").click()
    expect(page.locator("[data-post] .words").first).to_have_text("something new")
    assert page.locator("[data-post] .words").all_inner_texts().count("post number 49") == 1


def test_an_audience_is_changed_and_seen_as_a_friend(visit: Visit, person: Make) -> None:
    ann = person("ann")
    bob, eve = person("bob", ann), person("eve", ann)
    post = ann.post("hello", audience={"mode": "allow", "allow_members": [bob.address]})
    page = visit(ann, f"/posts/{post}")
    page.get_by_role("link", name="Change who sees it").last.click()
    page.get_by_label("All friends", exact=True).check()
    expect(page.locator("[data-sum]")).to_have_text("2 friends")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("One more friend will see this post.").wait_for()
    assert eve.get(f"/posts/{post}").status_code == 404
    page.get_by_role("button", name="Yes, open it to them").click()
    page.get_by_text("2 friends see it now").wait_for()
    page.get_by_role("link", name="Eve").click()
    page.get_by_role("heading", name="Your album as Eve sees it").wait_for()
    page.get_by_text("hello").wait_for()


def test_a_post_is_passed_on_and_read_without_script(visit: Visit, person: Make, unlimited: None) -> None:
    ann = person("ann")
    bob, eve = person("bob", ann), person("eve", ann)
    bob.befriend(eve)
    post = ann.post("the root", media=[upload(ann, picture(1), "hills")])
    page = visit(bob, "/")
    page.get_by_role("link", name="Pass on the post of Ann").click()
    page.get_by_label("Your words").fill("look at this")
    page.get_by_role("button", name="Publish").last.click()
    page.get_by_text("Published.").wait_for()
    plain = visit(eve, "/", script=False)
    card = plain.locator("[data-post]", has_text="look at this")
    expect(card.locator(".quoted").get_by_text("the root")).to_be_visible()
    card.locator(".quoted").get_by_role("link", name="Open the post").click()
    plain.get_by_label("Comment on the post of Ann").fill("from a plain page")
    plain.get_by_role("button", name="Send").click()
    plain.get_by_text("from a plain page").wait_for()
    ann("PATCH", f"/posts/{post}", {"reshare_ok": False})
    page.goto(page.url.partition("?")[0])
    page.get_by_text("What you passed on is not to be seen any more.").wait_for()
    plain.goto(plain.url.partition("/posts")[0] + "/")
    expect(plain.get_by_text("look at this")).to_be_visible()
    expect(plain.locator(".quoted")).to_have_count(0)


def test_somebody_elses_browser_finds_no_draft(visit: Visit, person: Make) -> None:
    ann, bob = person("ann"), person("bob")
    page = visit(ann, "/compose")
    page.get_by_label("Your words").fill("mine alone")
    page.context.add_cookies([{"name": COOKIE, "value": bob.cookie, "url": page.url}])
    page.reload()
    assert page.get_by_label("Your words").input_value() == ""
    assert json.dumps(page.evaluate("Object.keys(localStorage)")).count(ann.address) == 1

"""In a real browser: what fingers do, and a photo that is dragged."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import needs_chromium
from tests.moments_pages.moments import picture, upload
from tests.moments_pages.test_posts_browser import Make, Visit, chromium, visit  # noqa: F401 - fixtures

pytestmark = [pytest.mark.browser, needs_chromium, pytest.mark.timeout(300)]


def stroke(page: Page, start: tuple[int, int], end: tuple[int, int]) -> None:
    """One finger, as the browser gets it from the screen."""
    session = page.context.new_cdp_session(page)
    for turn in range(11):
        x, y = (one + (other - one) * turn / 10 for one, other in zip(start, end, strict=True))
        kind = "touchMove" if turn else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_photos_are_swiped(visit: Visit, person: Make, unlimited: None) -> None:  # noqa: F811
    ann = person("ann")
    ann.post("two", media=[upload(ann, picture(at), f"hills {at}") for at in range(2)])
    page = visit(ann, "/")
    page.get_by_role("img", name="hills 0").click()
    shown = page.get_by_role("dialog").get_by_role("img")

    stroke(page, (300, 400), (100, 410))
    expect(shown).to_have_attribute("alt", "hills 1")
    stroke(page, (300, 400), (100, 410))  # there is no third
    expect(shown).to_have_attribute("alt", "hills 1")
    stroke(page, (100, 400), (300, 410))
    expect(shown).to_have_attribute("alt", "hills 0")
    stroke(page, (200, 400), (220, 430))  # too little to mean anything
    expect(shown).to_have_attribute("alt", "hills 0")
    stroke(page, (200, 300), (210, 500))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_feed_is_pulled_down_for_what_is_new(visit: Visit, person: Make, unlimited: None) -> None:  # noqa: F811
    ann = person("ann")
    bob = person("bob", ann)
    for at in range(6):
        bob.post(f"post number {at}")
    page = visit(ann, "/")
    words = page.locator("[data-post] .words")
    expect(words.first).to_have_text("post number 5")
    bob.post("something new")

    stroke(page, (200, 200), (200, 240))  # not far enough
    expect(words.first).to_have_text("post number 5")
    stroke(page, (200, 200), (200, 500))
    expect(words.first).to_have_text("something new")
    assert words.all_inner_texts().count("post number 5") == 1


def test_a_photo_is_dragged_to_its_place(visit: Visit, person: Make, unlimited: None, tmp_path: Path) -> None:  # noqa: F811
    ann = person("ann")
    files = []
    for at in range(3):
        files.append(tmp_path / f"{at}.jpg")
        files[-1].write_bytes(picture(at))
    page = visit(ann, "/compose", width=1200)
    page.get_by_label("Photos, or one video").set_input_files([str(each) for each in files])
    names = page.locator(".shot .photo img")
    expect(page.locator(".shot input[name=media]:not([value=''])")).to_have_count(3)
    page.locator(".shot").nth(0).drag_to(page.locator(".shot").nth(2))
    expect(names.nth(2)).to_have_attribute("alt", "0.jpg")
    sent = [each.input_value() for each in page.locator(".shot input[name=media]").all()]

    page.get_by_role("button", name="Publish").last.click()
    page.get_by_text("Published.").wait_for()
    media = [each["id"] for each in ann.get("/feed").json["items"][0]["media"]]
    assert media == sent

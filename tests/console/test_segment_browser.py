"""The sentence builder in a real browser, by keyboard only."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from bot.services import segments
from models import Segment
from tests.chromium import needs_chromium
from tests.console.samples import TeaHouse
from tests.console.test_browser import chromium, visit  # noqa: F401 - fixtures
from tests.factories import Create

pytestmark = [pytest.mark.browser, needs_chromium]


def tab_to(page: Page, selector: str) -> None:
    for _each in range(80):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {selector}")


def is_on(page: Page, selector: str) -> None:
    page.wait_for_function("selector => document.activeElement.matches(selector)", arg=selector)


def test_a_sentence_is_built_by_keyboard_and_counted_on_the_way(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
    create: Create,
) -> None:
    page = visit("/tea-house/segments/new", language="en")
    page.wait_for_selector("#preview .sample")  # counted by itself
    followers = page.inner_text("#preview .big")

    tab_to(page, "[value='add:']")
    page.keyboard.press("Enter")
    is_on(page, "#f-c-1-what")
    page.keyboard.type("Tag")
    page.wait_for_selector("[name='c-1.was'][value=tag]", state="attached")
    is_on(page, "#f-c-1-what")
    tab_to(page, "#f-c-1-value")
    page.keyboard.press("ArrowDown")
    page.locator("#preview .said").get_by_text("has the tag").wait_for()
    assert page.inner_text("#preview .big") != followers
    tab_to(page, "[value='nest:1']")
    page.keyboard.press("Enter")
    is_on(page, "#f-c-1-1-what")
    page.keyboard.type("Wrote")
    page.wait_for_selector("#f-c-1-1-value.short")
    tab_to(page, "#f-c-1-1-value")
    page.keyboard.press("Control+a")
    page.keyboard.type("7")
    tab_to(page, "[value='add:']")
    page.keyboard.press("Enter")
    is_on(page, "#f-c-2-what")
    page.keyboard.type("Blocked")
    page.wait_for_selector("[name='c-2.was'][value=blocked]", state="attached")
    tab_to(page, "#f-c-2-value")
    page.keyboard.type("n")
    page.wait_for_function("() => document.querySelector('.said')?.textContent.endsWith('is not blocked')")
    said = page.inner_text("#preview .said")
    assert "or wrote in the last 7 days)" in said
    counted = page.inner_text("#preview .big")
    tab_to(page, "#f-name")
    page.keyboard.type("Regulars")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tea-house/segments")
    page.get_by_text("“Regulars” is saved.").wait_for()

    create.session.expire_all()
    saved = create.session.scalars(select(Segment).where(Segment.name == "Regulars")).one()
    first = house.tags[0].id
    expected: dict[str, Any] = {
        "all": [
            {"field": "follows", "op": "is", "value": True},
            {"any": [{"field": "tag", "op": "has", "value": first}, {"field": "wrote", "op": "last_days", "value": 7}]},
            {"field": "blocked", "op": "is", "value": False},
        ]
    }
    assert saved.conditions == expected
    members = segments.members(create.session, house.account, saved)
    assert counted == str(len(members))


@pytest.mark.parametrize("script", [True, False])
def test_what_is_refused_is_said_at_the_condition(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
    script: bool,
) -> None:
    page = visit(f"/tea-house/segments/{house.segment.id}", language="en", script=script)
    page.fill("#f-name", "Kept")
    days = page.locator("input.short").first
    days.fill("soon")
    page.get_by_role("button", name="Save the segment").click()
    page.locator(".condition .error").get_by_text("Give a number of days from 1 to 3,650.").wait_for()
    assert days.input_value() == "soon"
    assert page.input_value("#f-name") == "Kept"

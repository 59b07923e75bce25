"""One follower's page, as it is used all day, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from bot.services import fields, stages
from tests.chromium import needs_chromium
from tests.console.samples import TeaHouse
from tests.console.test_browser import chromium, visit  # noqa: F401 - fixtures
from tests.factories import Create

pytestmark = [pytest.mark.browser, needs_chromium]


def test_a_day_with_one_follower(visit: Callable[..., Page], house: TeaHouse, create: Create) -> None:  # noqa: F811
    stages.add(create.session, house.account, "客户")
    fields.add(create.session, house.account, "年消费", "number")
    create.session.commit()
    page = visit("/tea-house/followers?search=lxy", language="en")  # 林晓雨
    page.get_by_role("link", name="林晓雨").click()

    page.select_option("#f-stage_id", label="客户")
    page.get_by_label("年消费").fill("many")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Give a number such as 42 or 3.5.").wait_for()
    page.get_by_label("年消费").fill("3200")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Stage: — → 客户").wait_for()
    page.get_by_label("New note").fill("Likes a quiet room")
    page.get_by_role("button", name="Add the note").click()
    page.locator(".noted").get_by_text("Likes a quiet room").wait_for()

    page.get_by_role("link", name="Changes").click()
    page.get_by_text("年消费: — → 3200").wait_for()
    assert page.locator(".bubble").count() == 0

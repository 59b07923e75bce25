"""The campaign pages' script: numbers that move under one's hands, the phone that follows, days that are dragged to."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from bot import clock
from models import Batch, Campaign, CampaignStatus
from tests.chromium import needs_chromium
from tests.console.samples import TeaHouse
from tests.console.test_browser import chromium, visit  # noqa: F401 - fixtures
from tests.factories import Create

pytestmark = [pytest.mark.browser, needs_chromium]
BASE = "/tea-house/campaigns"


def test_numbers_move_while_a_dialog_is_open_and_a_speed_half_typed(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
    create: Create,
) -> None:
    page = visit(f"{BASE}/{house.campaigns[3].id}", language="en")
    page.fill("#f-pace", "12")
    page.get_by_role("button", name="Stop sending to the remaining 31,208").click()
    dialog = page.get_by_role("dialog", name="Cancel the campaign")
    expect(dialog).to_be_visible()
    create.session.expire_all()
    batch = create.session.scalars(select(Batch).where(Batch.campaign_id == house.campaigns[3].id)).one()
    batch.sent += 1000
    create.session.commit()
    expect(dialog).to_contain_text("Stop sending to the remaining 30,208")
    expect(page.locator("[data-live=numbers]")).to_contain_text("16,104")
    assert page.input_value("#f-pace") == "12"

    dialog.get_by_role("button", name="Keep it").click()
    create.session.expire_all()
    create.session.get_one(Campaign, house.campaigns[3].id).status = CampaignStatus.FINISHED
    create.session.commit()
    expect(page.locator("#f-pace")).to_be_hidden()
    expect(page.locator("#state-head")).to_have_text("Finished")
    expect(page.locator(".state-card")).to_have_class(re.compile(r"\bgood\b"))


def test_the_phone_follows_what_is_typed_and_variables_go_in_at_the_cursor(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
) -> None:
    page = visit(f"{BASE}/new", language="en")
    assert not page.get_by_role("button", name="Nickname").is_visible()  # a mass message says the same to everybody
    page.check("[name=channel][value=service]")
    page.fill("#f-variants-0-content-text", "，欢迎")
    page.locator("#f-variants-0-content-text").press("Home")
    page.get_by_role("button", name="Nickname").click()
    assert page.input_value("#f-variants-0-content-text") == "{{nickname|friend}}，欢迎"
    expect(page.locator("#preview .bubble")).to_have_text("一个名字特别特别长的老顾客从来不肯改短，欢迎")
    page.fill("#f-as_search", "Emma")
    page.get_by_role("radio", name="Emma Zhang").check()
    expect(page.locator("#preview .bubble")).to_have_text("Emma Zhang，欢迎")
    page.check("[name=channel][value=template]")
    expect(page.locator("#f-variants-0-content-text")).to_be_hidden()
    expect(page.locator("#f-variants-0-content-template_id")).to_be_visible()


def test_a_campaign_is_dragged_to_another_day(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
    create: Create,
) -> None:
    month = (clock.now().replace(day=1) + timedelta(days=32)).replace(day=1)  # the next one: all of it is to come
    draft, day = create.session.get_one(Campaign, house.campaigns[0].id), month.replace(day=12)
    draft.starts = f"{month:%Y-%m}-10T10:00"
    create.session.commit()
    page = visit(f"{BASE}/calendar?month={month:%Y-%m}", language="en", width=1280)
    move = f"[data-move='/console{BASE}/{draft.id}/move']"
    page.drag_and_drop(move, f"[data-day='{day:%Y-%m-%d}']")
    page.get_by_text("begins").first.wait_for()
    create.session.expire_all()
    assert create.session.get_one(Campaign, house.campaigns[0].id).starts == f"{day:%Y-%m-%d}T10:00"


@pytest.mark.parametrize("path", ["/new?goal=sale", "/1/plan", "/2", "/calendar"])
def test_without_script_nothing_is_missing(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
    path: str,
) -> None:
    page = visit(BASE + path, language="en", script=False)
    for button in page.locator("main button[type=button]:visible").all():
        assert button.get_attribute("popovertarget"), button.inner_text()  # the others need no script

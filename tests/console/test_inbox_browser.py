"""The inbox in a real browser: what one overlooked, and what a colleague does."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from bot import clock
from bot.services import conversations, operators
from models import Draft, Role
from tests.chromium import needs_chromium
from tests.console.samples import TeaHouse
from tests.console.test_browser import chromium, visit  # noqa: F401 - fixtures
from tests.factories import Create

pytestmark = [pytest.mark.browser, needs_chromium]


def test_an_answer_that_overlooked_a_colleagues_is_refused_and_can_be_sent_anyway(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
    create: Create,
) -> None:
    page = visit(f"/tea-house/conversations/{house.conversation.id}", language="en")
    page.route("**/stream*", lambda route: route.abort())  # its line is cut: it sees nothing of what follows
    page.reload()
    page.fill("#f-text", "我来回答")
    conversations.wrote(create.session, house.people[0].id, clock.now(), "算了，不用了")
    create.session.commit()
    page.press("#f-text", "Enter")
    page.get_by_text("Something was said since you last looked.").wait_for()
    assert page.input_value("#f-text") == "我来回答"
    page.get_by_role("button", name="Send anyway").click()
    page.locator(".turn.operator", has_text="我来回答").wait_for()
    assert page.input_value("#f-text") == ""


def test_a_row_follows_the_stream_and_a_colleague_who_writes_is_seen(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
    create: Create,
    redis: object,
) -> None:
    colleague = operators.find(create.session, "小美") or create.operator(
        "小美", role=Role.AGENT, account=house.account
    )
    cookie = operators.sign_in(create.session, colleague, "Chromium")
    create.session.commit()
    ours = visit("/tea-house/conversations", language="en")
    theirs = visit(f"/tea-house/conversations/{house.conversation.id}", language="en", who=cookie)
    theirs.fill("#f-text", "请稍等")
    row = ours.locator(f'.talk[data-id="{house.conversation.id}"]')
    row.get_by_text("小美 writes…").wait_for()
    theirs.get_by_text("Draft saved").wait_for()
    create.session.expire_all()
    assert create.session.query(Draft).one().text == "请稍等"
    create.session.commit()
    theirs.press("#f-text", "Enter")
    row.get_by_text("You: 请稍等").wait_for()

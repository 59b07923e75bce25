"""One follower's day in a real browser against the whole stack: phone, menu, a person, and back to the bot."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import launch, needs_chromium
from tests.stack import Stack

SHOTS = Path(__file__).parent.parent.parent / "var" / "screenshots"  # kept by CI
SECONDS = 20_000  # ms that a busy machine may take

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("stack"),
    needs_chromium,
]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "data")
    try:
        stack.until_ready()
        yield stack
        assert stack.stop() == 0
    finally:
        stack.end()


@pytest.fixture
def pages(stack: Stack) -> Iterator[tuple[Page, Page]]:
    """The follower's phone, and the operator's console."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        phone = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN").new_page()
        desk = browser.new_context(viewport={"width": 1280, "height": 860}, locale="zh-CN").new_page()
        yield phone, desk
        browser.close()


def test_a_follower_is_answered_by_bot_and_person(stack: Stack, pages: tuple[Page, Page]) -> None:
    phone, desk = pages
    phone.goto(f"http://127.0.0.1:{stack.sim_port}/phone/?account=practice&as=小美")
    theirs = phone.locator("#log .bubble.them")

    def write(text: str) -> None:
        phone.fill("#composer [name=text]", text)
        phone.click("#send")

    write("hello")
    expect(theirs.last).to_contain_text("Hello!", timeout=SECONDS)

    phone.locator("[data-menu-key=HOURS]").first.click()
    expect(theirs.last).to_contain_text("9:00", timeout=SECONDS)
    phone.screenshot(path=SHOTS / "phone.png")

    write("人工")
    expect(theirs.last).to_contain_text("人工客服", timeout=SECONDS)
    write("我的订单还没到，能帮我看看吗？")
    answered = theirs.count()

    link = re.search(r"http://\S+/console/sign-in/\S+", stack.said)
    assert link
    desk.goto(link[0])
    desk.click("main form button")
    desk.click("a[href$='/console/practice/conversations']")
    desk.locator("main a.person[href*='/conversations/']").first.click()
    expect(desk.locator(".turns")).to_contain_text("我的订单还没到", timeout=SECONDS)
    desk.fill("textarea[name=text]", "您好，我是客服小林，马上为您查询。")
    desk.screenshot(path=SHOTS / "conversation.png")
    desk.click(".composer button.primary")

    expect(theirs.last).to_contain_text("我是客服小林", timeout=SECONDS)
    assert theirs.count() == answered + 1  # the bot kept silent meanwhile
    phone.screenshot(path=SHOTS / "phone-answered.png")

    desk.get_by_role("button", name="交还机器人").click()
    expect(desk.get_by_role("status")).to_contain_text("机器人重新开始回复", timeout=SECONDS)
    write("hello")
    expect(theirs.last).to_contain_text("Hello!", timeout=SECONDS)

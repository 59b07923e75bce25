"""In a real browser: accessible, nothing cut off on a small phone, live without losing what is typed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright

from bot import clock
from bot.services import audit, conversations, operators
from models import InboundMessage, Operator
from tests.chromium import launch, needs_chromium
from tests.console.moments_samples import reported
from tests.console.samples import TeaHouse
from tests.factories import Create

pytestmark = [
    pytest.mark.browser,
    needs_chromium,
]

RULES_OF_AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHANGED_BY_THEME_AND_WIDTH = ["color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable"]
PATHS = (
    "/tea-house/",
    "/tea-house/rules?try=你好",
    "/tea-house/rules/6",
    "/tea-house/rules/publish",
    "/tea-house/rules/versions",
    "/tea-house/rules/versions/3",
    "/tea-house/rules/unanswered",
    "/tea-house/menu",
    "/tea-house/menu/1",
    "/tea-house/menu/taps",
    "/tea-house/menu/history?version=1",
    "/tea-house/menu/who-sees?follower_id=1&platform=2",
    "/tea-house/connect",
    "/tea-house/abilities",
    "/tea-house/conversations",
    "/tea-house/conversations/1",
    "/tea-house/conversations/texts",
    "/tea-house/conversations?queue=bot",
    "/tea-house/conversations/search?search=包间",
    "/tea-house/conversations/report",
    "/tea-house/conversations/report/list?part=opened",
    "/tea-house/followers",
    "/tea-house/followers/1",
    "/tea-house/followers?search=xm&stage=none",
    "/tea-house/followers/fields",
    "/tea-house/tags",
    "/tea-house/segments",
    "/tea-house/segments/1",
    "/tea-house/segments/1/members",
    "/tea-house/campaigns",
    "/tea-house/campaigns/calendar",
    "/tea-house/campaigns/new?goal=sale",
    "/tea-house/campaigns/1/plan",
    "/tea-house/campaigns/1/check",
    "/tea-house/campaigns/2",
    "/tea-house/campaigns/2/recipients?search=林",
    "/tea-house/campaigns/3",
    "/tea-house/campaigns/3/results",
    "/tea-house/campaigns/4",
    "/tea-house/campaigns/5",
    "/tea-house/campaigns/6",
    "/tea-house/campaigns/7",
    "/tea-house/assistant",
    "/tea-house/assistant/settings",
    "/tea-house/assistant/knowledge",
    "/tea-house/assistant/knowledge/1",
    "/tea-house/assistant/answers/1",
    "/tea-house/settings",
    "/design",
    "/accounts",
    "/accounts/new",
    "/moments",
    "/moments?state=held",
    "/moments/cases/1",
    "/moments/cases/2",
    "/moments/cases/3",
    "/tea-house/health",
    "/tea-house/people",
    "/tea-house/tokens",
    "/tea-house/audit",
    "/profile",
    "/profile/second-factor",
    "/tea-house/nowhere",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(
    chromium: Chromium, app: Flask, serve: Callable[[Any], str], create: Create, owner: Operator
) -> Iterator[Callable[..., Page]]:
    """Open a page as the owner; anything that goes wrong on it fails the test."""
    address = serve(app) + "/console"
    owner.password_hash = "set"  # or there is no second step to set up
    cookie = operators.sign_in(create.session, owner, "Chromium")
    audit.record(create.session, "people.role", "小美", before={"role": "agent"}, after={"role": "editor"})
    create.session.commit()
    contexts, wrong = [], []

    def visit(
        path: str, width: int = 1280, theme: str = "light", language: str = "zh", script: bool = True, who: str = cookie
    ) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 800}, java_script_enabled=script)
        cookies = {"lobby": who, "lobby-theme": theme, "lobby-language": language}
        context.add_cookies(
            [{"name": name, "value": value, "url": address} for name, value in cookies.items() if value]
        )
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


@pytest.mark.timeout(400)  # some forty pages; with the machine to itself it takes a minute
@pytest.mark.parametrize(
    ("theme", "language", "width", "rules"),
    [
        ("light", "zh", 1280, {"type": "tag", "values": RULES_OF_AXE}),
        ("dark", "en", 390, {"type": "rule", "values": CHANGED_BY_THEME_AND_WIDTH}),
    ],
)
def test_axe_finds_nothing_and_the_smallest_phone_cuts_nothing_off(
    visit: Callable[..., Page],
    house: TeaHouse,
    create: Create,
    theme: str,
    language: str,
    width: int,
    rules: dict[str, Any],
) -> None:
    """One visit for both: opening a page takes as long as looking at it."""
    reported(create.session)
    page, found, cut_off = visit("/profile", width, theme, language), [], []
    address = page.url.removesuffix("/profile")
    for path in PATHS:
        answer = page.goto(address + path)
        assert answer
        assert answer.status == (404 if path == "/tea-house/nowhere" else 200), path
        result = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"], "preload": False}).response
        found += [(path, each["id"], each["nodes"][0]["html"]) for each in result["violations"]]
        page.set_viewport_size({"width": 320, "height": 800})
        cut_off += [path] if page.evaluate("document.documentElement.scrollWidth") > 320 else []
        page.set_viewport_size({"width": width, "height": 800})
    page = visit("/sign-in", width, theme, language, who="")
    found += [("/sign-in", each["id"], "") for each in Axe().run(page).response["violations"]]
    assert not found
    assert not cut_off


def test_a_new_message_arrives_while_one_types(visit: Callable[..., Page], house: TeaHouse, create: Create) -> None:
    page = visit(f"/tea-house/conversations/{house.conversation.id}", language="en")
    page.fill("#f-text", "写到一半的回复")
    person = house.people[0]
    conversations.wrote(create.session, person.id, clock.now(), "还在吗？")
    create.session.add(
        InboundMessage(
            account_id=house.account.id,
            openid=person.openid,
            dedup_key="late",
            follower_id=person.id,
            kind="text",
            text="还在吗？",
            received_at=clock.now() + timedelta(seconds=1),
        )
    )
    create.session.commit()
    page.locator(".bubble", has_text="还在吗？").wait_for()
    assert page.input_value("#f-text") == "写到一半的回复"
    assert page.evaluate("document.activeElement.id") == "f-text"

    page.wait_for_timeout(1500)  # who answers sooner has not read it: the answer is held back
    page.press("#f-text", "Enter")
    page.get_by_text("waiting to be sent").wait_for()
    assert page.input_value("#f-text") == ""


def test_a_rule_is_written_and_moved_with_the_keyboard_only(visit: Callable[..., Page], house: TeaHouse) -> None:
    page = visit("/tea-house/rules/new", language="en")
    page.focus("#f-keywords-0-text")
    page.keyboard.type("停车")
    page.get_by_role("button", name="+ Add another", exact=True).press("Enter")
    page.keyboard.type("parking")
    assert page.evaluate("document.activeElement.name") == "keywords.1.text"
    page.fill("#f-replies-0-text", "地下车库两小时免费。")
    page.get_by_role("button", name="+ Add another reply").press("Enter")
    page.select_option('[name="replies.1.kind"]', "image")
    page.fill("#f-replies-1-media_id", "abc")
    page.get_by_role("button", name="Save and publish").press("Enter")
    page.get_by_text("“停车” is saved").wait_for()
    page.get_by_role("button", name="Move “停车” up").press("Enter")
    page.wait_for_load_state()
    rows = page.locator("table.rules tbody tr")
    assert "停车" in rows.nth(rows.count() - 2).inner_text()
    assert "parking" in rows.nth(rows.count() - 2).inner_text()


def test_a_rule_is_dragged_to_the_top(visit: Callable[..., Page], house: TeaHouse) -> None:
    page = visit("/tea-house/rules", language="en")
    rows = page.locator("table.rules tbody tr")
    with page.expect_navigation():
        page.locator(".handle").nth(2).drag_to(rows.nth(0), target_position={"x": 300, "y": 4})
    assert "价目" in rows.nth(0).inner_text()


def test_the_forms_work_without_script(visit: Callable[..., Page], house: TeaHouse) -> None:
    page = visit("/tea-house/rules/new", language="en", script=False)
    page.fill('[name="keywords.0.text"]', "停车")
    page.fill('[name="keywords.2.text"]', "车位")
    page.fill('[name="replies.0.text"]', "地下车库两小时免费。")
    page.get_by_role("button", name="Save and publish").click()
    page.get_by_text("“停车” is saved").wait_for()
    page.get_by_role("switch", name="停车", checked=True).click()
    page.get_by_role("switch", name="停车", checked=False).wait_for()


def test_what_was_wrong_has_the_focus(visit: Callable[..., Page], house: TeaHouse) -> None:
    page = visit("/sign-in", who="", language="en")
    page.fill("#f-name", "nobody")
    page.fill("#f-password", "wrong wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("The name or the password is wrong.").wait_for()
    assert page.evaluate("document.activeElement.id") == "f-password"

    page = visit(f"/tea-house/conversations/{house.conversation.id}", language="en")
    page.fill("#f-text", "长" * 700)
    page.press("#f-text", "Enter")
    page.get_by_text("This is too long for WeChat").wait_for()
    assert page.evaluate("document.activeElement.id") == "f-text"

    page = visit("/tea-house/rules/new", language="en")
    page.select_option('[name="keywords.0.mode"]', "regex")
    page.fill("#f-keywords-0-text", "C++")
    page.fill("#f-replies-0-text", "答")
    page.get_by_role("button", name="Save and publish").click()
    page.get_by_role("alert").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    page.get_by_role("alert").get_by_role("link").press("Enter")
    assert page.evaluate("document.activeElement.id") == "f-keywords-0-text"
    assert page.input_value("#f-keywords-0-text") == "C++"


def test_a_button_asks_for_what_its_kind_needs(visit: Callable[..., Page], house: TeaHouse) -> None:
    page = visit("/tea-house/menu", language="en")
    page.locator('.slot[data-at="buttons.1"]').click()
    page.select_option('[name="buttons.1.type"]', "view")
    button = page.locator("#f-buttons-1")
    button.get_by_role("textbox", name="Web address", exact=True).fill("https://tea.example.com")
    page.select_option('[name="buttons.1.type"]', "media_id")
    value = button.get_by_role("textbox", name="Media id", exact=True).input_value()
    assert value == "https://tea.example.com"


def test_the_skip_link_is_the_first_stop(visit: Callable[..., Page], house: TeaHouse) -> None:
    page = visit("/tea-house/", language="en")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

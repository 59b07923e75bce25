"""In a real browser, without script: the buttons lead to WeChat and back, past our content policy; axe looks too."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bot import settings
from models import Account
from tests.chromium import launch, needs_chromium
from tests.factories import Create, Sim

pytestmark = [pytest.mark.browser, needs_chromium, pytest.mark.timeout(300)]


def opened(browser: Browser, wrong: list[str], **values: Any) -> Page:
    page = browser.new_context(viewport={"width": 360, "height": 780}, locale="en-GB", **values).new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda line: wrong.append(line.text) if "Content Security" in line.text else None)
    return page


def test_signs_in_through_wechat_and_unlinks(
    create: Create, sim: Sim, live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOBBY_BASE_URL", live)
    settings.settings.cache_clear()
    account: Account = create.account("shop", title="Tea", signs_members_in=True)
    sim.connect(account, live, web_domain="127.0.0.1")
    sim.follower(account, "小美")
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = opened(browser, wrong, java_script_enabled=False)
        page.goto(f"{live}/moments/sign-in")
        page.get_by_role("button", name="Sign in through WeChat (Tea)").click()
        assert page.url.startswith(f"{sim.address}/connect/oauth2/authorize?appid=")
        page.get_by_role("button", name="Allow").click()
        assert page.url.partition("#")[0] == f"{live}/moments/"  # browsers carry WeChat's own end along
        expect(page.locator("p.note")).to_contain_text("Welcome, 小美.")
        page.goto(f"{live}/moments/account")
        page.get_by_role("button", name="Unlink Tea").click()
        expect(page.locator("main")).to_contain_text("Choose a password first")

        for path, cookies in (("/sign-in", []), ("/account", page.context.cookies())):
            seen = opened(browser, wrong, color_scheme="dark")
            seen.context.add_cookies(cookies)  # type: ignore[arg-type]  # what it gave it takes
            seen.goto(f"{live}/moments{path}")
            found = Axe().run(seen).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
            assert seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.close()
    assert wrong == []

"""In a real browser, from the AppID to the phone: nothing that WeChat did for the account is lost."""

import re

import pytest
from playwright.sync_api import sync_playwright

from bot import webhook
from bot.services import operators
from tests.chromium import launch, needs_chromium
from tests.flows.test_connecting import MENU, REPLIES

pytestmark = [pytest.mark.browser, needs_chromium]
APPID, SECRET = "wx0123456789abcdef", "s" * 32


@pytest.fixture
def page(live, create):
    cookie = operators.sign_in(create.session, create.operator(), "Chromium")
    create.session.commit()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(viewport={"width": 1000, "height": 900}, java_script_enabled=False)
        cookies = {"lobby": cookie, "lobby-language": "en"}
        context.add_cookies([{"name": name, "value": value, "url": live} for name, value in cookies.items()])
        yield context.new_page()
        browser.close()


def press(page, name):
    page.get_by_role("button", name=name).click()


def say(sim, openid, text):
    return sim.post("messages", account="shop", openid=openid, type="text", text=text)["reply"]["text"]


def change_one_rule_and_back(page, live, answer):
    """As a draft, seen beside what is live, published by name, and taken back."""
    before, after = "稍后回复您", "火星上还没有分店"
    page.goto(f"{live}/console/shop/rules")
    page.locator("tbody tr", has_text=before).get_by_role("link").first.click()
    page.fill('[name="replies.0.text"]', after)
    press(page, "Save as draft")
    assert answer() == before  # a draft answers nobody

    page.get_by_role("link", name="See and publish").click()
    assert before in page.inner_text("main")
    assert after in page.inner_text("main")
    assert "火星" in page.locator("section", has_text="answered differently").last.inner_text()
    page.fill('[name="name"]', "火星")
    press(page, "Publish")
    assert answer() == after

    page.get_by_role("link", name="Versions").click()
    page.locator("tbody tr").nth(1).get_by_role("button").click()
    page.get_by_text("are live again").wait_for()
    assert answer() == before


def test_an_account_is_connected(page, sim, live, work):
    sim.post("accounts", account="shop", appid=APPID, original_id="gh_shop", secret=SECRET, kind="service")
    sim.post("autoreplies", account="shop", **REPLIES)
    sim.post("menus", account="shop", button=MENU)

    page.goto(f"{live}/console/accounts/new")
    for name, value in (("slug", "shop"), ("title", "小店"), ("appid", APPID), ("secret", SECRET)):
        page.fill(f'[name="{name}"]', value)
    press(page, "Add the account and go on")
    page.get_by_text("Not yet: first take over what is there").wait_for()

    press(page, "Check the connection")
    work()
    page.reload()
    assert "This account may set its menu from here." in page.inner_text("#checks")
    press(page, "Read what is there")
    work()
    page.reload()
    assert page.locator("#takeover tbody tr").count() == 10 + 2 + 2
    press(page, "Take all of this over")
    work()
    page.reload()
    assert "WeChat took the menu." in page.inner_text("#takeover")

    press(page, "Show the token and the key")
    address, token, key = page.locator("#enter code").all_inner_texts()
    sim.post("accounts", account="shop", callback_url=re.sub(r"^https?://[^/]+", live, address), mode="safe",
             token=token, encoding_aes_key=key)  # fmt: skip
    webhook.forget()
    sim.post("verify", account="shop")
    openid = sim.post("followers", account="shop", name="mei", follow=True)["openid"]
    for said, answer in (("请问营业时间吗", "关于营业时间"), ("客服", "关于客服"), ("火星", "稍后回复您")):
        assert say(sim, openid, said) == answer
    page.goto(f"{live}/console/shop/connect")
    assert "done" in page.inner_text("#enter")

    phone = page.context.browser.new_page()
    phone.goto(f"{sim.address}/phone/?account=shop&name=mei")
    phone.get_by_text("关于客服").wait_for()
    phone.get_by_text("茶单").click()
    phone.get_by_text("龙井 30，普洱 28").wait_for()

    page.goto(f"{live}/console/shop/menu/history")
    assert "published" in page.inner_text("tbody")
    change_one_rule_and_back(page, live, lambda: say(sim, openid, "火星"))
    page.goto(f"{live}/console/shop/connect")
    press(page, "Bring back what was there before")
    work()
    page.goto(f"{live}/console/shop/rules")
    assert "No rule yet" in page.inner_text("main")

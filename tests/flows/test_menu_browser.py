"""In a real browser: a menu for tagged followers is made, published, seen by them alone, and rolled back."""

import pytest
from playwright.sync_api import sync_playwright

from bot.database import reading, transaction
from bot.services import follower_sync, followers, menus, name_search, operators, tokens
from models import FollowerTag, Rule, Tag
from tests.chromium import launch, needs_chromium

pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture
def page(live, create):
    cookie = operators.sign_in(create.session, create.operator(), "Chromium")
    create.session.commit()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        cookies = {"lobby": cookie, "lobby-language": "en"}
        context.add_cookies([{"name": name, "value": value, "url": live} for name, value in cookies.items()])
        yield context.new_page()
        browser.close()


@pytest.fixture
def account(create, sim, live):
    account = create.account("tea", title="茶舍")
    sim.connect(account, live)
    return account


@pytest.fixture
def people(account, sim, create):
    """Mei, who wears WeChat's tag vip, and Li, who does not."""
    client = tokens.client_for(account)
    mei, li = sim.follower(account, "mei", follow=True), sim.follower(account, "li", follow=True)
    tag = client._ask(lambda: client._sdk.tag.create("vip"))["id"]
    client._ask(lambda: client._sdk.tag.tag_user(tag, mei))
    with transaction() as session:
        follower_sync.note_tags(session, account.id, client.tags())
        known = session.query(Tag).filter_by(wechat_id=tag).one()
        (one,) = followers.page(session, account, search=mei)
        one.nickname = "Mei"
        name_search.keep(session, account.id, [(one.id, one.nickname, one.remark)])
        session.add(FollowerTag(follower_id=one.id, tag_id=known.id))
    return mei, li


def test_a_menu_for_tagged_followers(page, account, people, sim, live, work):
    def shown(name):
        menu = sim.http.get(f"{sim.address}/phone/state", params={"account": "tea", "as": name}, timeout=10).json()[
            "menu"
        ]
        return [button["name"] for button in menu["button"]] if menu else []

    def press(name):
        page.get_by_role("button", name=name, exact=True).click()

    page.goto(f"{live}/console/tea/menu")
    page.fill('[name="buttons.0.name"]', "价格")
    page.fill('[name="buttons.0.reply"]', "99 元")
    page.get_by_role("button", name="Add a button", exact=True).click()
    page.keyboard.type("Shop")
    page.locator("#f-buttons-1-type").select_option("view")
    page.fill('[name="buttons.1.value"]', "https://shop.example.com")
    page.locator('.slot[data-at="buttons.1"]').press("Alt+ArrowLeft")  # by keys, to the front
    assert page.locator(".slot").all_inner_texts()[:2] == ["Shop", "+"]
    press("Save and publish")
    work()
    page.reload()
    assert "WeChat took the menu" in page.inner_text("#publishing")
    assert shown("mei") == shown("li") == ["Shop", "价格"]
    with reading() as session:
        rule = session.query(Rule).one()
        key = menus.get(session, account).buttons[1]["key"]
    assert (rule.keywords[0]["text"], rule.replies[0]["text"]) == (key, "99 元")
    assert sim.happen(account, people[1], "CLICK", event_key=key)["reply"]["text"] == "99 元"

    page.reload()
    page.locator("#taps table").wait_for()  # in a request of its own
    page.locator('.slot[data-at="buttons.1"]').click()
    assert "1 taps in 7 days" in page.inner_text(".chosen")
    page.select_option("#f-new-tag_id", label="vip")
    press("Copy the usual menu")
    page.locator('.slot[data-at="buttons.0"]').click()
    page.fill('[name="buttons.0.name"]', "会员商城特别长")
    assert "The phone shows: 会员商城…" in page.inner_text(".chosen")
    assert "21 / 16 B" in page.inner_text(".chosen")
    page.fill('[name="buttons.0.name"]', "会员商城")
    page.locator('.slot[data-at="buttons.1"]').drag_to(page.locator('.slot[data-at="buttons.0"]'))
    assert page.locator('.slot[data-at="buttons.0"]').inner_text() == "价格"
    press("Save and publish all menus")
    work()
    assert shown("mei") == ["价格", "会员商城"]
    assert shown("li") == ["Shop", "价格"]

    page.goto(f"{live}/console/tea/menu/who-sees")
    page.fill("#f-search", "Mei")
    press("Look")
    page.get_by_role("link", name="Mei", exact=True).click()
    assert "It is the first that fits." in page.locator(".checks .good").inner_text()
    press("Ask WeChat")
    work()
    page.reload()
    assert "tag “vip”" in page.inner_text("#wechat")

    page.goto(f"{live}/console/tea/menu/history")
    page.get_by_role("link", name="Compare 1", exact=True).click()
    assert "removed" in page.inner_text("main")
    press("Publish this one again")
    work()
    assert shown("mei") == ["Shop", "价格"]


def test_a_refusal_names_the_button_and_leaves_the_menu(page, account, sim, live, work):
    page.goto(f"{live}/console/tea/menu")
    page.fill('[name="buttons.0.name"]', "Shop")
    page.locator("#f-buttons-0-type").select_option("view")
    page.fill('[name="buttons.0.value"]', "https://shop.example.com")
    sim.post("faults", path="/cgi-bin/menu/create", times=1, errcode=40055)
    page.get_by_role("button", name="Save and publish", exact=True).click()
    work()
    page.reload()
    told = page.inner_text("#publishing")
    assert "leads to an address WeChat does not allow" in told
    assert "The usual menu, “Shop”" in told
    assert tokens.client_for(account).get_menu() is None

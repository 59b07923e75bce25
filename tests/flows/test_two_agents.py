"""In real browsers: two agents at one conversation, and the follower's phone."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select

from bot.database import reading
from bot.services import operators
from models import Account, Answer, AnswerState, Conversation, Draft, Role
from tests.chromium import launch, needs_chromium
from tests.factories import Create, Sim, StandIn
from tests.stack import until

SHOTS = Path(__file__).parent.parent.parent / "var" / "screenshots" / "inbox"  # kept by CI
SECONDS = 20_000  # ms that a busy machine may take
HOURS = "# 营业时间\n每天上午九点开门，晚上九点关门。"

pytestmark = [pytest.mark.browser, needs_chromium, pytest.mark.timeout(240)]


class Desk(NamedTuple):
    """What is on the three screens."""

    mei: Page
    lin: Page
    phone: Page


@pytest.fixture
def account(create: Create, live: str, sim: Sim, model: StandIn) -> Account:
    account = create.account("tea", title="云上茶舍")
    create.assistant(account, HOURS)
    sim.connect(account, live)
    create.follower(account, openid=sim.follower(account, "小李"), nickname="小李")
    return account


@pytest.fixture
def desk(account: Account, create: Create, live: str, sim: Sim) -> Iterator[Desk]:
    SHOTS.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=SECONDS)
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)

        def agent(name: str) -> Page:
            operator = create.operator(name, role=Role.AGENT, account=account)
            cookie = operators.sign_in(create.session, operator, "Chromium")
            create.session.commit()
            context = browser.new_context(viewport={"width": 1280, "height": 860})
            cookies = {"lobby": cookie, "lobby-language": "zh"}
            context.add_cookies([{"name": key, "value": value, "url": live} for key, value in cookies.items()])
            page = context.new_page()
            page.on("pageerror", lambda error: wrong.append(str(error)))
            return page

        phone = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN").new_page()
        phone.goto(f"{sim.address}/phone/?account=tea&as=小李")
        yield Desk(agent("小美"), agent("小林"), phone)
        browser.close()
    expect.set_options(timeout=5000)
    assert not wrong


def say(phone: Page, text: str) -> None:
    phone.fill("#composer [name=text]", text)
    phone.click("#send")
    expect(phone.locator("#log .bubble.me").last).to_have_text(text)


def answer() -> Answer | None:
    with reading() as session:
        return session.scalars(select(Answer).order_by(Answer.id.desc())).first()


def test_two_agents_and_a_phone(
    desk: Desk, account: Account, live: str, model: StandIn, worker: None, work: Callable[[], None]
) -> None:
    mei, lin, phone = desk
    theirs = phone.locator("#log .bubble.them")
    inbox = f"{live}/console/tea/conversations"

    # The assistant is about to answer when a person takes over: it never does.
    model.will(delay_ms=2500)
    mei.goto(f"{inbox}?queue=bot")
    lin.goto(inbox)
    say(phone, "你们几点开门")
    assert until(model.asked, 20)
    mei.reload()
    mei.get_by_role("button", name="接管").click()
    expect(mei.locator("#composer")).to_be_visible()
    assert until(lambda: (one := answer()) and one.state is AnswerState.DROPPED, 20)
    expect(mei.locator(".turns")).to_contain_text("你们几点开门")
    assert theirs.count() == 0
    mei.screenshot(path=SHOTS / "1-taken-over.png")

    # The colleague sees the row without a reload, opens it, and each sees the other.
    row = lin.locator(".talk", has_text="小李")
    expect(row).to_contain_text("你们几点开门")
    expect(row).to_contain_text("小美")
    row.locator("a.person").click()
    expect(lin.locator("[data-colleagues]")).to_have_text("小美 正在查看")
    expect(mei.locator("[data-colleagues]")).to_have_text("小林 正在查看")
    mei.fill("#f-text", "您好，我是小美，")
    expect(lin.locator("[data-colleagues]")).to_have_text("小美 正在输入…")
    expect(row).to_contain_text("小美 正在输入…")
    lin.screenshot(path=SHOTS / "2-a-colleague-writes.png")

    # What the follower says and an agent answers stands on both screens, and both meters count it.
    say(phone, "还在吗？")
    for page in (mei, lin):
        expect(page.locator(".turn", has_text="还在吗？")).to_be_visible()
        expect(page.locator("#window")).to_have_text(meter(5))
    mei.fill("#f-text", "您好，我是小美，九点开门。")
    until_seen(mei)
    mei.press("#f-text", "Enter")
    for page in (mei, lin):
        expect(page.locator(".turn.operator", has_text="九点开门")).to_be_visible()
        expect(page.locator("#window")).to_have_text(meter(4))
    work()
    expect(theirs.last).to_have_text("您好，我是小美，九点开门。")
    assert theirs.count() == 1
    phone.screenshot(path=SHOTS / "3-phone.png")

    # A picture goes by itself; what is being written stays.
    mei.fill("#f-text", "这是菜单。")
    mei.set_input_files("#composer [name=file]", {"name": "菜单.png", "mimeType": "image/png", "buffer": picture()})
    expect(mei.locator("#composer .pick")).to_contain_text("菜单.png")
    mei.screenshot(path=SHOTS / "3a-a-file.png")
    until_seen(mei)
    mei.press("#f-text", "Enter")
    expect(mei.locator("#window")).to_have_text(meter(3))
    expect(mei.locator("#composer .pick")).not_to_contain_text("菜单")
    assert mei.input_value("#f-text") == "这是菜单。"
    work()
    expect(theirs.last.locator("img")).to_be_visible()
    phone.screenshot(path=SHOTS / "3b-phone-picture.png")

    # Whoever has not seen the last answer is told so in words, and keeps what they wrote.
    lin.route("**/stream*", lambda route: route.abort())  # the line is cut: nothing new reaches this screen
    lin.reload()
    mei.fill("#f-text", "周末也是九点。")
    until_seen(mei)
    mei.press("#f-text", "Enter")
    expect(mei.locator("#window")).to_have_text(meter(2))
    lin.fill("#f-text", "周末十点开门。")
    lin.press("#f-text", "Enter")
    expect(lin.locator("[data-part=refusal]")).to_contain_text("您查看之后又有新消息")
    expect(lin.locator(".turn.operator", has_text="周末也是九点。")).to_be_visible()
    assert lin.input_value("#f-text") == "周末十点开门。"
    lin.screenshot(path=SHOTS / "4-refused.png")
    assert until(lambda: drafts() == ["周末十点开门。"], 20)
    lin.unroute("**/stream*")
    lin.reload()
    assert lin.input_value("#f-text") == "周末十点开门。"
    lin.press("#f-text", "Enter")  # having read it, they may
    for page in (mei, lin):
        expect(page.locator(".turn.operator", has_text="周末十点开门。")).to_be_visible()
        expect(page.locator("#window")).to_have_text(meter(1))
    assert drafts() == []
    work()
    assert until(lambda: theirs.count() == 4, 20)

    # Back to the bot: the other one sees it too, and the assistant speaks again.
    mei.get_by_role("button", name="交还机器人").click()
    expect(mei.get_by_role("status")).to_contain_text("机器人重新开始回复")
    expect(lin.locator("[data-part=state]")).to_contain_text("已结束")
    lin.screenshot(path=SHOTS / "5-handed-back.png")
    say(phone, "你们几点开门？")
    expect(theirs.last).to_contain_text("每天上午九点开门")
    phone.screenshot(path=SHOTS / "6-phone-the-assistant-again.png")


def picture() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (320, 200), (90, 140, 120)).save(data, "PNG")
    return data.getvalue()


def meter(left: int) -> str:
    return f"还可回复 {left} 条 · 47 小时"


def drafts() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Draft.text)))


def until_seen(page: Page) -> None:
    """What was said last has stood on this screen for its second: an answer states it."""
    with reading() as session:
        said = session.scalars(select(Conversation.said_seq)).one()
    assert until(lambda: int(page.input_value("#composer [name=seen]")) >= said, 20)

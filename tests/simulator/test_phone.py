"""The phone: its page is closed to foreign scripts, its news come at once, and a person can use it."""

import re
import threading
import time

import pytest
from playwright.sync_api import sync_playwright

from tests.chromium import launch, needs_chromium

MENU = [
    {"type": "click", "name": "会员", "key": "vip"},
    {"name": "更多", "sub_button": [{"type": "click", "name": "人工", "key": "agent"}]},
]
TEXT = '<b>你好</b> <a href="https://example.org/a">看看</a> <a href="javascript:alert(1)">坏</a>'


def reply_with(text):
    from bot.simulator import envelope

    def answer(seen):
        fields = envelope.from_xml(seen["body"])
        head = {"ToUserName": fields["FromUserName"], "FromUserName": fields["ToUserName"], "CreateTime": 1}
        return envelope.to_xml(head | {"MsgType": "text", "Content": text}).encode()

    return answer


@pytest.fixture
def account(sim, callback):
    return sim.account(callback_url=callback.url, title="清和茶馆")


def test_the_page_allows_no_inline_code(sim, account):
    answer = sim.http.get(f"{sim.url}/phone/?account=tea&as=<script>", headers={"Accept-Language": "zh-CN"})

    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert 'lang="zh-CN"' in answer.text
    assert not re.search(r"<script>|<style|\son\w+=|\sstyle=", answer.text)
    for path in re.findall(r'(?:src|href)="(/phone/static/[^"]+)"', answer.text):
        assert sim.http.get(sim.url + path).status_code == 200
    assert 'lang="en"' in sim.http.get(f"{sim.url}/phone/?lang=en").text


def test_tells_what_the_phone_needs(sim, account):
    openid = sim.follower()
    sim.api(account).post("menu/create", {"button": MENU})
    sim.say(openid, "在吗")

    told = sim.get("/phone/state", account="tea")

    assert told["me"] == {"openid": openid, "name": "mei", "following": True}
    assert [button["name"] for button in told["menu"]["button"]] == ["会员", "更多"]
    assert [(item["kind"], item["text"]) for item in told["items"]] == [("mine", "在吗")]
    assert told["window"]["remaining"] == 5


def test_news_end_the_waiting(sim, account, callback):
    openid = sim.follower()
    told = sim.get("/phone/state", account="tea")
    callback.answer_with(reply_with("来了"))
    threading.Timer(0.3, sim.say, args=(openid,)).start()
    started = time.monotonic()

    news = sim.get("/phone/events", account="tea", openid=openid, after=0, mark=told["mark"])

    assert time.monotonic() - started < 5
    assert news["items"][0]["kind"] == "mine"


def test_too_many_waiting_phones_are_told_to_ask_again(sim, account):
    openid = sim.follower()
    mark = sim.get("/phone/state", account="tea")["mark"]
    query = {"account": "tea", "openid": openid, "after": 0, "mark": mark}
    waiting = [threading.Thread(target=sim.get, args=("/phone/events",), kwargs=query) for _ in range(10)]
    for thread in waiting:
        thread.start()
    time.sleep(0.5)

    started = time.monotonic()
    assert sim.get("/phone/events", **query)["wait_ms"] > 0
    assert time.monotonic() - started < 2
    sim.advance(1)  # wakes all
    for thread in waiting:
        thread.join()


def test_only_the_phone_may_upload(sim, account):
    url = f"{sim.url}/phone/pictures?account=tea"

    assert sim.http.post(url, data=b"GIF89a").status_code == 400
    assert sim.http.post(url, data=b"<svg>", headers={"X-Phone": "1"}).status_code == 400
    assert "media_id" in sim.http.post(url, data=b"GIF89a", headers={"X-Phone": "1"}).json()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as started:
        opened = launch(started)
        yield opened
        opened.close()


@pytest.mark.browser
@needs_chromium
@pytest.mark.xdist_group("browser")
def test_a_person_can_talk_to_an_account(sim, account, callback, browser):
    sim.api(account).post("menu/create", {"button": MENU})
    callback.answer_with(reply_with(TEXT))
    page = browser.new_page(viewport={"width": 320, "height": 640}, locale="zh-CN")
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{sim.url}/phone/?account=tea&as=mei")

    page.fill("#composer textarea", "在吗")
    page.evaluate(
        "document.querySelector('#composer textarea').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    assert page.locator(".bubble.me").count() == 0  # the input method was still composing
    page.press("#composer textarea", "Enter")
    bubble = page.locator(".bubble.them").first
    bubble.wait_for()
    assert "<b>你好</b>" in bubble.text_content()
    assert bubble.locator("a").evaluate_all("links => links.map(link => link.href)") == ["https://example.org/a"]

    page.click("[data-menu-key=vip]")
    page.locator(".bubble.them").nth(1).wait_for()
    page.click("#toggle-menu")
    assert page.locator("#menu").is_hidden()
    page.click("#toggle-menu")
    callback.answer_with(b"broken")
    page.click("[data-menu-parent]")
    page.click("[data-menu-key=agent]")
    page.locator("[data-kind=notice]").wait_for()

    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert problems == []
    page.close()


@pytest.mark.browser
@needs_chromium
@pytest.mark.xdist_group("browser")
def test_who_does_not_follow_can_only_follow_or_scan(sim, account, callback, browser):
    assert sim.http.post(f"{sim.url}/phone/people", json=["mei"]).status_code == 400
    sim.post("/phone/people", account="tea", name="mei", following=False)
    page = browser.new_page(viewport={"width": 320, "height": 640}, locale="zh-CN")
    page.goto(f"{sim.url}/phone/?account=tea&as=mei")

    page.get_by_role("button", name="扫一扫").wait_for()
    assert page.locator("#composer").is_hidden()
    page.get_by_role("button", name="关注").click()
    page.locator("#composer").wait_for()
    assert page.get_by_role("button", name="关注").is_hidden()
    page.close()


@pytest.mark.browser
@needs_chromium
@pytest.mark.xdist_group("browser")
def test_what_could_not_be_sent_is_kept_and_explained(sim, account, browser):
    page = browser.new_page(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page.goto(f"{sim.url}/phone/?account=gone&as=mei")  # no such account: the first one
    page.get_by_role("heading", name="清和茶馆").wait_for()
    assert "你好" in page.evaluate("getComputedStyle(document.getElementById('log'), '::before').content")

    page.set_input_files(
        "#picture", files=[{"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG" + b"x" * (11 << 20)}]
    )
    page.get_by_text("图片不能超过 10 MB").wait_for()

    page.route("**/sim/messages", lambda route: route.abort())
    page.fill("#composer textarea", "还在吗")
    page.press("#composer textarea", "Enter")
    page.get_by_text("没有成功：模拟器没有响应").wait_for()
    assert page.input_value("#composer textarea") == "还在吗"
    page.close()


@pytest.mark.browser
@needs_chromium
@pytest.mark.xdist_group("browser")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_phone_is_accessible(sim, account, callback, browser, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    callback.answer_with(reply_with(TEXT))
    sim.api(account).post("menu/create", {"button": MENU})
    openid = sim.follower()
    for kind in ("text", "image", "voice", "location"):
        sim.say(openid, type=kind)
    context = browser.new_context(color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{sim.url}/phone/?account=tea&as=mei")
    page.locator(".bubble.them").first.wait_for()
    page.click("#open-more")

    results = axe.run(page)

    assert results.violations_count == 0, results.generate_report()
    context.close()

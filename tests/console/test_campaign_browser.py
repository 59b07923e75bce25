"""A campaign in a real browser, with real workers and a practice WeChat: from the first word to the last follower."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import launch, needs_chromium
from tests.factories import Sim
from tests.stack import Stack, until

SHOTS = Path(__file__).parent.parent.parent / "var" / "screenshots" / "campaign"  # kept by CI
SECONDS = 60_000  # ms that a busy machine may take
WORDS = "秋茶上新，欢迎品尝"

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stack"), pytest.mark.timeout(900), needs_chromium]


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
def desk(stack: Stack) -> Iterator[Page]:
    """The console, signed in by the link that the start prints."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US").new_page()
        page.set_default_timeout(SECONDS)
        found = re.search(r"(http://\S+/console/sign-in/\S+)", stack.said)
        assert found
        page.goto(found[1])
        page.get_by_role("button").last.click()
        page.wait_for_url("**/practice/**")
        yield page
        browser.close()


def meet(stack: Stack, desk: Page, count: int) -> int:
    """So many more practice followers, read from WeChat by the console's button; returns how many follow."""
    sim = Sim(f"http://127.0.0.1:{stack.sim_port}")
    sim.post("followers", account="practice", name="小李", count=count)
    following = sum(one["following"] for one in sim.get("followers", account="practice"))
    desk.goto(f"http://127.0.0.1:{stack.port}/console/practice/followers")
    desk.get_by_role("button", name="from WeChat").click()

    def known() -> int:
        with sqlite3.connect(f"file:{stack.data_dir}/lobby.db?mode=ro", uri=True) as lobby:
            return int(lobby.execute("SELECT count(*) FROM followers WHERE is_subscribed").fetchone()[0])

    assert until(lambda: known() == following, 300), f"{known()} of {following}"
    return following


def figure(desk: Page, name: str) -> int:
    shown = desk.locator("[data-live=numbers] .figure", has_text=name).locator(".value").inner_text()
    return int(shown.replace(",", ""))


def compose(desk: Page, channel: str, template_id: str, pace: int) -> None:
    desk.fill("#f-name", "Autumn tea")
    desk.check(f"[name=channel][value={channel}]")
    if channel == "template":
        desk.fill("#f-variants-0-content-template_id", template_id)
        desk.fill("#f-variants-0-content-values-0-place", "thing1")
        desk.fill("#f-variants-0-content-values-0-value", WORDS)
        desk.get_by_role("button", name="Nickname").last.click()
        expect(desk.locator("#preview .bubble")).to_contain_text(f"{WORDS}friend")  # WeChat tells no names
    else:
        desk.fill("#f-variants-0-content-text", WORDS)
        expect(desk.locator("#preview .bubble")).to_have_text(WORDS)
    desk.fill("#f-pace", str(pace))
    for name in ("quiet_from", "quiet_until"):  # whatever the hour of this test
        desk.fill(f"[name={name}]", "")
    desk.screenshot(path=SHOTS / "1-write.png")


@pytest.mark.parametrize(
    ("count", "channel", "pace", "faster"),
    [(240, "template", 20, 400), pytest.param(50_000, "mass", 1_000, 10_000, marks=pytest.mark.campaign)],
)
def test_a_campaign_from_the_first_word_to_the_last_follower(
    stack: Stack, desk: Page, count: int, channel: str, pace: int, faster: int
) -> None:
    sim = Sim(f"http://127.0.0.1:{stack.sim_port}")
    following = meet(stack, desk, count)
    made = sim.post("templates", account="practice", kind="message", title="上新", content="{{thing1.DATA}}")
    base = f"http://127.0.0.1:{stack.port}/console/practice"
    desk.goto(f"{base}/campaigns")
    desk.get_by_role("link", name="New campaign").click()
    compose(desk, channel, made["template_id"], pace)

    desk.get_by_role("button", name="Save and check").click()
    expect(desk.locator(".forecast")).to_contain_text(f"{following:,}")
    desk.screenshot(path=SHOTS / "2-check.png", full_page=True)
    desk.get_by_role("button", name=f"Send to {following:,} followers").click()

    expect(desk.locator("[data-live=state]")).to_contain_text("left to take it back")
    desk.screenshot(path=SHOTS / "3-undo.png")
    expect(desk.locator("[data-live=state]")).to_contain_text("Being sent", timeout=SECONDS)
    assert until(lambda: figure(desk, "Done") > 0, 60)
    expect(desk.locator("#f-pace")).to_be_visible()  # it came without a reload
    desk.screenshot(path=SHOTS / "4-run.png")

    desk.get_by_role("button", name="Pause").click()
    expect(desk.locator("#state-head")).to_have_text("Paused")
    desk.wait_for_timeout(2_000)  # a call that was on its way is counted
    desk.reload()
    done = figure(desk, "Done")
    assert 0 < done < following
    desk.wait_for_timeout(3_000)
    assert figure(desk, "Done") == done  # nothing more goes out
    assert sim.get("receipts", account="practice", contains="秋茶")["once"] <= done
    desk.screenshot(path=SHOTS / "5-paused.png")

    desk.fill("#f-pace", str(faster))
    desk.get_by_role("button", name="Change the speed").click()
    expect(desk.locator("[data-live=pace]")).to_contain_text(f"{faster:,} a second")
    desk.get_by_role("button", name="Go on with the remaining").click()
    expect(desk.locator("#state-head")).to_have_text("Finished", timeout=4 * SECONDS)
    assert (figure(desk, "Done"), figure(desk, "Left"), figure(desk, "Failed")) == (following, 0, 0)
    expect(desk.locator("#f-pace")).to_be_hidden()
    desk.screenshot(path=SHOTS / "6-finished.png", full_page=True)

    received = sim.get("receipts", account="practice", contains="秋茶")
    assert (received["once"], received["more"]) == (following, 0)
    desk.get_by_role("link", name="All recipients").click()
    expect(desk.locator("tbody tr").first).to_contain_text("sent")
    assert requests.get(desk.url, timeout=5, allow_redirects=False).status_code == 302  # nobody else sees them

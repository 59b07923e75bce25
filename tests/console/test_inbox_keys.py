"""The inbox without a mouse: keys do everything it offers, and none acts while one composes or holds AltGr."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import CDPSession, FileChooser, Page, TimeoutError
from sqlalchemy import select

from bot import clock
from bot.services import canned_replies, conversations, labels
from models import Conversation, Send
from tests.chromium import needs_chromium
from tests.console.samples import TeaHouse
from tests.console.test_browser import chromium, visit  # noqa: F401 - fixtures
from tests.factories import Create
from tests.stack import until

pytestmark = [pytest.mark.browser, needs_chromium]

# What there is to do on the inbox's pages, each named alike wherever it stands, and what of it was done.
RECORDER = """
(() => {
  const path = (address) => new URL(address, location).pathname.split("/tea-house").pop().replace(/\\d+/g, "N");
  window.nameOf = (one) => {
    if (one.dataset.key) return `key ${one.dataset.key}`;
    if (one.dataset.queueLink) return `queue ${one.dataset.queueLink}`;
    if (one.matches("summary")) return `menu ${one.parentElement.dataset.keyOpen ?? one.textContent.trim()}`;
    if (one.matches("a")) return one.matches("[data-open]") ? "row" : `link ${path(one.href)}`;
    if (one.matches("input, textarea, select")) return `field ${one.name || "all rows"}`;
    const place = one.form && one.form.method === "post" ? path(one.form.action) : "dialog";
    return `press ${place} ${(one.value || (place === "dialog" ? one.textContent : "")).replace(/:\\d+$/, "")}`.trim();
  };
  const offered = "a[href], button, summary, input:not([type=hidden]), textarea, select";
  window.offered = () => [...document.querySelectorAll("#inbox, #keys, [data-part=notes]")]
    .flatMap((part) => [...part.querySelectorAll(offered)])
    .filter((one) => !one.closest(".turns, [data-scriptless]"))
    .map(nameOf);
  const done = ({ target, type, detail }) => {
    const one = type === "toggle" ? target.querySelector("summary") : target.closest?.(offered);
    if (one) recorded(nameOf(one), type === "click" && detail > 0);
  };
  for (const type of ["click", "change", "input", "toggle"]) document.addEventListener(type, done, true);
  document.addEventListener("focusin", (event) => { if (event.target.matches("a")) done(event); }, true);
})();
"""


class Keyboard:
    """A page that is used by keys alone."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.offered: set[str] = set()
        self.done: set[str] = set()
        self.by_mouse: list[str] = []
        page.context.expose_binding("recorded", self._record)
        page.context.add_init_script(RECORDER)
        page.set_default_timeout(8000)
        page.route("**/stream*", lambda route: route.abort())  # nothing comes between but what is done here
        page.reload()
        self.ready()

    def _record(self, source: object, name: str, by_mouse: bool) -> None:
        self.done.add(name)
        self.by_mouse += [name] if by_mouse else []

    def ready(self) -> None:
        self.page.locator("#inbox[data-keys=ready]").wait_for()
        assert until(lambda: not self.page.locator("[data-busy]").count(), 20)
        self.offered |= set(self.page.evaluate("offered()"))

    def key(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)

    def at(self) -> str:
        return str(self.page.evaluate("document.activeElement === document.body ? '' : nameOf(document.activeElement)"))

    def tab(self, name: str, by: str = "Tab") -> None:
        """To something, from where one is."""
        for _ in range(120):
            self.key(by)
            if self.at() == name:
                return
        raise AssertionError(f"{name} is not reached by {by}; at {self.at()}")

    def press(self, name: str, by: str = "Tab") -> None:
        """Something that the server is asked for."""
        if self.at() != name:
            self.tab(name, by)
        with self.page.expect_response(lambda answer: answer.request.method == "POST" and "/here" not in answer.url):
            self.key("Enter")
        with suppress(Exception):
            self.page.wait_for_load_state()
        self.ready()

    def act(self, key: str, name: str) -> None:
        """One entry of a list that a key opens."""
        self.key(key)
        self.offered |= set(self.page.evaluate("offered()"))
        if name.endswith("snooze:at"):  # in the field for it the arrows change the day
            self.tab("field at", "ArrowDown")
            self.key("ArrowRight", "ArrowUp")
            self.press(name)
        else:
            self.press(name, "ArrowDown")

    def choose(self, name: str) -> FileChooser:
        """The chooser that Enter opens; a busy browser may lose its event, and is asked again."""
        for _ in range(3):
            assert self.at() == name
            with suppress(TimeoutError), self.page.expect_file_chooser() as chooser:
                self.key("Enter")
                return chooser.value
        raise AssertionError(f"Enter opens no chooser at {name}")

    def sent(self, *keys: str) -> None:
        """A key that itself does something at the server."""
        with self.page.expect_response(lambda answer: answer.request.method == "POST" and "/here" not in answer.url):
            self.key(*keys)
        with suppress(Exception):
            self.page.wait_for_load_state()
        self.ready()


@pytest.mark.timeout(240)
def test_everything_that_the_inbox_offers_is_done_by_keys(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
    create: Create,
) -> None:
    labels.add(create.session, house.account, "退款")
    canned_replies.save(create.session, house.account, "hello", "{{nickname}}，您好！")
    create.session.commit()
    keyboard = Keyboard(visit("/tea-house/conversations", language="en"))
    change_the_keys(keyboard)
    go_through_the_lists(keyboard)
    act_on_many(keyboard)
    act_on_one(keyboard)
    write(keyboard, create)

    assert not keyboard.by_mouse
    assert sorted(keyboard.offered - keyboard.done) == []
    assert len(keyboard.done) > 50


def change_the_keys(keyboard: Keyboard) -> None:
    keyboard.key("?")
    names = [name for name in keyboard.offered if name.startswith("key ")]
    assert len(names) == 13
    for name in sorted(names):
        keyboard.tab(name)
        keyboard.key("Enter", "w" if name == "key next" else "Escape")
    keyboard.tab("press dialog close")
    keyboard.key("Enter", "w")
    assert keyboard.at() == "row"
    keyboard.key("k", "?")
    keyboard.tab("press dialog As it was at first")
    keyboard.key("Enter", "Escape")


def go_through_the_lists(keyboard: Keyboard) -> None:
    for queue in ("mine", "unassigned", "bot", "snoozed", "closed", "open"):
        keyboard.tab(f"queue {queue}")
        keyboard.key("Enter")
        keyboard.page.wait_for_url(f"**queue={queue}")
        keyboard.ready()
        if queue == "bot":
            keyboard.press("press /followers/N/take")
            keyboard.page.wait_for_url("**/conversations/*")
            keyboard.ready()

    keyboard.tab("field available")
    keyboard.key("Space")
    keyboard.tab("field capacity")
    keyboard.key("ArrowUp")
    keyboard.press("press /conversations/part")
    keyboard.page.wait_for_url("**/conversations**")
    keyboard.ready()


def act_on_many(keyboard: Keyboard) -> None:
    for key, entry in (
        *(("a", entry) for entry in ("assign", "give_back")),
        *(("s", f"snooze:{entry}") for entry in ("hour", "evening", "tomorrow", "at")),
        ("l", "label"),
    ):
        keyboard.key("j", "x")
        keyboard.act(key, f"press /conversations/act {entry}")
        if entry != "assign":  # or nobody would have it to give it back
            keyboard.sent("u")
    keyboard.tab("field all rows")
    keyboard.key("Space")
    keyboard.sent("e")
    keyboard.sent("u")


def act_on_one(keyboard: Keyboard) -> None:
    keyboard.key("j", "Enter")
    keyboard.page.wait_for_url("**/conversations/*")
    keyboard.ready()
    thread = "press /conversations/N/act"
    for key, entry in (
        *(("a", entry) for entry in ("assign", "give_back")),
        *(("s", entry) for entry in ("snooze:hour", "wake", "snooze:evening", "snooze:tomorrow", "snooze:at", "wake")),
        *(("l", entry) for entry in ("label", "unlabel")),
    ):
        keyboard.act(key, f"{thread} {entry}")
        if entry == "give_back":
            keyboard.sent("t")
    keyboard.sent("e")
    keyboard.sent("u")


def write(keyboard: Keyboard, create: Create) -> None:
    page = keyboard.page
    keyboard.key("n")
    page.keyboard.type("请 @小美 看一下")
    keyboard.press("press /conversations/N/note")
    keyboard.key("r")
    page.keyboard.type("/he")
    keyboard.key("ArrowDown", "Enter")
    assert "您好！" in page.input_value("#f-text")
    keyboard.sent("Enter")
    keyboard.key("r")
    page.keyboard.type("一会儿见")
    keyboard.tab("field file")
    keyboard.choose("field file").set_files(
        {"name": "菜单.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"}
    )
    keyboard.tab("press /conversations/N/reply without-file")
    keyboard.key("Enter")
    keyboard.press("press /conversations/N/reply", by="Tab")
    keyboard.press("press /conversations/N/reply")
    conversation_id = int(page.locator("[data-talk-id]").get_attribute("data-talk-id") or 0)
    create.session.expire_all()
    talk = create.session.get_one(Conversation, conversation_id)
    conversations.wrote(create.session, talk.follower_id, clock.now(), "等等")
    create.session.commit()
    keyboard.key("r")
    page.keyboard.type("好的")
    keyboard.sent("Enter")
    keyboard.press("press /conversations/N/reply 1")  # "Send anyway"
    assert page.input_value("#f-text") == ""
    for name in sorted(keyboard.offered - keyboard.done):
        if name.startswith("link "):
            keyboard.tab(name)


# What an input method, or a keyboard with AltGr, tells the page for a letter that it makes itself.
COMPOSED = (
    {"isComposing": True},
    {"keyCode": 229},
    {"key": "Process"},
    {"key": "Dead"},
    {"modifierAltGraph": True},
    {"ctrlKey": True, "altKey": True},
    {"altKey": True},
    {"metaKey": True},
)


def test_no_key_acts_while_one_composes_or_holds_altgr(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
) -> None:
    keyboard = Keyboard(visit(f"/tea-house/conversations/{house.conversation.id}", language="en"))
    page = keyboard.page
    keys = page.evaluate("[...document.querySelectorAll('[data-key]')].map((one) => one.dataset.default)")
    keyboard.key("j")
    keyboard.done.clear()
    assert len(keys) == 13

    for key in keys:
        for how in COMPOSED:
            page.evaluate(
                "(told) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', told))",
                {"key": key, "bubbles": True, "cancelable": True, **how},
            )
            assert keyboard.at() == "row", (key, how)
    # Polish ł, German @, Swiss #: Chromium's own AltGr, which Windows tells as Ctrl and Alt.
    session = page.context.new_cdp_session(page)
    for key, code in (("ł", "KeyL"), ("ś", "KeyS"), ("@", "KeyQ"), ("#", "Digit3"), ("€", "KeyE")):
        strike(session, key, code, modifiers=1 | 2)
        assert keyboard.at() == "row", key
    assert keyboard.done == set()
    assert not page.locator("dialog[open], details.act[open]").count()

    strike(session, "r", "KeyR", modifiers=0)  # the same way, without any of it
    assert keyboard.at() == "field text"


def test_pinyin_is_composed_before_anything_is_sent_or_offered(
    visit: Callable[..., Page],  # noqa: F811
    house: TeaHouse,
    create: Create,
) -> None:
    canned_replies.save(create.session, house.account, "你好", "您好！")
    create.session.commit()
    keyboard = Keyboard(visit(f"/tea-house/conversations/{house.conversation.id}", language="en"))
    page = keyboard.page
    keyboard.key("r")
    session = page.context.new_cdp_session(page)

    def compose(text: str) -> None:
        session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})

    compose("/ni'hao")
    strike(session, "Process", "Enter", modifiers=0, key_code=229)
    assert page.locator("#canned").is_hidden()
    assert page.input_value("#f-text") == "/ni'hao"
    session.send("Input.insertText", {"text": "/你"})  # chosen from the input method's list
    page.locator("#canned [role=option]").wait_for()
    keyboard.key("Enter")
    assert page.input_value("#f-text") == "您好！"
    compose("xie'xie")
    strike(session, "Process", "Enter", modifiers=0, key_code=229)
    session.send("Input.insertText", {"text": "谢谢"})
    create.session.expire_all()
    before = len(create.session.scalars(select(Send)).all())
    create.session.commit()
    keyboard.sent("Enter")
    create.session.expire_all()
    newest = create.session.scalars(select(Send).order_by(Send.id)).all()
    assert [send.reply["text"] for send in newest[before:]] == ["您好！谢谢"]


def strike(session: CDPSession, key: str, code: str, *, modifiers: int, key_code: int = 0) -> None:
    """One key, as the browser gets it from the system; modifiers: 1 Alt, 2 Ctrl."""
    told = {"key": key, "code": code, "modifiers": modifiers, "windowsVirtualKeyCode": key_code}
    session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **told})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **told})

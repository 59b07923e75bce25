"""The menu's designer: two people at once, a deletion that is taken back, and everything without script."""

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.services import menus, operators
from models import Account, InboundMessage, Menu, Rule
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse
from tests.factories import Create

CONTROL = re.compile(r"<(input|textarea|select)\b([^>]*)>(?:([^<]*)</textarea>)?", re.S)
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


def fields(page: str) -> dict[str, str]:
    """What the designer's form would send, as a browser without script reads it."""
    form = page[page.index('class="stack designer"') :]
    form = form[: form.index("</form>")]
    values: dict[str, str] = {}
    for kind, attributes, text in CONTROL.findall(form):
        known = dict(ATTRIBUTE.findall(attributes))
        if name := known.get("name"):
            values[name] = unescape(text if kind == "textarea" else known.get("value", ""))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = chosen[1] if chosen else ""
    return {name: value for name, value in values.items() if name != "csrf_token"}


def kept(session: Session) -> Menu:
    session.expire_all()
    return session.scalars(select(Menu)).one()


def send(browser: Browser, path: str, form: Mapping[str, str], **changed: str) -> int:
    return browser.send(path, **{**form, **changed}).status_code


def test_what_a_page_shows_can_be_saved_as_it_is(browser: Browser, create: Create, house: TeaHouse) -> None:
    before = (kept(create.session).buttons, kept(create.session).conditional)
    for path in ("/tea-house/menu", "/tea-house/menu/1", "/tea-house/menu/2"):
        form = fields(browser.open(path).text)
        assert form["revision"]
        assert send(browser, path, form) == 302
    assert (kept(create.session).buttons, kept(create.session).conditional) == before


@pytest.mark.parametrize("path", ["/tea-house/menu", "/tea-house/menu/1"])
def test_the_second_of_two_sees_what_the_first_changed(
    browser: Browser, create: Create, house: TeaHouse, path: str
) -> None:
    form = fields(browser.open(path).text)
    assert send(browser, path, form, **{"buttons.1.name": "订位"}) == 302

    answer = browser.send(path, **{**form, "buttons.0.name": "新茶"})

    assert answer.status_code == 409
    assert "Two changes of one menu" in answer.text
    shown = re.findall(r'class="(was|now)">([^<]*)', answer.text)
    assert any("订位" in text for kind, text in shown if kind == "was")
    assert any("新茶" in text for kind, text in shown if kind == "now")
    assert 'value="新茶"' in answer.text
    assert "订位" in json.dumps([kept(create.session).buttons, kept(create.session).conditional], ensure_ascii=False)
    again = fields(answer.text)
    assert send(browser, path, again, **{"buttons.1.name": "订位"}) == 302
    one = kept(create.session).buttons if path.endswith("menu") else menus.find(kept(create.session), 1)["buttons"]
    assert [button["name"] for button in one][:2] == ["新茶", "订位"]


def test_an_answer_that_was_rewritten_meanwhile_is_not_written_over(
    browser: Browser, create: Create, house: TeaHouse
) -> None:
    form = fields(browser.open("/tea-house/menu/1").text)
    assert send(browser, "/tea-house/menu/1", form, **{"buttons.1.reply": "周三八折"}) == 302
    rule = create.session.scalars(select(Rule).order_by(Rule.id.desc())).first()
    assert rule is not None
    assert rule.replies[0]["text"] == "周三八折"
    assert rule.keywords[0]["text"] == form["buttons.1.value"]

    answer = browser.send("/tea-house/menu/1", **{**form, "title": "熟客"})

    assert answer.status_code == 409
    assert "周三八折" in answer.text
    create.session.refresh(rule)
    assert rule.replies[0]["text"] == "周三八折"


def test_others_menus_are_no_clash(browser: Browser, create: Create, house: TeaHouse) -> None:
    usual, first = (fields(browser.open(path).text) for path in ("/tea-house/menu", "/tea-house/menu/1"))
    assert send(browser, "/tea-house/menu", usual, **{"buttons.1.name": "订位"}) == 302
    assert send(browser, "/tea-house/menu/1", first, title="熟客") == 302


@pytest.mark.databases
def test_of_two_at_the_same_moment_one_gets_through(app: Flask, create: Create, house: TeaHouse) -> None:
    people = []
    for name in ("ann", "bob"):
        person = Browser(app.test_client(), create.session)
        person.sign_in(operators.sign_in(create.session, create.operator(name), "Firefox"))
        create.session.commit()
        people.append((person.client, person.token(), fields(person.open("/tea-house/menu").text)))
    create.session.commit()
    together = Barrier(2)

    def save(at: int) -> int:
        client, token, form = people[at]
        together.wait(10)
        data = {**form, "csrf_token": token, "buttons.1.name": f"订位{at}"}
        return client.post("/console/tea-house/menu", data=data).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(save, (0, 1))) == [302, 409]


def test_a_deleted_menu_is_put_back_where_it_was(browser: Browser, create: Create, house: TeaHouse) -> None:
    before = kept(create.session).conditional
    answer = browser.send("/tea-house/menu/1/delete")
    assert answer.status_code == 200
    assert [each["id"] for each in kept(create.session).conditional] == [2]
    assert 'action="/console/tea-house/menu"' in answer.text  # not to where it was deleted
    undo = {name: unescape(value) for name, value in re.findall(r'name="(menu|position)" value="([^"]*)"', answer.text)}

    assert browser.send("/tea-house/menu/restore", **undo).headers["Location"] == "/console/tea-house/menu/1"
    assert kept(create.session).conditional == before

    assert browser.send("/tea-house/menu/restore", **undo).status_code == 302  # pressed twice: another, none is lost
    assert [each["id"] for each in kept(create.session).conditional] == [3, 1, 2]
    for menu in ("", "[]", "{}", '{"id": "1", "title": "", "matchrule": {}, "buttons": []}', "[" * 9_000):
        assert browser.send("/tea-house/menu/restore", menu=menu, position="1").status_code == 422, menu


def test_what_was_typed_into_a_menu_that_somebody_deleted_stays(
    browser: Browser, create: Create, house: TeaHouse
) -> None:
    form = fields(browser.open("/tea-house/menu/1").text)
    browser.send("/tea-house/menu/1/delete")

    assert send(browser, "/tea-house/menu/1", form, publish="1", title="熟客") == 302

    assert [(each["id"], each["title"]) for each in kept(create.session).conditional] == [(2, ""), (1, "熟客")]
    page = browser.open("/tea-house/menu/1").text
    assert "Somebody deleted this menu meanwhile." in page
    assert "waiting for a worker" not in page
    assert send(browser, "/tea-house/menu/9", {}, title="x") == 404


def test_a_refused_addition_keeps_the_usual_menus_form(browser: Browser, create: Create, house: TeaHouse) -> None:
    answer = browser.send("/tea-house/menu/add", copy="1")
    assert answer.status_code == 422
    assert 'id="f-new-tag_id-error"' in answer.text
    form = fields(answer.text)
    assert send(browser, "/tea-house/menu", form) == 302
    assert answer.text.count('action="/console/tea-house/menu"') == 1


def test_the_designer_works_without_script(browser: Browser, create: Create, house: TeaHouse) -> None:
    form = fields(browser.open("/tea-house/menu").text)
    moved = browser.send("/tea-house/menu", **form, move="1.up").text
    assert [fields(moved)[f"buttons.{at}.name"] for at in range(2)] == ["预约包间", "茶品"]
    assert kept(create.session).buttons[0]["name"] == "茶品"
    moved = fields(browser.send("/tea-house/menu", **fields(moved), move="1.2.up").text)
    assert send(browser, "/tea-house/menu", moved) == 302
    usual = kept(create.session).buttons
    assert [each["name"] for each in usual[:2]] == ["预约包间", "茶品"]
    assert [each["name"] for each in usual[1]["sub_button"]] == ["今日新茶", "会员小程序", "线上茶铺"]
    assert send(browser, "/tea-house/menu/add", {}, client_platform_type="1", copy="1") == 302
    assert kept(create.session).conditional[0]["buttons"] == usual


def test_taps_are_counted_on_a_page_of_their_own(browser: Browser, create: Create, house: TeaHouse) -> None:
    assert "Count the taps" not in browser.open("/tea-house/menu").text  # nothing was published
    menu = kept(create.session)
    menu.published, menu.published_conditional = menu.buttons, menu.conditional
    for at in range(3):
        _tap(create.session, house.account, f"tap {at}", "TODAY")
    create.session.commit()

    page = browser.open("/tea-house/menu").text
    assert 'data-later="/console/tea-house/menu/taps"' in page
    assert 'href="/console/tea-house/menu/taps"' in page
    taps = browser.open("/tea-house/menu/taps").text
    assert 'data-value="TODAY" data-taps="3 taps in 7 days, 3 in 30"' in taps
    assert "data-value" in browser.open("/tea-house/menu/taps?menu_id=1").text


def _tap(session: Session, account: Account, dedup_key: str, key: str) -> None:
    session.add(
        InboundMessage(
            account_id=account.id, openid="o", dedup_key=dedup_key, kind="event", event="click", key=key,
            received_at=clock.now(),
        )
    )  # fmt: skip

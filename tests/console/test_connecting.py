"""The pages of connecting: what each step says, and that its buttons do it once."""

import pytest
from sqlalchemy import select

from bot.database import transaction
from bot.services import account_health, accounts, checks, tasks
from bot.wechat.errors import refusal
from models import Account, AuditRecord, Menu, MenuVersion, Rule, Task
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse
from tests.factories import Create

CONNECT = "/tea-house/connect"


def test_shows_what_becomes_of_it_and_takes_it_over_once(browser: Browser, create: Create, house: TeaHouse) -> None:
    page = browser.open(CONNECT).text
    for words in ("价格与优惠", "menu-1-1", "“视频号” stays behind", "“客服” asks for a person", "Not yet: first take"):
        assert words in page, words
    before = len(house.rules)
    for _press in range(2):
        assert browser.send(f"{CONNECT}/1/approve").status_code == 302
    create.session.expire_all()
    assert len(create.session.scalars(select(Rule)).all()) == before + 6
    assert create.session.scalars(select(Menu)).one().buttons[1] == {"name": "怎么来", "type": "click", "key": "menu-3"}
    assert create.session.scalars(select(MenuVersion.who).order_by(MenuVersion.number.desc())).first() == "owner"
    page = browser.open(CONNECT).text
    assert "All is here." in page
    assert "Read it again" not in page
    assert browser.send(f"{CONNECT}/read").status_code == 409

    browser.send(f"{CONNECT}/1/restore")
    create.session.expire_all()
    assert len(create.session.scalars(select(Rule)).all()) == before
    assert "taken over, and brought back since" in browser.open(CONNECT).text
    actions = set(create.session.scalars(select(AuditRecord.action)))
    assert {"takeovers.approve", "takeovers.restore"} <= actions


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_list_says_why_and_shows_the_address_to_allow(browser: Browser, house: TeaHouse, language: str) -> None:
    browser.language = language
    browser.send(f"{CONNECT}/check")
    error = refusal(40164, "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist", "/cgi-bin/token")
    found = checks.kept(checks.fail("IP whitelist", "{advice}", "", advice=error, address=error.address))
    with transaction() as session:
        task = session.scalars(select(Task)).one()
        task.state = {"checks": [found]}
    page = browser.open(CONNECT).text
    assert 'data-copy="203.0.113.9"' in page
    assert error.advice(language).split("203")[0].rstrip("（(") in page.replace("&#39;", "'")
    assert checks.read(found).sentence(language=language) == error.advice(language)


def test_shows_the_key_when_asked_and_records_it(browser: Browser, create: Create, house: TeaHouse) -> None:
    assert "simtoken" not in browser.open(CONNECT).text
    assert "simtoken" in browser.send(f"{CONNECT}/reveal").text
    assert create.session.scalar(select(AuditRecord).where(AuditRecord.action == "accounts.reveal"))


def test_what_it_may_not_do_is_greyed_and_explained(browser: Browser, create: Create) -> None:
    create.account("sub", kind="subscription", is_verified=False)
    page = browser.open("/sub/abilities").text
    assert "WeChat lets only verified service accounts do this." in page
    assert '<li class="off">' in page

    account = create.account("serve")
    with transaction() as session:
        accounts.note_refused_call(session, account.id, "/cgi-bin/qrcode/create")
    page = browser.open("/serve/abilities").text
    assert page.count("was refused") == 1
    with transaction() as session:
        accounts.update(session, session.get_one(Account, account.id), {"is_verified": True})
    assert "was refused" not in browser.open("/serve/abilities").text


def test_a_menu_of_before_is_compared_and_published_again(browser: Browser, create: Create, house: TeaHouse) -> None:
    page = browser.open("/tea-house/menu/history?version=1").text
    assert "小美" in page
    assert "今日新茶 · Answer with a rule · TODAY" in page
    assert browser.open("/tea-house/menu/history?version=99").status_code == 404
    assert browser.send("/tea-house/menu/history/1/roll-back").status_code == 302
    create.session.expire_all()
    assert len(create.session.scalars(select(Menu)).one().buttons) == 2
    assert [task.kind for task in create.session.scalars(select(Task))] == ["menu_publish"]
    numbers = create.session.scalars(select(MenuVersion.number).order_by(MenuVersion.number)).all()
    assert numbers == [1, 2]


def test_an_account_without_a_secret_is_asked_for_it(browser: Browser, create: Create) -> None:
    account = create.account("bare", appid="", secret="")
    assert "They are missing." in browser.open("/bare/connect").text
    found = list(account_health.connection(account))
    assert len(found) == account_health.LINES
    assert found[0].is_failure
    assert tasks.latest(create.session, account, account_health.CHECK) is None

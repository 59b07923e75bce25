import pytest
from sqlalchemy import select

from bot.database import reading, transaction
from bot.errors import Refused
from bot.jobs import tasks as jobs
from bot.services import menus, tokens
from bot.wechat.errors import WeChatError
from models import Menu, Task, TaskStatus

MENU = [
    {"name": "价格", "type": "click", "key": "PRICE"},
    {"name": "More", "sub_button": [{"name": "Site", "type": "view", "url": "https://example.com/"}]},
]


@pytest.fixture
def account(create, sim, redis):
    account = create.account()
    sim.connect(account, "http://127.0.0.1:9")
    return account


def publish(account, buttons) -> Task:
    with transaction() as session:
        menus.save(session, account, buttons)
        task_id = menus.publish(session, account).id
    jobs.advance(task_id)
    with reading() as session:
        return session.get_one(Task, task_id)


def stored(account) -> Menu:
    with reading() as session:
        return session.scalars(select(Menu).where(Menu.account_id == account.id)).one()


def live(account):
    menu = tokens.client_for(account).get_menu()
    return menu and [button["name"] for button in menu["menu"]["button"]]


def test_publishes_and_removes(account):
    assert publish(account, MENU).status is TaskStatus.DONE
    assert live(account) == ["价格", "More"]
    assert stored(account).published == MENU
    assert stored(account).published_at

    assert publish(account, []).status is TaskStatus.DONE
    assert live(account) is None
    assert stored(account).published == []


def test_a_refused_menu_leaves_the_one_that_followers_have(account, sim):
    publish(account, MENU)
    fault = {"path": "/cgi-bin/menu/create", "times": 1, "errcode": 40054}
    assert sim.http.post(f"{sim.address}/sim/faults", json=fault, timeout=10).ok

    task = publish(account, [{"name": "x", "type": "view", "url": "https://bad.example/"}])

    assert task.status is TaskStatus.FAILED
    assert "address" in task.error
    assert live(account) == ["价格", "More"]
    assert stored(account).published == MENU


def test_pressed_again_while_publishing_sends_the_newer_menu_too(account, monkeypatch):
    newer = [{"name": "New", "type": "click", "key": "N"}]
    create_menu = tokens.AccountClient.create_menu

    def slowly(client, menu) -> None:
        create_menu(client, menu)
        if menu["button"] == MENU:
            with transaction() as session:
                menus.save(session, account, newer)
                menus.publish(session, account)

    monkeypatch.setattr(tokens.AccountClient, "create_menu", slowly)
    task = publish(account, MENU)
    assert task.status is TaskStatus.DONE

    assert live(account) == ["New"]
    assert stored(account).published == newer


@pytest.mark.parametrize(
    ("buttons", "field"),
    [
        ([{"name": "x", "type": "click", "key": "k"}] * 4, "buttons"),
        ([{"name": "六个汉字名字", "type": "click", "key": "k"}], "buttons.0.name"),
        ([{"name": "a" * 17, "type": "click", "key": "k"}], "buttons.0.name"),
        ([{"name": " ", "type": "click", "key": "k"}], "buttons.0.name"),
        ([{"name": "a\nb", "type": "click", "key": "k"}], "buttons.0.name"),
        ([{"name": "\ud800", "type": "click", "key": "k"}], "buttons.0.name"),
        ([{"name": "x"}], "buttons.0.type"),
        ([{"name": "x", "type": "dance"}], "buttons.0.type"),
        ([{"name": "x", "type": "click"}], "buttons.0.key"),
        ([{"name": "x", "type": "click", "key": "键" * 43}], "buttons.0.key"),
        ([{"name": "x", "type": "click", "key": "k", "url": "https://a.b"}], "buttons.0.url"),
        ([{"name": "x", "type": "view", "url": "javascript:alert(1)"}], "buttons.0.url"),
        ([{"name": "x", "type": "view", "url": "https://a.b/" + "c" * 1024}], "buttons.0.url"),
        ([{"name": "x", "type": "miniprogram", "url": "https://a.b"}], "buttons.0.appid"),
        ([{"name": "x", "type": "click", "sub_button": [MENU[0]]}], "buttons.0.type"),
        ([{"name": "x", "sub_button": [MENU[0]] * 6}], "buttons.0.sub_button"),
        ([{"name": "x", "sub_button": [MENU[0], {**MENU[0], "name": "字" * 21}]}], "buttons.0.sub_button.1.name"),
        ([{"name": "x", "sub_button": [{"name": "y", "sub_button": [MENU[0]]}]}], "buttons.0.sub_button.0.sub_button"),
    ],
)
def test_each_fault_is_named(create, buttons, field):
    account = create.account()

    with transaction() as session, pytest.raises(Refused) as refused:
        menus.save(session, account, buttons)

    assert refused.value.field == field
    assert refused.value.sentence()


def test_the_longest_that_wechat_takes_is_taken(account):
    longest = [
        {"name": "五个汉字字", "sub_button": [{"name": "字" * 20, "type": "click", "key": "k" * 128}] * 5},
        {"name": "a" * 16, "type": "view", "url": "https://a.b/" + "c" * 1012},
    ]

    assert publish(account, longest).status is TaskStatus.DONE


def history(account):
    with reading() as session:
        return [(each.number, each.outcome.value, each.who) for each in menus.versions(session, account)]


def test_each_publishing_is_kept_and_can_be_rolled_back(account, sim):
    publish(account, MENU)
    publish(account, MENU[:1])
    fault = {"path": "/cgi-bin/menu/create", "times": 1, "errcode": 40054}
    assert sim.http.post(f"{sim.address}/sim/faults", json=fault, timeout=10).ok
    publish(account, MENU[1:])
    assert [(number, outcome) for number, outcome, _who in history(account)] == [
        (3, "refused"),
        (2, "published"),
        (1, "published"),
    ]

    with transaction() as session:
        first = menus.versions(session, account)[-1]
        task_id = menus.roll_back(session, account, first.id, "mei").id
    jobs.advance(task_id)

    assert live(account) == ["价格", "More"]
    assert stored(account).buttons == MENU
    assert history(account)[0] == (4, "published", "mei")


def test_a_version_that_a_newer_one_overtook_says_so(account):
    with transaction() as session:
        menus.save(session, account, MENU)
        task_id = menus.publish(session, account).id
        menus.save(session, account, MENU[:1])
        assert menus.publish(session, account).id == task_id
    jobs.advance(task_id)

    assert live(account) == ["价格"]
    assert [outcome for _number, outcome, _who in history(account)] == ["published", "skipped"]


def test_refused_while_a_newer_one_waits_tries_that(account, monkeypatch):
    create_menu = tokens.AccountClient.create_menu

    def refused(client, menu) -> None:
        if menu["button"] != MENU:
            return create_menu(client, menu)
        with transaction() as session:
            menus.save(session, account, MENU[:1])
            menus.publish(session, account)
        raise WeChatError("bad", 40054)

    monkeypatch.setattr(tokens.AccountClient, "create_menu", refused)
    task = publish(account, MENU)
    assert task.status is TaskStatus.READY
    jobs.advance(task.id)

    assert live(account) == ["价格"]
    assert [outcome for _number, outcome, _who in history(account)] == ["published", "refused"]

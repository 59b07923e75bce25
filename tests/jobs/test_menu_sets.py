"""All menus are published as one; refused or killed anywhere, followers have the old ones or the new ones."""

import itertools
import os
import random
import sys
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot import clock
from bot.database import reading, transaction
from bot.errors import Refused
from bot.jobs import menus as job
from bot.jobs import tasks as jobs
from bot.services import follower_sync, menu_sets, menus, tokens
from models import Menu, MenuOutcome, MenuVersion, Tag, Task, TaskStatus


def click(name):
    return {"name": name, "type": "click", "key": name}


def view(name, host):
    return {"name": name, "type": "view", "url": f"https://{host}.example/"}


@pytest.fixture
def account(create, sim, redis):
    account = create.account()
    sim.connect(account, "http://127.0.0.1:9")
    with transaction() as session:
        for wechat_id in (100, 101, 102):
            session.add(Tag(account_id=account.id, name=f"tag {wechat_id}", wechat_id=wechat_id))
    return account


def conditional(name, *buttons, **rule):
    return {"title": name, "matchrule": rule or {"tag_id": "100"}, "buttons": list(buttons) or [click(name)]}


def publish(account, usual, *others) -> int:
    with transaction() as session:
        menus.save(session, account, [click(usual)] if isinstance(usual, str) else usual, list(others))
        return menus.publish(session, account).id


def task(task_id) -> Task:
    with reading() as session:
        return session.get_one(Task, task_id)


def versions(account) -> list[MenuVersion]:
    with reading() as session:
        return menus.versions(session, account)


def live(account):
    """First names, in the order in which WeChat tries them; the usual menu comes last."""
    there = menu_sets.read(tokens.client_for(account).get_menu())
    return [each.buttons[0]["name"] for each in there.conditional] + [each["name"] for each in there.buttons[:1]]


def fault(sim, call, errcode, times=1):
    sim.post("faults", path=f"/cgi-bin/menu/{call}", times=times, errcode=errcode)


def test_the_first_of_the_list_is_tried_first(account):
    jobs.advance(publish(account, "usual", conditional("a"), conditional("b", tag_id="101")))
    assert live(account) == ["a", "b", "usual"]

    done = task(publish(account, "usual", conditional("c"), conditional("b", tag_id="101"), conditional("a")))
    jobs.advance(done.id)

    assert live(account) == ["c", "b", "a", "usual"]
    with reading() as session:
        kept = session.scalars(select(Menu)).one()
    assert [each["title"] for each in kept.published_conditional] == ["c", "b", "a"]

    jobs.advance(publish(account, "other"))
    assert live(account) == ["other"]
    jobs.advance(publish(account, []))
    assert live(account) == []


OLD = ("old", conditional("x"), conditional("y", tag_id="101"))
NEW = ("new", conditional("p"), conditional("y", tag_id="101"), conditional("q", client_platform_type="2"))


@pytest.mark.parametrize(
    ("call", "after", "menu"), [("create", 0, 0), ("addconditional", 0, 3), ("addconditional", 1, 2)]
)
def test_a_refusal_anywhere_gives_back_what_followers_had(account, sim, monkeypatch, call, after, menu):
    jobs.advance(publish(account, *OLD))
    before = tokens.client_for(account).get_menu()
    orders = {"create_menu": "create", "add_conditional_menu": "addconditional"}
    calls = []

    def counted(name, original):
        def ask(client, *args):
            calls.append(orders[name])
            if calls.count(call) == after + 1 and orders[name] == call:
                fault(sim, call, 40055)
            return original(client, *args)

        return ask

    with monkeypatch.context() as patch:
        for name in orders:
            patch.setattr(tokens.AccountClient, name, counted(name, getattr(tokens.AccountClient, name)))
        task_id = publish(
            account, [view("shop", "bad")], *[{**each, "buttons": [view("shop", "bad")]} for each in NEW[1:]]
        )
        jobs.advance(task_id)

    now = tokens.client_for(account).get_menu()
    assert now["menu"]["button"] == before["menu"]["button"]
    assert now["conditionalmenu"] == before["conditionalmenu"]
    newest = versions(account)[0]
    assert (newest.outcome, newest.fault) == (MenuOutcome.REFUSED, {"menu": menu, "buttons": ["shop"]})
    assert "address" in newest.error
    assert (task(task_id).status, task(task_id).error) == (TaskStatus.FAILED, newest.error)
    with reading() as session:
        assert session.scalars(select(Menu)).one().published == [click("old")]


EVERY = int(os.environ.get("LOBBY_TEST_EVERY_LINE", "12"))  # 1: every line, which takes minutes


class Killed(BaseException):
    """Not an Exception: nothing of ours may catch it."""


def advance_until(task_id, line) -> bool:
    """Work, and die when this many lines of the job's module were run; whether it came to that."""
    left = line

    def trace(frame, event, _arg):
        nonlocal left
        if frame.f_code.co_filename != job.__file__:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                sys.settrace(None)
                raise Killed
        return trace

    sys.settrace(trace)
    try:
        jobs.advance(task_id)
    except Killed:
        return True
    finally:
        sys.settrace(None)
    return False


def wake(task_id):
    """The dead worker's lease ends."""
    with transaction() as session:
        session.execute(update(Task).where(Task.id == task_id).values(due_at=clock.now() - timedelta(seconds=1)))


@pytest.mark.timeout(300 if EVERY > 1 else 1800)  # a line takes a second, and three on a busy machine
@pytest.mark.parametrize("is_refused", [False, True], ids=["taken", "refused"])
def test_killed_at_any_line_it_goes_on_where_it_was(account, sim, is_refused):
    for line in itertools.count(random.randint(1, EVERY), EVERY):  # other lines in each run
        jobs.advance(publish(account, *OLD))
        assert live(account) == ["x", "y", "old"]
        sim.http.delete(f"{sim.address}/sim/faults", timeout=10)
        if is_refused:  # the second menu to be added, whenever it is tried
            fault(sim, "addconditional", 40055, times=100)
        task_id = publish(account, *NEW)
        was_killed = advance_until(task_id, line)
        wake(task_id)
        jobs.advance(task_id)

        assert live(account) == (["x", "y", "old"] if is_refused else ["p", "y", "q", "new"]), line
        assert task(task_id).status is (TaskStatus.FAILED if is_refused else TaskStatus.DONE), line
        assert versions(account)[0].outcome is (MenuOutcome.REFUSED if is_refused else MenuOutcome.PUBLISHED)
        sim.http.delete(f"{sim.address}/sim/faults", timeout=10)
        if not was_killed:
            assert line > 40
            return


def test_no_room_for_old_and_new_at_once(account):
    def three(*hosts):
        return [conditional(host, view(host, host), tag_id=str(100 + at)) for at, host in enumerate(hosts)]

    jobs.advance(publish(account, "usual", *three("a", "b", "c")))
    jobs.advance(publish(account, "usual", *three("d", "e", "f")))
    assert live(account) == ["d", "e", "f", "usual"]

    jobs.advance(publish(account, "usual", *three("g", "h", "i"), conditional("z", view("z", "z"))))
    assert live(account) == ["d", "e", "f", "usual"]
    assert versions(account)[0].fault == {"menu": 1, "buttons": ["g"]}


def test_what_was_not_given_back_is_given_back_by_the_next_publishing(account, sim):
    jobs.advance(publish(account, *OLD))
    fault(sim, "addconditional", -1, times=100)  # WeChat is down for long
    task_id = publish(account, *NEW)
    for _try in range(8):
        jobs.advance(task_id)
        wake(task_id)
    assert task(task_id).status is TaskStatus.FAILED
    assert live(account) == ["x", "y", "new"]
    sim.http.delete(f"{sim.address}/sim/faults", timeout=10)
    fault(sim, "addconditional", 40055)

    jobs.advance(publish(account, *NEW))

    assert live(account) == ["x", "y", "old"]


@pytest.mark.parametrize("call", ["get", "create", "addconditional"])
def test_what_wechat_is_only_too_busy_for_is_on_its_way(account, sim, call):
    fault(sim, call, -1)
    task_id = publish(account, *NEW)
    jobs.advance(task_id)
    assert task(task_id).status is TaskStatus.READY
    assert "busy" in task(task_id).error
    assert versions(account)[0].outcome is MenuOutcome.WAITING
    assert versions(account)[0].error == ""

    wake(task_id)
    jobs.advance(task_id)

    assert versions(account)[0].outcome is MenuOutcome.PUBLISHED
    assert live(account) == ["p", "y", "q", "new"]


@pytest.mark.parametrize("call", ["get", "addconditional"])
def test_what_wechat_stays_too_busy_for_is_given_up_and_says_so(account, sim, call):
    fault(sim, call, -1, times=100)
    task_id = publish(account, *NEW)
    for _try in range(8):
        jobs.advance(task_id)
        wake(task_id)

    assert task(task_id).status is TaskStatus.FAILED
    assert versions(account)[0].outcome is MenuOutcome.REFUSED
    assert "busy" in versions(account)[0].error


def test_what_wechat_takes_no_more_is_named_as_lost(account, sim):
    jobs.advance(publish(account, *OLD))
    fault(sim, "addconditional", 40055, times=100)
    task_id = publish(account, *NEW)
    with transaction() as session:  # the menu from before is one WeChat would refuse today
        session.execute(
            update(Task)
            .where(Task.id == task_id)
            .values(state={"before": {"buttons": [view("x" * 99, "a")], "conditional": []}})
        )
    jobs.advance(task_id)

    assert versions(account)[0].fault["is_lost"]
    assert task(task_id).status is TaskStatus.FAILED


def test_menus_made_elsewhere_come_along(account):
    client = tokens.client_for(account)
    client.create_menu({"button": [click("theirs")]})
    client.add_conditional_menu({"button": [click("vip")], "matchrule": {"tag_id": "101"}})

    jobs.advance(publish(account, "ours", conditional("a")))

    assert live(account) == ["a", "vip", "ours"]
    with reading() as session:
        kept = session.scalars(select(Menu)).one()
    assert [each["buttons"][0]["name"] for each in kept.conditional] == ["a", "vip"]
    assert [each["id"] for each in kept.conditional] == [1, 2]
    jobs.advance(publish(account, "ours", conditional("a")))
    assert live(account) == ["a", "ours"]


def test_a_tagged_follower_sees_theirs_after_a_roll_back_too(account, sim):
    openid = sim.follower(account)
    client = tokens.client_for(account)
    tag = client._ask(lambda: client._sdk.tag.create("vip"))["id"]
    client._ask(lambda: client._sdk.tag.tag_user(tag, openid))
    with transaction() as session:
        follower_sync.note_tags(session, account.id, client.tags())
    jobs.advance(publish(account, "usual", conditional("vip", tag_id=str(tag))))
    assert client.try_match(openid)[0]["name"] == "vip"
    jobs.advance(publish(account, "usual"))
    assert client.try_match(openid)[0]["name"] == "usual"

    with transaction() as session:
        task_id = menus.roll_back(session, account, versions(account)[-1].id).id
    jobs.advance(task_id)

    assert client.try_match(openid)[0]["name"] == "vip"
    with transaction() as session:
        gone = session.scalars(select(Tag).where(Tag.wechat_id == tag)).one()
        session.delete(gone)
        session.flush()
        with pytest.raises(Refused, match="no such tag"):
            menus.roll_back(session, account, versions(account)[-1].id)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"matchrule": {}}, "conditional.0.matchrule.tag_id"),
        ({"matchrule": {"sex": "1"}}, "conditional.0.matchrule.sex"),
        ({"matchrule": {"tag_id": "100", "language": "zh_CN"}}, "conditional.0.matchrule.language"),
        ({"matchrule": {"x": "1"}}, "conditional.0.matchrule.x"),
        ({"matchrule": {"tag_id": "7"}}, "conditional.0.matchrule.tag_id"),
        ({"matchrule": {"tag_id": "²"}}, "conditional.0.matchrule.tag_id"),
        ({"matchrule": {"client_platform_type": "4"}}, "conditional.0.matchrule.client_platform_type"),
        ({"title": "x" * 31}, "conditional.0.title"),
        ({"buttons": [{"name": "x"}]}, "conditional.0.buttons.0.type"),
    ],
)
def test_each_fault_of_a_condition_is_named(account, given, field):
    with transaction() as session, pytest.raises(Refused) as refused:
        menus.save(session, account, [], [{**conditional("a"), **given}])

    assert refused.value.field == field


def test_menus_for_some_need_one_for_all_others(account):
    with transaction() as session:
        menus.save(session, account, [], [conditional("a")])
        with pytest.raises(Refused, match="usual menu"):
            menus.publish(session, account)
        menus.save(session, account, [click("usual")], [{**conditional("a"), "buttons": []}])
        with pytest.raises(Refused, match="no button"):
            menus.publish(session, account)


def test_a_menu_keeps_its_id_whatever_becomes_of_the_others(account):
    def ids():
        return [(each["id"], each["title"]) for each in menus.get(session, account).conditional]

    with transaction() as session:
        menus.save(session, account, [click("usual")], [conditional("a"), conditional("b")])
        third = menus.add_conditional(session, account, is_copy=True, title="c", matchrule={"tag_id": "102"})
        assert ids() == [(3, "c"), (1, "a"), (2, "b")]
        assert menus.find(menus.get(session, account), third)["buttons"] == [click("usual")]
        menus.move_conditional(session, account, third, 3)
        menus.save_conditional(session, account, 1, title="A")
        assert ids() == [(1, "A"), (2, "b"), (3, "c")]
        menus.delete_conditional(session, account, 2)
        assert ids() == [(1, "A"), (3, "c")]
        with pytest.raises(Refused) as refused:
            menus.save_conditional(session, account, 1, matchrule={})
        assert refused.value.field == "matchrule.tag_id"

"""What is changed of tags and the blocklist reaches WeChat, whatever is refused, repeated or killed in between."""

import random
from contextlib import suppress

import pytest
from sqlalchemy import select

from bot import clock
from bot.database import reading, transaction
from bot.errors import Refused
from bot.jobs import upkeep
from bot.services import abilities, blocklist, follower_sync, tag_pushes, tags, tokens
from bot.services.followers import get as get_follower
from bot.wechat.errors import WeChatError
from models import Account, PushAction, Tag, TagPush, TaskStatus
from tests.jobs.desk import Desk

TAG, UNTAG = "/cgi-bin/tags/members/batchtagging", "/cgi-bin/tags/members/batchuntagging"
CREATE, BLOCK = "/cgi-bin/tags/create", "/cgi-bin/tags/members/batchblacklist"


@pytest.fixture
def account(create, redis, sim):
    account = create.account()
    sim.connect(account, "http://127.0.0.1:9")
    return account


@pytest.mark.databases
def test_a_tag_and_its_followers_reach_wechat(desk, people):
    vip = desk.add("会员")
    assert desk.give(vip, [one.id for one in people[:3]]) == 3
    assert desk.give(vip, [one.id for one in people[:3]]) == 0

    task = desk.push()

    assert (task.status, task.error, task.done) == (TaskStatus.DONE, "", 4)
    assert desk.here() == desk.there() == {"会员": {one.openid for one in people[:3]}}
    assert desk.calls(TAG) == 1

    desk.do(lambda session, account: tags.rename(session, account, tags.get(session, account, vip.id), "贵宾"))
    desk.take(vip, [people[0].id])
    desk.push()
    assert desk.here() == desk.there() == {"贵宾": {one.openid for one in people[1:3]}}

    desk.do(lambda session, account: tags.delete(session, account, tags.get(session, account, vip.id)))
    desk.push()
    assert desk.here() == desk.there() == {}


def test_fifty_go_in_one_call(desk, sim, account, create):
    sim.post("followers", account=account.slug, count=120)
    ids = [create.follower(account, openid=each["openid"]).id for each in sim.get("followers", account=account.slug)]
    desk.give(desk.add("VIP"), ids)
    desk.push()
    assert desk.calls(TAG) == 3
    assert len(desk.there()["VIP"]) == 120


def test_a_change_of_mind_is_not_told(desk, people):
    vip = desk.add("VIP")
    desk.push()
    desk.give(vip, [people[0].id])
    desk.take(vip, [people[0].id])
    assert desk.waiting() == 0
    desk.push()
    assert (desk.calls(TAG), desk.calls(UNTAG)) == (0, 0)


@pytest.mark.databases
def test_a_change_of_mind_while_the_call_is_under_way_is_told(desk, people, account):
    vip = desk.add("VIP")
    desk.push()
    desk.give(vip, [people[0].id])
    with transaction() as session:
        batch = tag_pushes.claim(session, account.id)
    desk.take(vip, [people[0].id])  # meanwhile the call goes out …
    desk.ask("tags/members/batchtagging", openid_list=[people[0].openid], tagid=batch.wechat_id)
    with transaction() as session:
        tag_pushes.done(session, batch.wishes)  # … and comes back

    assert desk.waiting() == 1
    desk.push()
    assert desk.here() == desk.there() == {"VIP": set()}


@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.databases
def test_a_reading_does_not_undo_what_wechat_has_not_heard(desk, people, account, is_guarded, monkeypatch):
    """T: the answer was made before the push and is kept after it.  Without the guard the tag is gone."""
    vip, old = desk.add("VIP"), desk.add("Old")
    desk.give(old, [people[1].id])
    desk.push()
    if not is_guarded:
        monkeypatch.setattr(tag_pushes, "unsettled", lambda asked_at: TagPush.id < 0)
    asked_at = clock.now()
    ids = {one.openid: one.id for one in people}
    infos = desk.ask("user/info/batchget", user_list=[{"openid": openid} for openid in ids])["user_info_list"]
    listed = desk.ask("tags/get")["tags"]

    def keep() -> None:
        with transaction() as session:
            follower_sync.note_tags(session, account.id, listed, asked_at)
            follower_sync.note_infos(session, account.id, ids, infos, asked_at)

    desk.give(vip, [people[0].id])
    desk.take(old, [people[1].id])
    desk.do(lambda session, account: tags.rename(session, account, tags.get(session, account, vip.id), "Gold"))
    new = desk.add("New")
    keep()  # still waiting
    desk.push()
    keep()  # told, but after the question

    expected = {"Gold": {people[0].openid}, "Old": set(), "New": set()}
    assert (desk.here() == expected) is is_guarded
    if is_guarded:
        assert desk.there() == expected
        with reading() as session:
            assert session.get_one(Tag, new.id).wechat_id


def test_what_wechat_forbids_is_told_and_the_others_are_tagged(desk, people, sim, account):
    for at in range(20):
        made = desk.ask("tags/create", tag={"name": f"t{at}"})["tag"]["id"]
        desk.ask("tags/members/batchtagging", openid_list=[people[0].openid], tagid=made)
    vip = desk.add("VIP")
    sim.happen(account, people[1].openid, "unsubscribe")  # we have not heard of it
    desk.give(vip, [one.id for one in people])

    task = desk.push()

    assert task.status is TaskStatus.DONE
    assert desk.there()["VIP"] == {one.openid for one in people[2:]}
    assert desk.problems() == [
        ("VIP", "The follower has 20 tags, which is the most.", 1),
        ("VIP", "This person does not follow the account.", 1),
    ]
    calls = desk.calls(TAG)
    sim.wait(4000)
    upkeep.hint_tags()
    desk.push()
    assert desk.calls(TAG) == calls  # not again and again

    desk.do(tag_pushes.retry)
    desk.push()
    assert desk.calls(TAG) == calls + 2
    desk.do(tag_pushes.dismiss)
    assert desk.problems() == []


def test_more_than_a_hundred_tags_are_refused_by_wechat_in_words(desk, people):
    vip = desk.add("VIP")
    desk.give(vip, [people[0].id])
    for at in range(100):
        desk.ask("tags/create", tag={"name": f"t{at}"})
    desk.push()
    assert desk.problems() == [("VIP", "The account has 100 tags, which is the most.", 1)]


def test_a_tag_deleted_at_wechat_lives_on_here_only(desk, people):
    vip = desk.add("VIP")
    desk.push()
    desk.ask("tags/delete", tag={"id": next(t["id"] for t in desk.ask("tags/get")["tags"] if t["name"] == "VIP")})
    desk.give(vip, [people[0].id])
    desk.push()
    with reading() as session:
        assert [each.place for each in tags.listed(session, desk.account)] == ["here"]
        assert get_follower(session, desk.account, people[0].id).tags
    desk.do(lambda session, account: tags.share(session, account, tags.get(session, account, vip.id)))
    desk.push()
    assert desk.there() == {"VIP": {people[0].openid}}


def test_an_account_that_may_not_keeps_tags_here(create, redis, sim):
    account = create.account(is_verified=False)
    sim.connect(account, "http://127.0.0.1:9")
    desk = Desk(account, sim)
    one = create.follower(account)
    desk.give(desk.add("VIP"), [one.id])
    assert desk.push() is None
    with reading() as session:
        assert [each.place for each in tags.listed(session, account)] == ["here"]
    with pytest.raises(Refused):
        desk.do(lambda session, account: blocklist.block(session, account, [one.id], "x"))


def test_an_account_that_wechat_refuses_keeps_tags_here(desk, people, sim):
    """By its kind it may; WeChat says 48001."""
    sim.post("faults", path=CREATE, times=1, errcode=48001)
    desk.give(desk.add("VIP"), [people[0].id])
    assert desk.push().status is TaskStatus.DONE
    with reading() as session:
        account = session.get_one(Account, desk.account.id)
        assert not abilities.may(account, "followers")
        assert [each.place for each in tags.listed(session, account)] == ["here"]
        assert session.scalars(select(TagPush)).all() == []


@pytest.mark.parametrize("path", [CREATE, TAG])
def test_a_lost_answer_makes_no_second_tag(desk, people, sim, path):
    sim.post("faults", path=path, times=1, cut="reply")
    vip = desk.add("VIP")
    desk.give(vip, [people[0].id])
    assert desk.push().status is TaskStatus.READY
    desk.do(lambda session, account: tags.rename(session, account, tags.get(session, account, vip.id), "Gold"))
    sim.wait(6)
    desk.push()
    assert desk.here() == desk.there() == {"Gold": {people[0].openid}}


def test_a_tag_deleted_while_its_making_is_under_way_is_deleted_there_too(desk, sim):
    sim.post("faults", path=CREATE, times=1, cut="reply")
    vip = desk.add("VIP")
    desk.push()
    desk.do(lambda session, account: tags.delete(session, account, tags.get(session, account, vip.id)))
    sim.wait(6)
    desk.push()
    assert desk.here() == desk.there() == {}


def test_a_failed_task_is_not_begun_again_at_once(desk, people, sim):
    sim.post("faults", path=CREATE, times=-1, errcode=40125)
    desk.add("VIP")
    assert desk.push().status is TaskStatus.FAILED
    with reading() as session:
        assert tag_pushes.due_accounts(session, clock.now(), 10) == []
        assert tag_pushes.due_accounts(session, clock.now() + tag_pushes.PAUSE, 10) == [desk.account.id]


FAULTS = (
    {"errcode": 45169},
    {"errcode": -1},
    {"cut": "reply"},
    {"status": 502},
)


@pytest.mark.parametrize("seed", range(12))
def test_in_the_end_both_know_the_same(desk, people, sim, seed, monkeypatch):
    """Anything in any order: given, taken, renamed, made, deleted, read, told with failures and deaths between."""
    chance = random.Random(seed)
    names = iter(f"n{at}" for at in range(1000))
    died = [0]

    def dies(session, *args, **values):
        if chance.random() < 0.3:
            died[0] += 1
            raise KeyboardInterrupt  # after the call, before its record
        return real(session, *args, **values)

    real = tag_pushes.done
    for _ in range(45):
        with reading() as session:
            known = session.scalars(select(Tag)).all()
        act = chance.choice(["give", "give", "take", "add", "rename", "delete", "push", "push", "sync", "fault"])
        tag = chance.choice(known) if known else desk.add(next(names))
        some = [one.id for one in chance.sample(people, chance.randint(1, 4))]
        if tag.wechat_id == 2 and act in ("rename", "delete"):
            continue
        if act == "give":
            desk.give(tag, some)
        elif act == "take":
            desk.take(tag, some)
        elif act == "add":
            desk.add(next(names))
        elif act == "rename":
            name = next(names)
            desk.do(lambda s, a, tag=tag, name=name: tags.rename(s, a, tags.get(s, a, tag.id), name))
        elif act == "delete":
            desk.do(lambda s, a, tag=tag: tags.delete(s, a, tags.get(s, a, tag.id)))
        elif act == "sync":
            desk.sync()
        elif act == "fault":
            path = chance.choice([TAG, UNTAG, CREATE, "/cgi-bin/tags/update", "/cgi-bin/tags/delete"])
            sim.post("faults", path=path, times=1, **chance.choice(FAULTS))
        else:
            monkeypatch.setattr(tag_pushes, "done", dies)
            with suppress(KeyboardInterrupt):
                desk.push()
            monkeypatch.setattr(tag_pushes, "done", real)
        sim.wait(chance.choice([1, 7, 70]))
    for _ in range(8):
        sim.wait(1300)
        desk.push()
    assert (desk.waiting(), desk.problems()) == (0, [])
    before = desk.here()
    assert before == desk.there()
    sim.wait(120)
    desk.sync()
    desk.sync()
    assert desk.here() == desk.there() == before


def test_wechat_names_who_was_refused(desk, people, sim, account):
    vip = desk.ask("tags/create", tag={"name": "VIP"})["tag"]["id"]
    sim.happen(account, people[1].openid, "unsubscribe")
    with pytest.raises(WeChatError) as caught:
        tokens.client_for(account).tag_followers(vip, [one.openid for one in people])
    assert (caught.value.errcode, caught.value.openids) == (45171, [people[1].openid])


def test_a_returning_follower_has_their_tags_at_wechat_again(desk, people, session, account):
    vip = desk.add("VIP")
    desk.give(vip, [people[0].id])
    desk.push()
    desk.ask(
        "tags/members/batchuntagging",
        openid_list=[people[0].openid],
        tagid=next(iter(desk.ask("tags/get")["tags"][1:]))["id"],
    )
    desk.do(lambda session, account: tags.came_back(session, account, people[0].id))
    with reading() as own:
        assert own.scalars(select(TagPush).where(TagPush.action == PushAction.TAG)).one().done_at is None
    desk.push()
    assert desk.there() == {"VIP": {people[0].openid}}

"""What is changed of tags and the blocklist reaches WeChat, whatever is refused, repeated or killed in between."""

import json
import random
from contextlib import suppress

import pytest
from sqlalchemy import select

from bot import clock
from bot.database import reading, transaction
from bot.errors import Refused
from bot.jobs import tags as tag_jobs
from bot.jobs import tasks as jobs
from bot.jobs import upkeep
from bot.services import abilities, blocklist, follower_sync, tag_pushes, tags, tokens
from bot.services.followers import get as get_follower
from bot.wechat.errors import WeChatError
from models import Account, Follower, PushAction, Send, SendStatus, Tag, TagPush, Task, TaskStatus

TAG, UNTAG = "/cgi-bin/tags/members/batchtagging", "/cgi-bin/tags/members/batchuntagging"
CREATE, BLOCK = "/cgi-bin/tags/create", "/cgi-bin/tags/members/batchblacklist"


@pytest.fixture
def account(create, redis, sim):
    account = create.account()
    sim.connect(account, "http://127.0.0.1:9")
    return account


class Desk:
    """An operator's desk, the workers, and WeChat's own view."""

    def __init__(self, account, sim) -> None:
        self.account, self.sim = account, sim

    def ask(self, path: str, **body):
        query = {"access_token": tokens.access_token(self.account.id)}
        data = json.dumps(body, ensure_ascii=False).encode()
        method = self.sim.http.post if body else self.sim.http.get
        answer = method(f"{self.sim.address}/cgi-bin/{path}", params=query, data=data, timeout=10)
        return json.loads(answer.content)

    def do(self, act, *args):
        """act(session, account, …) in one transaction."""
        with transaction() as session:
            return act(session, session.get_one(Account, self.account.id), *args)

    def add(self, name: str) -> Tag:
        return self.do(tags.add, name)

    def give(self, tag: Tag, ids: list[int]) -> int:
        return self.do(lambda session, account: tags.give(session, account, session.merge(tag), ids, "小美"))

    def take(self, tag: Tag, ids: list[int]) -> int:
        return self.do(lambda session, account: tags.take(session, account, session.merge(tag), ids, "小美"))

    def push(self) -> Task | None:
        """Tell WeChat all that can be told."""
        tag_jobs.look(self.account.id)
        return self.advance(tag_pushes.KIND)

    def sync(self) -> Task | None:
        self.do(lambda session, account: follower_sync.start(session, account))
        return self.advance(follower_sync.KIND)

    def advance(self, kind: str) -> Task | None:
        with reading() as session:
            found = session.scalars(select(Task).where(Task.kind == kind).order_by(Task.id.desc()).limit(1)).first()
        if found is not None:
            jobs.advance(found.id)
            with reading() as session:
                return session.get_one(Task, found.id)
        return None

    def here(self) -> dict[str, set[str]]:
        """Tag → openids, as we know it."""
        with reading() as session:
            known = session.scalars(select(Tag).where(Tag.wechat_id >= 100)).all()
            members = {tag.name: set[str]() for tag in known}
            for follower in session.scalars(select(Follower)):
                for tag in follower.tags:
                    if tag.name in members:
                        members[tag.name].add(follower.openid)
            return members

    def there(self) -> dict[str, set[str]]:
        """The same, as WeChat knows it."""
        return {
            tag["name"]: set(self.ask("user/tag/get", tagid=tag["id"]).get("data", {}).get("openid", []))
            for tag in self.ask("tags/get")["tags"]
            if tag["id"] >= 100
        }

    def waiting(self) -> int:
        with reading() as session:
            return tag_pushes.waiting(session, self.account)

    def problems(self) -> list[tuple[str, str, int]]:
        with reading() as session:
            return [(each.tag, each.error, each.count) for each in tag_pushes.problems(session, self.account)]

    def calls(self, path: str) -> int:
        return self.sim.get("ledger", account=self.account.slug)["calls"].get(path, 0)


@pytest.fixture
def desk(account, sim) -> Desk:
    return Desk(account, sim)


@pytest.fixture
def people(account, sim, create) -> list[Follower]:
    sim.post("followers", account=account.slug, count=8)
    listed = sim.get("followers", account=account.slug)
    return [create.follower(account, openid=each["openid"]) for each in listed]


@pytest.mark.databases
def test_a_tag_and_its_followers_reach_wechat(desk, people):
    vip = desk.add("会员")
    assert desk.give(vip, [one.id for one in people[:3]]) == 3
    assert desk.give(vip, [one.id for one in people[:3]]) == 0

    task = desk.push()

    assert (task.status, task.error, task.done) == (TaskStatus.DONE, "", 4)
    assert desk.here() == desk.there() == {"会员": {one.openid for one in people[:3]}}
    assert desk.calls(TAG) == 1

    desk.do(lambda session, account: tags.rename(session, account, session.merge(vip), "贵宾"))
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


@pytest.mark.databases
def test_who_is_blocked_is_blocked_at_wechat_and_sent_nothing(desk, people, sim, account, session):
    from bot.services import sends
    from bot.wechat.messages import Text

    waiting = sends.create(session, account.id, people[0].id, Text(text="hi")).id
    session.commit()
    ids = [one.id for one in people[:2]]
    assert desk.do(lambda session, account: blocklist.block(session, account, ids, "小美")) == 2
    assert desk.do(lambda session, account: blocklist.block(session, account, ids, "小美")) == 0
    desk.push()

    assert set(desk.ask("tags/members/getblacklist", begin_openid="")["data"]["openid"]) == {
        one.openid for one in people[:2]
    }
    with reading() as own:
        assert own.get_one(Send, waiting).status is SendStatus.FAILED
        with pytest.raises(Refused, match="blocklist"):
            sends.must_be_allowed(own, people[0].id)
    answer = sim.say(account, people[0].openid, "hello")
    assert answer["pushed"] is False if "pushed" in answer else True

    desk.do(lambda session, account: blocklist.unblock(session, account, ids[:1], "小美"))
    desk.push()
    assert desk.ask("tags/members/getblacklist", begin_openid="")["data"]["openid"] == [people[1].openid]


def test_the_blocklist_is_read_back(desk, people):
    desk.ask("tags/members/batchblacklist", openid_list=[people[3].openid])
    desk.do(lambda session, account: blocklist.block(session, account, [people[4].id], "x"))
    desk.push()
    desk.ask("tags/members/batchunblacklist", openid_list=[people[4].openid])
    desk.do(lambda session, account: blocklist.block(session, account, [people[5].id], "x"))  # not told yet
    desk.sim.wait(120)
    assert desk.sync().status is TaskStatus.DONE
    with reading() as session:
        blocked = {one.openid for one in blocklist.page(session, desk.account)}
    assert blocked == {people[3].openid, people[5].openid}


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
    {"errcode": 45171},
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

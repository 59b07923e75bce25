"""Followers are read from the simulator over HTTP, however many they are and whatever dies in between."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
import requests
from sqlalchemy import func, select

from bot import clock
from bot.database import reading, transaction
from bot.jobs import tasks as jobs
from bot.services import conversations, follower_sync, sends, tokens
from bot.wechat.messages import Text
from models import Conversation, Follower, ReplyWindow, Send, SendStatus, Tag, Task, TaskStatus

LIST, INFOS = "/cgi-bin/user/get", "/cgi-bin/user/info/batchget"


@pytest.fixture
def account(create, redis, sim):
    account = create.account()
    sim.connect(account, "http://127.0.0.1:9")
    return account


@pytest.fixture
def ask(account, sim):
    """Call WeChat as its console's owner would: ask("tags/create", tag={…})."""

    def ask(path: str, **body):
        query = {"access_token": tokens.access_token(account.id)}
        written = json.dumps(body, ensure_ascii=False).encode()  # WeChat refuses \\u escapes
        answer = requests.post(f"{sim.address}/cgi-bin/{path}", params=query, data=written, timeout=10).json()
        assert not answer.get("errcode"), answer
        return answer

    return ask


def openids(sim, account) -> list[str]:
    return [each["openid"] for each in sim.get("followers", account=account.slug)]


def calls(sim, account, path: str) -> int:
    return sim.get("ledger", account=account.slug)["calls"].get(path, 0)


def sync(account) -> Task:
    with transaction() as session:
        task_id = follower_sync.start(session, account).id
    for _ in range(50):
        jobs.advance(task_id)
        with reading() as session:
            task = session.get_one(Task, task_id)
        if task.status in (TaskStatus.DONE, TaskStatus.FAILED):
            break
    return task


def count(account, *where) -> int:
    with reading() as session:
        query = select(func.count()).select_from(Follower).where(Follower.account_id == account.id, *where)
        return session.scalar(query)


@pytest.mark.databases
def test_reads_the_list_details_and_tags(account, sim, ask):
    sim.post("followers", account=account.slug, count=253)
    vip = ask("tags/create", tag={"name": "VIP"})["tag"]["id"]
    chosen = openids(sim, account)[:2]
    ask("tags/members/batchtagging", openid_list=chosen, tagid=vip)
    ask("user/info/updateremark", openid=chosen[0], remark="老顾客")

    task = sync(account)

    assert (task.status, task.done, task.total, task.error) == (TaskStatus.DONE, 253, 253, "")
    assert calls(sim, account, INFOS) == 3  # 100, 100, 53
    assert count(account) == count(account, Follower.is_subscribed) == count(account, Follower.language == "zh_CN")
    with reading() as session:
        tagged = session.scalars(select(Follower).join(Follower.tags).order_by(Follower.id)).all()
        assert {follower.openid for follower in tagged} == set(chosen)
        assert [(tag.name, tag.wechat_id) for tag in tagged[0].tags] == [("VIP", vip)]
        assert [follower.remark for follower in tagged] == ["老顾客", ""]
    assert sync(account).done == count(account) == 253


def test_goes_past_ten_thousand(account, sim):
    sim.post("followers", account=account.slug, count=10_200)

    assert sync(account).done == 10_200
    assert calls(sim, account, LIST) == 3
    assert count(account) == 10_200


def test_who_left_is_marked_and_who_came_meanwhile_is_kept(account, sim, create):
    sim.post("followers", account=account.slug, count=10)
    listed = openids(sim, account)
    gone = create.follower(account, openid="gone", seen_at=clock.now() - timedelta(days=1))
    create.follower(account, openid="new", seen_at=clock.now() + timedelta(seconds=60))
    back = create.follower(
        account, openid=listed[3], is_subscribed=False, unsubscribed_at=clock.now() - timedelta(days=3)
    )
    left = create.follower(
        account, openid=listed[4], is_subscribed=False, unsubscribed_at=clock.now() + timedelta(seconds=60)
    )

    sync(account)

    with reading() as session:
        following = set(session.scalars(select(Follower.openid).where(Follower.is_subscribed)))
        assert session.get_one(Follower, gone.id).unsubscribed_at
    assert following == {*listed, "new"} - {left.openid}
    assert back.openid in following


@pytest.mark.databases
@pytest.mark.parametrize("listed", [False, True], ids=["off the list", "left since the list"])
def test_who_left_unseen_is_sent_nothing_and_their_conversation_ends(account, sim, create, session, listed):
    sim.post("followers", account=account.slug, count=3)
    gone = create.follower(account, openid="gone", seen_at=clock.now() - timedelta(days=1))
    conversations.take(session, account, gone, is_waiting=True)
    session.add(ReplyWindow(follower_id=gone.id, trigger="message", left=5, expires_at=clock.now() + timedelta(days=1)))
    send_id = sends.create(session, account.id, gone.id, Text(text="Are you there?")).id
    session.commit()

    if listed:
        follower_sync.note_infos(session, account.id, {"gone": gone.id}, [{"openid": "gone", "subscribe": 0}])
        session.commit()
    else:
        sync(account)

    with reading() as own:
        assert not own.get_one(Follower, gone.id).is_subscribed
        assert own.get_one(Follower, gone.id).silent_until is None
        assert own.get_one(Send, send_id).status is SendStatus.FAILED
        assert own.scalars(select(Conversation)).one().closed_why == "unsubscribed"
        assert own.scalars(select(ReplyWindow)).all() == []


def test_a_list_far_shorter_than_its_count_marks_nobody(account, create, serve, monkeypatch):
    """The simulator counts rightly; this is a WeChat that does not."""
    answers = {"/cgi-bin/stable_token": {"access_token": "x", "expires_in": 7200}, "/cgi-bin/tags/get": {"tags": []}}

    def wechat(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        empty = {"total": 5, "count": 0, "next_openid": ""}
        return [json.dumps(answers.get(environ["PATH_INFO"], empty)).encode()]

    monkeypatch.setenv("LOBBY_WECHAT_URL", serve(wechat))
    tokens.settings.cache_clear()
    create.follower(account, openid="old", seen_at=clock.now() - timedelta(days=1))

    assert sync(account).status is TaskStatus.DONE
    assert count(account, Follower.is_subscribed) == 1


def test_tags_are_taken_over_by_id_and_by_name(account, sim, ask):
    vip = ask("tags/create", tag={"name": "VIP"})["tag"]["id"]
    with transaction() as session:
        session.add_all([Tag(account_id=account.id, name="VIP"), Tag(account_id=account.id, name="Ours")])
        session.add(Tag(account_id=account.id, name="Removed there", wechat_id=150))

    sync(account)

    with reading() as session:
        tags = {tag.name: tag.wechat_id for tag in session.scalars(select(Tag))}
    assert tags == {"VIP": vip, "Ours": None, "Removed there": None, "星标组": 2}


ADVANCE = """
import sys
from bot import clock
from bot.jobs import tasks as jobs
from bot.settings import settings
clock.follow(settings().clock_file)
jobs.advance(int(sys.argv[1]))
"""


def test_goes_on_after_kills(account, sim):
    sim.post("followers", account=account.slug, count=2000)
    sim.post("faults", path=INFOS, times=-1, delay_ms=60)
    with transaction() as session:
        task_id = follower_sync.start(session, account).id
    kills = 0
    for attempt in range(40):
        process = subprocess.Popen([sys.executable, "-c", ADVANCE, str(task_id)], env=os.environ)
        try:
            process.wait(timeout=1.3 + 0.1 * attempt if kills < 3 else 60)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        with reading() as session:
            task = session.get_one(Task, task_id)
        if task.status in (TaskStatus.DONE, TaskStatus.FAILED):
            break
        sim.wait(61)  # the lease of a killed worker ends only with time

    assert kills >= 2
    assert (task.status, task.error) == (TaskStatus.DONE, "")
    assert task.done == count(account) == count(account, Follower.is_subscribed) == 2000

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot import clock
from bot.database import reading, transaction
from bot.jobs import tasks as jobs
from bot.services import follower_sync, tokens
from models import Follower, Tag, Task, TaskStatus


class Followers:
    """WeChat's side, of any size: user/get by pages, batchget, tags."""

    def __init__(self, count: int, page: int = 10_000) -> None:
        self.openids = [f"o{at:027d}" for at in range(count)]
        self.size, self.calls = page, []

    def follower_page(self, after: str):
        self.calls.append(("page", after))
        start = self.openids.index(after) + 1 if after else 0
        found = self.openids[start : start + self.size]
        return found, found[-1] if found else "", len(self.openids)

    def follower_infos(self, openids):
        self.calls.append(("infos", len(openids)))
        assert len(openids) <= 100
        return [
            {"subscribe": 1, "openid": each, "language": "zh_CN", "subscribe_time": 1_700_000_000, "tagid_list": [101]}
            for each in reversed(openids)
            if not each.endswith("7")  # WeChat may leave some out
        ]

    def tags(self):
        return [{"id": 2, "name": "星标组", "count": 0}, {"id": 101, "name": "VIP", "count": 1}]

    def close(self) -> None: ...


@pytest.fixture
def account(create, redis):
    return create.account()


@pytest.fixture
def wechat(monkeypatch):
    def wechat(count: int, page: int = 10_000) -> Followers:
        followers = Followers(count, page)
        monkeypatch.setattr(tokens, "client_for", lambda account: followers)
        return followers

    return wechat


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
def test_reads_pages_details_and_tags(account, wechat):
    followers = wechat(253, page=100)

    task = sync(account)

    assert (task.status, task.done, task.total, task.error) == (TaskStatus.DONE, 253, 253, "")
    assert [call for call in followers.calls if call[0] == "page"][-1] == ("page", followers.openids[-1])
    assert [size for kind, size in followers.calls if kind == "infos"] == [100, 100, 53]
    assert count(account) == count(account, Follower.is_subscribed) == 253
    with reading() as session:
        tagged = session.scalars(select(Follower).where(Follower.openid == followers.openids[0])).one()
        assert [(tag.name, tag.wechat_id) for tag in tagged.tags] == [("VIP", 101)]
        assert tagged.language == "zh_CN"
    assert sync(account).done == 253
    assert count(account) == 253


def test_goes_past_ten_thousand(account, wechat):
    followers = wechat(20_000)

    assert sync(account).done == 20_000
    assert len([call for call in followers.calls if call[0] == "page"]) == 3
    assert count(account) == 20_000


def test_who_left_is_marked_and_who_came_meanwhile_is_kept(account, wechat, create):
    followers = wechat(10)
    gone = create.follower(account, openid="gone", seen_at=clock.now() - timedelta(days=1))
    create.follower(account, openid="new", seen_at=clock.now() + timedelta(seconds=60))
    back = create.follower(
        account, openid=followers.openids[3], is_subscribed=False, unsubscribed_at=clock.now() - timedelta(days=3)
    )
    left = create.follower(
        account, openid=followers.openids[4], is_subscribed=False, unsubscribed_at=clock.now() + timedelta(seconds=60)
    )

    sync(account)

    with reading() as session:
        following = set(session.scalars(select(Follower.openid).where(Follower.is_subscribed)))
        assert session.get_one(Follower, gone.id).unsubscribed_at
    assert following == {*followers.openids, "new"} - {left.openid}
    assert back.openid in following


def test_a_list_far_shorter_than_its_count_marks_nobody(account, wechat, create, monkeypatch):
    followers = wechat(5)
    create.follower(account, openid="old", seen_at=clock.now() - timedelta(days=1))
    monkeypatch.setattr(followers, "follower_page", lambda after: ([], "", 5))

    sync(account)

    assert count(account, Follower.is_subscribed) == 1


def test_tags_are_taken_over_by_id_and_by_name(account, wechat):
    wechat(3)
    with transaction() as session:
        session.add_all([Tag(account_id=account.id, name="VIP"), Tag(account_id=account.id, name="Ours")])
        session.add(Tag(account_id=account.id, name="Removed there", wechat_id=150))

    sync(account)

    with reading() as session:
        tags = {tag.name: tag.wechat_id for tag in session.scalars(select(Tag))}
    assert tags == {"VIP": 101, "Ours": None, "Removed there": None, "星标组": 2}


ADVANCE = """
import sys
sys.path.insert(0, "")
from bot import clock
from bot.jobs import tasks as jobs
from bot.services import tokens
from bot.settings import settings
from tests.jobs.test_follower_sync import Followers
import time
class Slow(Followers):
    def follower_infos(self, openids):
        time.sleep(0.02)
        return super().follower_infos(openids)
wechat = Slow(int(sys.argv[2]), 1000)
tokens.client_for = lambda account: wechat
clock.follow(settings().clock_file)
jobs.advance(int(sys.argv[1]))
"""


def test_goes_on_after_kills(account, tmp_path):
    with transaction() as session:
        task_id = follower_sync.start(session, account).id
    kills = 0
    for attempt in range(40):
        # A lease of a killed worker ends only with time: move the clock instead of waiting.
        (tmp_path / "clock").write_text(str(61 * attempt))
        process = subprocess.Popen([sys.executable, "-c", ADVANCE, str(task_id), "4000"], env=os.environ)
        try:
            process.wait(timeout=1.3 + 0.1 * attempt if kills < 4 else 60)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        with reading() as session:
            task = session.get_one(Task, task_id)
        if task.status in (TaskStatus.DONE, TaskStatus.FAILED):
            break

    assert kills >= 2
    assert (task.status, task.error) == (TaskStatus.DONE, "")
    assert task.done == count(account) == count(account, Follower.is_subscribed) == 4000

"""Before a launch: which links of a campaign answer, and which lead nowhere."""

import socket
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from werkzeug.wrappers import Request, Response

from bot import clock
from bot.database import reading, transaction
from bot.fetching import Network
from bot.jobs import campaign_links as jobs
from bot.jobs import tasks as task_jobs
from bot.services import campaign_links, campaigns
from bot.services.campaigns import CampaignDraft
from models import Account, Task, TaskStatus

pytestmark = pytest.mark.databases

TEXT = "秋茶：http://shop.example.com/tea，旧页 http://shop.example.com/gone ，http://nowhere.example.com 和 http://10.0.0.7/"
PUBLIC = "93.184.215.14"


@pytest.fixture
def web(serve, monkeypatch) -> list[str]:
    """A shop on the Internet, whose names and addresses lead to a server of this test; what was asked of it."""
    asked: list[str] = []

    def shop(environ, start_response):
        request = Request(environ)
        asked.append(request.path)
        return Response("", {"/gone": 404, "/broken": 500}.get(request.path, 200))(environ, start_response)

    port = int(serve(shop).rpartition(":")[2])

    def resolve(host: str, _port: int) -> list[str]:
        if host.startswith("nowhere"):
            raise socket.gaierror("no such name")
        return [PUBLIC if host.endswith("example.com") else host]

    network = Network(resolve, lambda _address, _port, seconds: socket.create_connection(("127.0.0.1", port), seconds))
    monkeypatch.setattr(jobs, "NETWORK", network)
    return asked


@pytest.fixture
def account(create, redis):
    return create.account()


def draft(account: Account, text: str = TEXT, campaign_id: int | None = None) -> int:
    plan = {
        "name": "秋茶",
        "channel": "mass",
        "to_everyone": True,
        "variants": [{"content": {"kind": "text", "text": text}}],
    }
    with transaction() as session:
        mine = session.get_one(Account, account.id)
        kept = campaigns.get(session, mine, campaign_id) if campaign_id else None
        seen = kept.version if kept else None
        return campaigns.save(session, mine, CampaignDraft.model_validate(plan), kept, seen=seen, who="小美").id


def start(account: Account, campaign_id: int) -> int:
    with transaction() as session:
        mine = session.get_one(Account, account.id)
        return campaign_links.start(session, mine, campaigns.get(session, mine, campaign_id)).id


def look(account: Account, campaign_id: int) -> campaign_links.Look:
    with reading() as session:
        return campaign_links.of(session, account, campaigns.get(session, account, campaign_id))


def test_each_link_is_opened_once_and_what_is_wrong_with_it_is_told(account, web):
    campaign_id = draft(account)
    assert (look(account, campaign_id).is_due, look(account, campaign_id).checked_at) == (True, None)

    task_id = start(account, campaign_id)
    assert look(account, campaign_id).is_under_way
    task_jobs.advance(task_id)

    found = look(account, campaign_id)
    assert [(link.url, link.status, link.why) for link in found.links] == [
        ("http://shop.example.com/tea", 200, ""),
        ("http://shop.example.com/gone", 404, ""),
        ("http://nowhere.example.com", None, "name"),
        ("http://10.0.0.7/", None, "address"),
    ]
    assert [link.is_dead for link in found.links] == [False, True, True, True]
    assert sorted(web) == ["/gone", "/tea"]
    assert found.checked_at is not None
    assert not found.is_due
    assert all(link.sentence for link in found.dead)


def test_they_are_looked_at_again_after_an_hour_or_another_text(account, web, monkeypatch):
    campaign_id = draft(account)
    task_jobs.advance(start(account, campaign_id))

    draft(account, TEXT.replace("秋茶：", "冬茶："), campaign_id)
    assert not look(account, campaign_id).is_due  # other words, the same links
    draft(account, TEXT + " http://shop.example.com/new", campaign_id)
    assert (look(account, campaign_id).is_due, look(account, campaign_id).links) == (True, [])
    draft(account, "http://shop.example.com/tea", campaign_id)
    assert [link.status for link in look(account, campaign_id).links] == [200]

    later = clock.now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert look(account, campaign_id).is_due


def test_two_campaigns_are_looked_at_side_by_side(account, web):
    one, other = draft(account, "http://shop.example.com/a"), draft(account, "http://shop.example.com/b")

    first, second = start(account, one), start(account, other)
    assert start(account, one) == first != second
    task_jobs.advance(second)

    assert look(account, one).is_under_way
    assert [link.url for link in look(account, other).links] == ["http://shop.example.com/b"]


def test_no_links_need_no_look_and_those_of_a_variable_cannot_be_opened(account, web):
    for text in ("秋茶上新。", "http://shop.example.com/{{field:店}}"):
        found = look(account, draft(account, text))
        assert (found.is_due, found.links, found.is_under_way) == (False, [], False)


def test_a_look_that_fails_is_told_and_not_begun_again_at_once(account, web):
    campaign_id = draft(account)
    task_id = start(account, campaign_id)
    with transaction() as session:
        task = session.get_one(Task, task_id)
        task.status, task.error, task.finished_at = TaskStatus.FAILED, "It broke.", clock.now()

    found = look(account, campaign_id)
    assert (found.error, found.is_due, found.links) == ("It broke.", False, [])


def test_a_campaign_that_is_gone_ends_its_look(account, web):
    campaign_id = draft(account)
    task_id = start(account, campaign_id)
    with transaction() as session:
        campaigns.remove(session, campaigns.get(session, account, campaign_id))
    task_jobs.advance(task_id)

    with reading() as session:
        assert session.get_one(Task, task_id).status is TaskStatus.DONE
        assert session.scalar(select(func.count()).select_from(Task)) == 1
    assert web == []

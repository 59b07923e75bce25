"""Reports on template messages and notices that come before their call's answer, late, or beside another campaign's."""

import pytest
from sqlalchemy import select

from bot.database import reading
from bot.services import campaign_reports
from models import Campaign, Delivery
from tests.jobs.campaigner import Campaigner
from tests.jobs.test_campaigns import ended
from tests.stack import until

pytestmark = pytest.mark.databases

TEMPLATE, NOTICE = "TEMPLATESENDJOBFINISH", "subscribe_msg_sent_event"
FAILED = {"template": {"path": TEMPLATE, "result": "failed: system failed"},
          "notice": {"path": NOTICE, "result": "43101"}}  # fmt: skip


@pytest.fixture
def marketer(create, sim, live) -> Campaigner:
    marketer = Campaigner(create, sim, live, followers=3)
    for openid in marketer.openids:
        sim.say(marketer.account, openid, "你好")
    return marketer


def plan(marketer: Campaigner, channel: str, template_id: str = "", **values) -> Campaign:
    """A campaign of the channel, to followers who allowed the notice."""
    template_id = template_id or template(marketer, channel)
    content = {"kind": channel, "template_id": template_id, "values": {"thing1": "秋茶"}}
    return marketer.plan(content, channel=channel, **values)


def template(marketer: Campaigner, channel: str) -> str:
    slug, kind = marketer.account.slug, "message" if channel == "template" else "long-term"
    made = marketer.sim.post("templates", account=slug, kind=kind, title="上新", content="{{thing1.DATA}}")
    if channel == "notice":
        for openid in marketer.openids:
            allowed = {"openid": openid, "template_id": made["template_id"], "always": True}
            marketer.sim.post("consents", account=slug, **allowed)
    return str(made["template_id"])


def counts_fit(marketer: Campaigner, campaign: Campaign) -> bool:
    """What its batches count is what its rows say."""
    batches, rows = marketer.batches(campaign), marketer.count(campaign)
    return all(sum(getattr(batch, name) for batch in batches) == rows.get(name, 0)
               for name in ("sent", "failed", "unknown"))  # fmt: skip


@pytest.mark.parametrize("channel", ["template", "notice"])
def test_a_failure_that_is_reported_before_the_answer_counts(marketer, channel):
    marketer.fault(**FAILED[channel], early=True, times=1)
    campaign = marketer.send(plan(marketer, channel))

    assert marketer.count(campaign) == {"sent": 2, "failed": 1}
    assert counts_fit(marketer, campaign)
    assert ended(marketer, campaign)
    assert marketer.received()["once"] == 2
    with reading() as session:
        codes = set(session.scalars(select(Delivery.errcode).where(Delivery.status == "failed")))
    assert codes == ({43101} if channel == "notice" else {None})


@pytest.mark.parametrize("channel", ["template", "notice"])
def test_a_failure_that_is_reported_three_times_counts_once(marketer, channel):
    marketer.fault(**FAILED[channel], times=1, copies=3)
    campaign = marketer.send(plan(marketer, channel))

    assert until(lambda: marketer.count(campaign) == {"sent": 2, "failed": 1}, 10)
    assert counts_fit(marketer, campaign)


@pytest.mark.parametrize("channel", ["template", "notice"])
def test_negative_control_without_looking_back_the_early_failure_is_lost(marketer, channel, monkeypatch):
    monkeypatch.setattr(campaign_reports, "came_early", lambda *_: None)
    marketer.fault(**FAILED[channel], early=True, times=1)
    campaign = marketer.send(plan(marketer, channel))

    assert marketer.count(campaign) == {"sent": 3}
    assert marketer.received()["once"] == 2


def test_a_notices_late_failure_is_that_of_the_campaign_it_was_sent_by(marketer):
    template_id = template(marketer, "notice")
    marketer.fault(**FAILED["notice"], times=1, delay_seconds=2700)
    older = marketer.send(plan(marketer, "notice", template_id))
    marketer.sim.wait(600)
    newer = marketer.send(plan(marketer, "notice", template_id))
    marketer.sim.wait(2700)

    assert until(lambda: marketer.count(older) == {"sent": 2, "failed": 1}, 10)
    assert marketer.count(newer) == {"sent": 3}
    assert counts_fit(marketer, older)
    assert counts_fit(marketer, newer)


def test_an_early_failure_of_a_notice_leaves_the_campaign_before_alone(marketer):
    template_id = template(marketer, "notice")
    older = marketer.send(plan(marketer, "notice", template_id))
    marketer.sim.wait(600)
    marketer.fault(**FAILED["notice"], early=True, times=1)
    newer = marketer.send(plan(marketer, "notice", template_id))

    assert marketer.count(older) == {"sent": 3}
    assert marketer.count(newer) == {"sent": 2, "failed": 1}


def test_a_notice_of_another_template_is_another_campaigns(marketer):
    marketer.fault(**FAILED["notice"], times=1, delay_seconds=20)
    older = marketer.send(plan(marketer, "notice"))
    newer = marketer.send(plan(marketer, "notice"))  # a moment later: the time alone does not tell them apart
    marketer.sim.wait(60)

    assert until(lambda: marketer.count(older) == {"sent": 2, "failed": 1}, 10)
    assert marketer.count(newer) == {"sent": 3}


def test_what_is_not_confirmed_may_be_reported_as_failed(marketer):
    marketer.fault("/cgi-bin/message/subscribe/bizsend", cut="reply", times=3)
    marketer.fault(**FAILED["notice"], times=1, delay_seconds=5)
    campaign = marketer.send(plan(marketer, "notice"))
    assert marketer.count(campaign) == {"unknown": 3}
    marketer.settle()

    assert until(lambda: marketer.count(campaign) == {"unknown": 2, "failed": 1}, 10)
    assert counts_fit(marketer, campaign)

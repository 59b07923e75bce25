"""Channels with one call for each follower, and what a person decides afterwards."""

import pytest
from sqlalchemy import select

from bot import clock
from bot.database import reading, transaction
from bot.jobs import tasks as task_jobs
from bot.services import campaign_control, campaign_progress, campaign_review, campaign_tests, segments
from models import Batch, BatchStatus, CampaignStatus, Follower, ReplyWindow, Task
from tests.jobs.campaigner import Campaigner
from tests.jobs.test_campaigns import ended

pytestmark = pytest.mark.databases

TEXT = {"kind": "text", "text": "{{nickname|朋友}}，秋茶上新。"}


@pytest.fixture
def marketer(create, sim, live) -> Campaigner:
    marketer = Campaigner(create, sim, live, followers=6)
    for openid in marketer.openids:  # at WeChat and here
        sim.say(marketer.account, openid, "你好")
    return marketer


def plan(marketer, **values):
    return marketer.plan(TEXT, channel="service", **values)


def test_a_service_message_goes_to_those_whose_window_is_open(marketer):
    [late] = marketer.meet(1)
    campaign = marketer.send(plan(marketer))

    assert marketer.count(campaign) == {"sent": 6, "no_window": 1}
    assert marketer.now(campaign).status is CampaignStatus.FINISHED
    assert (marketer.received()["once"], marketer.received()["more"]) == (6, 0)
    assert "小李，秋茶上新。" in str(marketer.sim.inbox(marketer.account, marketer.openids[0])[-1])
    with reading() as session:
        assert set(session.scalars(select(ReplyWindow.left))) == {4}  # of five: one is spent
    assert late in marketer.openids


@pytest.mark.parametrize(("fault", "status"), [({"cut": "reply"}, "unknown"), ({"cut": "request"}, "unknown"),
                                               ({"errcode": 45015}, "failed")])  # fmt: skip
def test_one_of_whom_it_is_not_known_is_never_sent_to_again_by_itself(marketer, fault, status):
    marketer.fault("/cgi-bin/message/custom/send", times=1, **fault)
    campaign = marketer.send(plan(marketer))

    marketer.sim.wait(600)
    marketer.advance(campaign)

    assert marketer.count(campaign) == {"sent": 5, status: 1}
    assert marketer.received()["more"] == 0


def test_a_busy_wechat_is_asked_again_later(marketer):
    marketer.fault("/cgi-bin/message/custom/send", times=1, errcode=-1)
    campaign = marketer.send(plan(marketer))
    for _ in range(3):
        marketer.sim.wait(61)
        marketer.advance(campaign)

    assert marketer.count(campaign) == {"sent": 6}
    assert (marketer.received()["once"], marketer.received()["more"]) == (6, 0)


def test_a_used_up_quota_parks_the_campaign_until_wechats_midnight(marketer):
    marketer.fault("/cgi-bin/message/custom/send", times=1, errcode=45009)
    campaign = marketer.send(plan(marketer))

    held = marketer.now(campaign)
    assert held.status is CampaignStatus.SENDING
    assert held.parked_until is not None
    assert held.parked_until > clock.now()
    sent = marketer.received()["once"]
    assert sent < 6
    assert marketer.advance(campaign).status is CampaignStatus.SENDING  # it waits
    assert marketer.received()["once"] == sent


def test_a_wrong_secret_pauses_and_says_so(marketer):
    marketer.fault("/cgi-bin/message/custom/send", times=0, errcode=48001)
    campaign = marketer.send(plan(marketer))

    held = marketer.now(campaign)
    assert (held.status, held.why, held.errcode) == (CampaignStatus.PAUSED, "configuration", 48001)
    assert marketer.count(campaign) == {"pending": 6}
    marketer.sim.http.delete(f"{marketer.sim.address}/sim/faults", timeout=5)
    marketer.do(campaign_control.resume, campaign)
    marketer.advance(campaign)
    assert marketer.count(campaign) == {"sent": 6}


def test_the_breaker_stops_what_fails_for_nearly_everyone(marketer):
    for openid in marketer.meet(30):
        marketer.sim.say(marketer.account, openid, "你好")
    marketer.fault("/cgi-bin/message/custom/send", times=0, errcode=40008)
    campaign = marketer.send(plan(marketer))

    held = marketer.now(campaign)
    assert (held.status, held.why, held.errcode) == (CampaignStatus.PAUSED, "breaker", 40008)


def test_those_who_failed_can_be_sent_to_again(marketer):
    marketer.fault("/cgi-bin/message/custom/send", times=2, errcode=40008)
    campaign = marketer.send(plan(marketer))
    assert marketer.count(campaign) == {"sent": 4, "failed": 2}

    assert marketer.do(campaign_review.retry_failed, campaign) == 2
    marketer.advance(campaign)

    assert marketer.count(campaign) == {"sent": 6}
    assert (marketer.received()["once"], marketer.received()["more"]) == (6, 0)
    with reading() as session:
        stands = campaign_progress.of(session, marketer.now(campaign))
    assert (stands.total, stands.sent, stands.left, stands.failed) == (6, 6, 0, 0)


def test_a_paused_campaign_sends_nothing_until_it_is_resumed(marketer):
    campaign = plan(marketer)
    marketer.launch(campaign)
    marketer.sim.wait(31)
    marketer.do(campaign_control.begin_now, campaign)
    marketer.do(campaign_control.pause, campaign)

    assert marketer.advance(campaign).status is CampaignStatus.PAUSED
    assert marketer.received()["receipts"] == 0

    marketer.do(campaign_control.resume, campaign)
    marketer.advance(campaign)
    assert marketer.received()["once"] == 6


def test_a_cancelled_campaign_writes_to_nobody_else(marketer):
    campaign = plan(marketer)
    marketer.launch(campaign)
    marketer.do(campaign_control.cancel, campaign)
    marketer.sim.wait(31)

    marketer.advance(campaign)

    assert marketer.count(campaign) == {"cancelled": 6}
    assert marketer.received()["receipts"] == 0


def test_templates_carry_their_values_and_are_counted_by_their_report(marketer):
    made = marketer.sim.post("templates", account=marketer.account.slug, kind="message", title="上新",
                             content="{{thing1.DATA}}")  # fmt: skip
    content = {"kind": "template", "template_id": made["template_id"], "values": {"thing1": "{{nickname|朋友}}秋茶"}}
    campaign = marketer.send(marketer.plan(content, channel="template"))

    assert marketer.count(campaign) == {"sent": 6}
    assert (marketer.received()["once"], marketer.received()["more"]) == (6, 0)


def test_a_test_send_shows_one_follower_the_real_thing(marketer):
    campaign = plan(marketer)
    with reading() as session:
        follower = session.scalars(select(Follower).order_by(Follower.id)).first()
    marketer.do(campaign_tests.send, campaign, 0, follower)
    with reading() as session:
        task = session.scalars(select(Task).where(Task.kind == campaign_tests.KIND)).one()
    task_jobs.advance(task.id)

    assert marketer.received()["once"] == 1
    assert marketer.now(campaign).status is CampaignStatus.DRAFT


def test_a_second_person_approves_what_goes_to_many(marketer):
    with transaction() as session:
        marketer.here(session).approval_above = 5
    campaign = plan(marketer)
    marketer.launch(campaign, who="小美")
    assert marketer.now(campaign).status is CampaignStatus.WAITING

    with pytest.raises(campaign_control.Forbidden):
        marketer.do(campaign_control.approve, campaign, who="小美")
    marketer.do(campaign_control.approve, campaign, who="阿强")
    marketer.sim.wait(31)
    marketer.advance(campaign)

    assert ended(marketer, campaign)
    assert marketer.received()["once"] == 6


def test_who_launches_it_anew_does_not_approve_it_as_somebody_elses(marketer):
    with transaction() as session:
        marketer.here(session).approval_above = 5
    campaign = plan(marketer)
    marketer.launch(campaign, who="小美")
    with reading() as session:
        seen = session.get_one(type(campaign), campaign.id)  # 阿强 has it before him
    marketer.do(campaign_control.undo, campaign)
    marketer.launch(campaign, who="阿强")

    with transaction() as session:
        session.add(seen)
        account = marketer.here(session)
        with pytest.raises(campaign_control.Conflict):
            campaign_control.approve(session, account, seen, who="阿强")
    assert marketer.now(campaign).status is CampaignStatus.WAITING


def test_a_batch_that_wechat_never_reported_on_leaves_the_review(marketer):
    campaign = marketer.plan()
    marketer.fault("MASSSENDJOBFINISH", times=1, lost=True)
    marketer.fault("/cgi-bin/message/mass/get", times=0, errcode=40001)
    marketer.send(campaign)
    with transaction() as session:
        [batch] = session.scalars(select(Batch))
        batch.status, batch.error, batch.check_at = BatchStatus.REVIEW, "silence", None

    with reading() as session:
        assert campaign_progress.of(session, marketer.now(campaign)).review == 1
    assert marketer.do(campaign_review.count_unknown_as_sent, campaign) == 0
    with reading() as session:
        assert campaign_progress.of(session, marketer.now(campaign)).review == 0


def test_another_audience_needs_another_approval(marketer):
    with transaction() as session:
        account = marketer.here(session)
        account.approval_above = 0
        tree = {"all": [{"field": "follows", "op": "is", "value": True}]}
        segment_id = segments.save(session, account, "关注者", tree).id
    campaign = plan(marketer, to_everyone=False, segment_id=segment_id)
    marketer.launch(campaign, who="小美")
    marketer.do(campaign_control.approve, campaign, who="阿强")
    marketer.do(campaign_control.undo, campaign)
    marketer.launch(campaign, who="小美")
    assert marketer.now(campaign).status is CampaignStatus.SCHEDULED  # as it was approved

    marketer.do(campaign_control.undo, campaign)
    with transaction() as session:
        wider = {"any": [*tree["all"], {"field": "wrote", "op": "last_days", "value": 3}]}
        account = marketer.here(session)
        segments.save(session, account, "关注者", wider, segments.get(session, account, segment_id))
    marketer.launch(campaign, who="小美")
    assert marketer.now(campaign).status is CampaignStatus.WAITING

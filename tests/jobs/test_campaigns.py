"""Campaigns from the launch to the phones, with WeChat's own ledger as the referee."""

import time

import pytest

from bot import clock
from bot.database import reading, transaction
from bot.services import campaign_control
from models import BatchStatus, CampaignStatus
from tests.jobs.campaigner import Campaigner

pytestmark = pytest.mark.databases


@pytest.fixture
def marketer(create, sim, live) -> Campaigner:
    return Campaigner(create, sim, live, followers=7)


def until(holds, seconds: float = 10):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


def ended(marketer, campaign) -> bool:
    return marketer.now(campaign).status is CampaignStatus.FINISHED


def test_a_mass_message_reaches_everyone_once(marketer):
    campaign = marketer.send(marketer.plan())

    until(lambda: ended(marketer, campaign))
    assert marketer.count(campaign) == {"sent": 7}
    assert marketer.received() | {"twice": []} == marketer.received()
    assert (marketer.received()["once"], marketer.received()["more"]) == (7, 0)
    [batch] = marketer.batches(campaign)
    assert batch.ended == {"status": "send success", "total": 7, "filtered": 7, "sent": 7, "error": 0}


def test_those_who_may_get_nothing_are_in_the_ledger_with_the_reason(marketer):
    left, blocked, out = marketer.openids[:3]
    marketer.change(left, is_subscribed=False)
    marketer.change(blocked, blocked_at=clock.now())
    marketer.change(out, opted_out_at=clock.now())

    campaign = marketer.send(marketer.plan())

    until(lambda: ended(marketer, campaign))
    assert marketer.count(campaign) == {"sent": 4, "blocked": 1, "opted_out": 1}  # who left is not meant at all
    assert marketer.now(campaign).excluded == {"blocked": 1, "opted_out": 1}
    assert marketer.received()["once"] == 4


def test_who_opts_out_after_the_launch_gets_nothing(marketer):
    campaign = marketer.plan()
    marketer.launch(campaign)
    marketer.change(marketer.openids[0], opted_out_at=clock.now())
    marketer.sim.wait(31)

    marketer.advance(campaign)

    until(lambda: ended(marketer, campaign))
    assert marketer.count(campaign) == {"sent": 6, "opted_out": 1}
    assert marketer.received()["once"] == 6


def test_a_launch_can_be_undone(marketer):
    campaign = marketer.plan()
    marketer.launch(campaign)

    marketer.do(campaign_control.undo, campaign)
    marketer.sim.wait(31)
    marketer.advance(campaign)

    assert marketer.now(campaign).status is CampaignStatus.DRAFT
    assert marketer.received()["receipts"] == 0


@pytest.mark.parametrize("fault", [{"cut": "reply"}, {"cut": "request"}, {"errcode": -1}, {"status": 502},
                                   {"errcode": 45065, "after": True}])  # fmt: skip
def test_a_lost_answer_is_asked_again_with_the_same_key(marketer, fault):
    marketer.fault("/cgi-bin/message/mass/send", times=1, **fault)
    campaign = marketer.send(marketer.plan())

    for _ in range(4):
        marketer.sim.wait(61)
        marketer.advance(campaign)

    until(lambda: ended(marketer, campaign))
    assert (marketer.received()["once"], marketer.received()["more"]) == (7, 0)
    assert marketer.count(campaign) == {"sent": 7}


def test_one_that_was_missed_starts_when_its_start_is_moved_to_now(marketer):
    campaign = marketer.plan()
    marketer.launch(campaign)
    marketer.sim.wait(2 * 3600)
    assert marketer.advance(campaign).status is CampaignStatus.MISSED

    marketer.do(campaign_control.move, campaign, "")
    marketer.advance(campaign)

    until(lambda: ended(marketer, campaign))
    assert marketer.received()["once"] == 7


def test_of_a_cancelled_one_wechat_is_still_asked_how_it_ended(marketer):
    marketer.fault("MASSSENDJOBFINISH", lost=True)
    campaign = marketer.send(marketer.plan())
    marketer.do(campaign_control.cancel, campaign)
    marketer.sim.wait(601)

    with reading() as session:
        assert campaign_control.due(session) == [campaign.id]
    marketer.advance(campaign)

    [batch] = marketer.batches(campaign)
    assert batch.status is BatchStatus.DONE
    assert marketer.count(campaign) == {"sent": 7}


def test_a_repeat_that_is_refused_says_nothing_of_the_first_try(marketer):
    """WeChat took the list on, its answer was lost: "failed" would let a person send it again."""
    marketer.fault("/cgi-bin/message/mass/send", cut="reply")
    campaign = marketer.send(marketer.plan())
    marketer.fault("/cgi-bin/message/mass/send", errcode=40036)
    marketer.sim.wait(61)
    marketer.advance(campaign)

    [batch] = marketer.batches(campaign)
    assert batch.status is BatchStatus.REVIEW
    assert marketer.count(campaign) == {"unknown": 7}
    assert marketer.received()["once"] == 7


def test_one_whose_worker_died_with_its_last_batch_done_is_ended_by_the_next(marketer):
    """The full crash campaign found it: nothing was left to do for it, so nobody came by to say that it was over."""
    campaign = marketer.plan()
    marketer.send(campaign)
    until(lambda: ended(marketer, campaign))
    marketer.advance(campaign)
    with transaction() as session:
        found = marketer.find(session, campaign)
        found.status, found.finished_at = CampaignStatus.SENDING, None

    with reading() as session:
        assert campaign_control.due(session) == [campaign.id]
    assert marketer.advance(campaign).status is CampaignStatus.FINISHED
    with reading() as session:
        assert campaign_control.due(session) == []

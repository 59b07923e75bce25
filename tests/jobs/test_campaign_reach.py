"""A mass message to a tag or to all is one call, which everybody in it gets: there must never be a second."""

import pytest

from bot import clock
from bot.services import campaign_review
from bot.wechat import limits
from models import CampaignStatus
from tests.jobs.campaigner import Campaigner
from tests.jobs.test_campaigns import ended, until

pytestmark = pytest.mark.databases


@pytest.fixture
def marketer(create, sim, live) -> Campaigner:
    return Campaigner(create, sim, live, followers=6)


def test_followers_in_two_zones_get_it_once_where_quiet_hours_are_kept(marketer):
    for openid in marketer.openids[:3]:
        marketer.change(openid, timezone="Asia/Tokyo")
    campaign = marketer.send(marketer.plan(reach="all", **_not_now()))
    for _ in range(3):
        marketer.sim.wait(2)
        marketer.advance(campaign)

    until(lambda: ended(marketer, campaign))
    assert (marketer.received()["once"], marketer.received()["more"]) == (6, 0)
    assert marketer.count(campaign) == {"sent": 6}


def test_what_failed_as_a_whole_is_sent_again_as_a_whole(marketer, monkeypatch):
    marketer.fault("MASSSENDJOBFINISH", times=1, result="send fail")
    campaign = marketer.send(marketer.plan(reach="all"))
    until(lambda: ended(marketer, campaign))
    assert marketer.count(campaign) == {"failed": 6}

    monkeypatch.setattr(limits, "MASS_OPENIDS", range(2, 3))  # more than one list would hold
    monkeypatch.setattr(campaign_review, "AT_ONCE", 4)
    assert marketer.do(campaign_review.retry_failed, campaign) == 6
    for _ in range(3):
        marketer.sim.wait(2)
        marketer.advance(campaign)

    until(lambda: ended(marketer, campaign))
    assert (marketer.received()["once"], marketer.received()["more"]) == (6, 0)
    assert marketer.now(campaign).status is CampaignStatus.FINISHED
    assert marketer.count(campaign) == {"sent": 6}
    assert [batch.left for batch in marketer.batches(campaign)] == [0, 0]


def _not_now() -> dict[str, str]:
    """Quiet hours half a day away from now, in either zone."""
    hour = (clock.now().hour + 8 + 12) % 24
    return {"quiet_from": f"{hour:02}:00", "quiet_until": f"{hour:02}:30"}

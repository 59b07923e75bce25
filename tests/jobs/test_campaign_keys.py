"""Templates whose worker died: WeChat knows a repeat by its key for ten minutes, and not a second longer."""

import pytest

from bot import fault_points
from bot.jobs import campaigns as jobs
from tests import processes
from tests.jobs.campaigner import Campaigner

pytestmark = pytest.mark.databases


@pytest.fixture
def marketer(create, sim, live) -> Campaigner:
    return Campaigner(create, sim, live, followers=7)


def plan(marketer: Campaigner):
    added = marketer.sim.post(
        "templates", account=marketer.account.slug, kind="message", title="茶", content="{{a.DATA}}"
    )
    content = {"kind": "template", "template_id": added["template_id"], "values": {"a": "秋茶"}}
    return marketer.plan(content, channel="template")


@pytest.fixture
def died(marketer):
    """A template campaign whose first call was made, and its worker died before it knew."""
    campaign = plan(marketer)
    marketer.launch(campaign)
    marketer.sim.wait(31)
    processes.start(die_after_the_calls, campaign.id).join(30)
    assert marketer.count(campaign) == {"sending": 7}
    assert marketer.received()["once"] == 7
    return campaign


def die_after_the_calls(campaign_id: int) -> None:
    fault_points.arm("K11 after reply before settle")
    jobs.advance(campaign_id)


def test_in_time_it_is_told_by_the_same_key(marketer, died):
    marketer.sim.wait(61)
    marketer.advance(died)

    assert marketer.count(died) == {"sent": 7}
    assert (marketer.received()["once"], marketer.received()["more"]) == (7, 0)


@pytest.mark.parametrize("fault", [{"errcode": -1}, {"errcode": 45009}, {"status": 503}])
def test_put_off_until_the_key_is_forgotten_it_is_not_sent_again(marketer, died, fault):
    marketer.fault("/cgi-bin/message/template/send", times=0, **fault)
    marketer.sim.wait(61)
    marketer.advance(died)
    marketer.sim.http.delete(f"{marketer.sim.address}/sim/faults", timeout=10)
    marketer.sim.wait(2 * 86_400)
    marketer.advance(died)

    assert marketer.count(died) == {"unknown": 7}
    assert (marketer.received()["once"], marketer.received()["more"]) == (7, 0)


def test_a_502_may_have_been_sent_and_is_not_sent_again(marketer):
    marketer.fault("/cgi-bin/message/template/send", status=502, after=True)
    campaign = marketer.send(plan(marketer))
    marketer.sim.wait(86_400)
    marketer.advance(campaign)

    assert marketer.count(campaign) == {"sent": 6, "unknown": 1}
    assert (marketer.received()["once"], marketer.received()["more"]) == (7, 0)

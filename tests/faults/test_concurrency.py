"""What several processes do at the same moment: the cap holds, an opt-out holds, one of two who press wins."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot import clock
from bot.database import transaction
from bot.errors import Conflict
from bot.jobs import campaigns as jobs
from bot.services import campaign_control
from models import Account, Campaign, CampaignStatus, Follower
from tests.faults.breakages import SMALL, apply
from tests.faults.load import Load
from tests.faults.referee import receipts
from tests.processes import at_once
from tests.stack import until

ON_POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite has one writer at a time anyway


def advance(number: int, ids: list[int], broken: tuple[str, ...]) -> None:
    apply(replace(SMALL, turn=20), broken)
    jobs.advance(ids[number])


def send_at_once(load: Load, broken: tuple[str, ...] = ()) -> Counter[str]:
    """Three campaigns to the same followers, who may get two messages a week; how many each of them received."""
    [marketer] = load.marketers
    with transaction() as session:
        account = session.get_one(Account, marketer.account.id)
        account.cap_messages, account.cap_days = 2, 7
    launched = [load.launch(marketer, "template") for _ in range(3)]
    for each in launched:
        jobs.prepare(each.id)
    load.sim.wait(31)
    at_once(3, advance, [each.id for each in launched], broken)
    return sum((Counter(receipts(load.sim, marketer.account.slug, each.said)) for each in launched), Counter())


@pytest.mark.databases
def test_the_cap_holds_for_campaigns_that_are_sent_at_once(load):
    received = send_at_once(load)

    assert set(received.values()) == {2}
    assert len(received) == load.followers


@ON_POSTGRESQL
def test_without_the_accounts_lock_it_would_not(load):
    assert 3 in send_at_once(load, ("no account lock",)).values()


def opt_out_in_mid_broadcast(load: Load, broken: tuple[str, ...] = ()) -> list[float]:
    """Seconds from the opt-out of the last ten, while a worker sends at ten a second, to what they still received."""
    [marketer] = load.marketers
    launched = load.launch(marketer, "template", pace=10)
    jobs.prepare(launched.id)
    load.sim.wait(31)
    worker = threading.Thread(target=at_once, args=(1, advance, [launched.id], broken))
    worker.start()
    slug = marketer.account.slug
    assert until(lambda: len(receipts(load.sim, slug, launched.said)) >= 3, 20)
    last = marketer.openids[-10:]
    with transaction() as session:
        gone = update(Follower).where(Follower.openid.in_(last)).values(opted_out_at=clock.now())
        session.execute(gone)
    out_at = clock.timestamp()
    worker.join(30)
    load.sim.wait(61)
    at_once(1, advance, [launched.id], broken)
    got = [item for openid in last for item in load.sim.inbox(marketer.account, openid)]
    return [item["at"] - out_at for item in got if launched.said in item.get("text", "")]


@pytest.mark.databases
def test_an_opt_out_holds_within_a_second(load):
    late = opt_out_in_mid_broadcast(load)

    assert [each for each in late if each > 1.0] == []
    assert len(late) < 10


def test_without_a_second_look_it_would_not(load):
    assert max(opt_out_in_mid_broadcast(load, ("no second look",))) > 1.0


def press(number: int, what: str, campaign_id: int, broken: tuple[str, ...]) -> str:
    apply(SMALL, broken)
    try:
        with transaction() as session:
            campaign = session.get_one(Campaign, campaign_id)
            account = session.get_one(Account, campaign.account_id)
            values = {"who": f"person {number}"} if what in ("launch", "approve") else {}
            getattr(campaign_control, what)(session, account, campaign, **values)
    except Conflict:
        return "came too late"
    return "won"


def four_press(load: Load, what: str, broken: tuple[str, ...] = ()) -> Counter[str]:
    """Four people at once, on a campaign that waits for just that."""
    [marketer] = load.marketers
    with transaction() as session:
        session.get_one(Account, marketer.account.id).approval_above = 0 if what == "approve" else None
    campaign = marketer.plan()
    if what != "launch":
        marketer.launch(campaign)
    if what == "pause":
        load.sim.wait(31)
        with transaction() as session:
            campaign_control.begin(session, session.get_one(Campaign, campaign.id))
    return Counter(at_once(4, press, what, campaign.id, broken))


@pytest.mark.databases
@pytest.mark.parametrize("what", ["launch", "approve", "undo", "pause", "cancel"])
def test_of_four_who_press_at_once_one_wins(load, what):
    assert four_press(load, what) == {"won": 1, "came too late": 3}


@ON_POSTGRESQL
def test_without_the_condition_more_would(load):
    assert four_press(load, "approve", ("no condition",))["won"] > 1


@pytest.mark.databases
def test_a_cancel_beside_an_approval_leaves_it_cancelled(load):
    """Approved, then cancelled, or cancelled and then not approved: it is never sent."""
    [marketer] = load.marketers
    with transaction() as session:
        session.get_one(Account, marketer.account.id).approval_above = 0
    campaign = marketer.plan()
    marketer.launch(campaign)

    at_once(2, approve_or_cancel, campaign.id)
    load.sim.wait(timedelta(minutes=2).total_seconds())
    marketer.advance(campaign, turns=2)

    assert marketer.now(campaign).status is CampaignStatus.CANCELLED
    assert marketer.received()["receipts"] == 0


def approve_or_cancel(number: int, campaign_id: int) -> str:
    return press(number, ("approve", "cancel")[number], campaign_id, ())

"""Who gets which variant follows from the follower and the campaign alone: on any database, and across a crash."""

import signal
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import select

from bot.database import bucket, reading
from bot.jobs import campaigns as jobs
from models import Campaign, Delivery, Follower
from tests import processes
from tests.faults.breakages import SMALL, apply
from tests.jobs.campaigner import Campaigner

FOLLOWERS, WEIGHTS, HELD_OUT = 3_000, (50, 30, 20), 10


@pytest.fixture
def campaign(load):
    """Three variants and a group that gets nothing, for three thousand followers."""
    marketer = load.marketers[0]
    marketer.meet(FOLLOWERS - load.followers)
    says = [{"name": str(at), "weight": weight, "content": {"kind": "text", "text": f"茶{at}"}}
            for at, weight in enumerate(WEIGHTS)]  # fmt: skip
    return marketer.plan(variants=says, held_out=HELD_OUT)


def prepare(campaign_id: int, broken: tuple[str, ...]) -> None:
    apply(replace(SMALL, mass_list=100, write=500), broken)
    jobs.prepare(campaign_id)


def assigned(campaign: Campaign) -> dict[str, tuple[int, str]]:
    """openid → variant and reason, as far as the ledger goes."""
    rows = select(Follower.openid, Delivery.variant, Delivery.reason).join(
        Follower, Follower.id == Delivery.follower_id
    )
    with reading() as session:
        found = session.execute(rows.where(Delivery.campaign_id == campaign.id)).all()
    return {openid: (variant, reason) for openid, variant, reason in found}


def dealt(marketer: Campaigner, campaign: Campaign) -> dict[str, tuple[int, str]]:
    """What it must be, worked out here."""
    salt = marketer.now(campaign).salt
    held = {each: bucket(f"{salt}:held", each) < HELD_OUT * 100 for each in marketer.openids}
    place = {each: bucket(f"{salt}:variant", each) for each in marketer.openids}
    variant = {each: 0 if at < 5_000 else 1 if at < 8_000 else 2 for each, at in place.items()}
    return {each: (variant[each], "held_out" if held[each] else "") for each in marketer.openids}


def crash_and_prepare(load, campaign, monkeypatch, broken: tuple[str, ...] = ()):
    """The ledger as a worker left it that died over it, and as the next one made it."""
    [marketer] = load.marketers
    load.press_launch(marketer, campaign)
    monkeypatch.setenv("LOBBY_TEST_KILL_AT", "K1 after plan insert:20")
    dying = processes.start(prepare, campaign.id, broken)
    monkeypatch.delenv("LOBBY_TEST_KILL_AT")
    dying.join(30)
    assert dying.exitcode == -signal.SIGKILL
    half = assigned(campaign)
    load.sim.wait(61)
    processes.start(prepare, campaign.id, broken).join(30)
    return half, assigned(campaign)


@pytest.mark.databases
def test_an_assignment_is_the_same_everywhere_and_after_a_crash(load, campaign, monkeypatch):
    half, whole = crash_and_prepare(load, campaign, monkeypatch)

    assert 0 < len(half) < len(whole) == FOLLOWERS
    assert half.items() <= whole.items()
    assert whole == dealt(load.marketers[0], campaign)
    variants = Counter(variant for variant, reason in whole.values() if not reason)
    sent = variants.total()
    assert abs(sent - FOLLOWERS * 0.9) < 4.5 * (FOLLOWERS * 0.1 * 0.9) ** 0.5
    for at, weight in enumerate(WEIGHTS):
        share = weight / 100
        assert abs(variants[at] - sent * share) < 4.5 * (sent * share * (1 - share)) ** 0.5


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_dice_would_deal_again_after_a_crash(load, campaign, monkeypatch):
    half, whole = crash_and_prepare(load, campaign, monkeypatch, ("dice",))

    assert len(whole) == FOLLOWERS
    assert not half.items() <= whole.items()

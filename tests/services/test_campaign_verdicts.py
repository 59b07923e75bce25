"""Whether one variant did better: said only when it is so, with its uncertainty in words."""

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.services import campaign_results
from bot.services.campaign_results import VariantResult, lift, winner

CHINESE = json.loads((Path(__file__).parents[2] / "bot/console/locale/zh.json").read_text("utf-8"))


def result(at: int | None, hits: int, of: int, delivered: int | None = -1, converted: int | None = -1) -> VariantResult:
    name = "" if at is None else "ABCDE"[at]
    sent = 0 if at is None else of
    return VariantResult(
        variant=at,
        name=name,
        recipients=of,
        sent=sent,
        delivered=sent if delivered == -1 else delivered,
        clicked=hits,
        visitors=hits,
        replied=0,
        converted=hits if converted == -1 else converted,
    )


def said(verdict: campaign_results.Verdict) -> str:
    assert verdict.sentence in CHINESE
    CHINESE[verdict.sentence].format(**verdict.values)
    return verdict.sentence.format(**verdict.values)


@pytest.mark.parametrize(
    ("counts", "leader", "sentence"),
    [
        (
            [(520, 10_000), (450, 10_000)],
            0,
            "“A” is ahead: 5.2 % against 4.5 % of “B”. If the two were equally good, a difference this large would "
            "appear in about 2 of 100 campaigns.",
        ),
        (
            [(300, 10_000), (450, 10_000)],
            1,
            "“B” is ahead: 4.5 % against 3.0 % of “A”. If the two were equally good, a difference this large would "
            "appear in fewer than 1 of 1,000 campaigns.",
        ),
        (
            [(52, 1_000), (41, 1_000)],
            None,
            "The difference is too small to tell: 5.2 % for “A”, 4.1 % for “B”. About 5,000 more followers a variant "
            "would be needed.",
        ),
        ([(50, 1_000), (50, 1_000)], None, "“A” and “B” do equally well so far: 5.0 % each."),
        (
            [(50_000, 1_000_000), (50_050, 1_000_000)],
            None,
            "The difference is too small to tell: 5.005 % for “B”, 5.000 % for “A”. More than a million followers a "
            "variant would be needed.",
        ),
        ([(0, 100), (0, 100)], None, "Nobody has done it yet, so the variants cannot be compared."),
        ([(0, 0), (0, 0)], None, "Nobody has done it yet, so the variants cannot be compared."),
        ([(3, 100)], None, "There is only one variant, so there is nothing to compare."),
        (
            [(3, 3), (0, 3)],
            None,
            "The difference is too small to tell: 100.0 % for “A”, 0.0 % for “B”. About 10 more followers a variant "
            "would be needed.",
        ),
    ],
)
def test_a_verdict_in_plain_words(counts, leader, sentence):
    verdict = winner([result(at, *each) for at, each in enumerate(counts)] + [result(None, 0, 50)])

    assert said(verdict) == sentence
    assert verdict.leader == leader


def test_of_three_the_leader_must_beat_both():
    clear = winner([result(0, 100, 1_000), result(1, 40, 1_000), result(2, 42, 1_000)])
    close = winner([result(0, 100, 1_000), result(1, 40, 1_000), result(2, 90, 1_000)])

    assert (clear.leader, clear.values["other"]) == (0, "C")
    assert (close.leader, close.values["other"]) == (None, "C")


def test_without_a_goal_clicks_decide():
    results = [result(0, 100, 1_000, converted=None), result(1, 40, 1_000, converted=None)]

    assert winner(results).leader == 0


def test_shares_are_of_the_same_thing():
    """WeChat has not reported on one of them: both are counted of what was sent."""
    values = winner([result(0, 50, 1_000, delivered=500), result(1, 50, 1_000, delivered=None)]).values

    assert (values["share"], values["other_share"]) == ("5.0", "5.0")


@pytest.mark.parametrize(("variants", "share", "of"), [(2, 0.05, 400), (3, 0.3, 40), (5, 0.1, 80)])
def test_of_equal_variants_one_is_called_better_in_5_of_100_campaigns_at_most(variants, share, of):
    chance = random.Random(11)
    rounds = 600
    alarms = sum(
        winner([result(at, sum(chance.random() < share for _ in range(of)), of) for at in range(variants)]).leader
        is not None
        for _ in range(rounds)
    )
    assert alarms / rounds <= 0.05 + 2 * (0.05 * 0.95 / rounds) ** 0.5


def test_a_true_difference_is_found():
    """Or the test above would pass with a judge who never says anything."""
    chance = random.Random(5)
    found = sum(
        winner(
            [
                result(at, sum(chance.random() < share for _ in range(1_000)), 1_000)
                for at, share in enumerate((0.05, 0.1))
            ]
        ).leader
        == 1
        for _ in range(100)
    )
    assert found >= 90


COUNTS = st.integers(0, 3_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(st.lists(COUNTS, min_size=1, max_size=5), st.none() | COUNTS)
def test_there_is_always_a_whole_sentence(counts, held):
    results = [result(at, *each) for at, each in enumerate(counts)]
    results += [] if held is None else [result(None, *held)]

    for verdict in (winner(results), lift(results)):
        if verdict is not None:
            assert not re.search(r"[{}]|nan|inf\b", said(verdict))


@pytest.mark.parametrize(
    ("got", "held", "sentence"),
    [
        (
            (800, 10_000),
            (20, 1_000),
            "Of those who got it 8.0 % reached the goal, of those who were to get nothing 2.0 %. The campaign brings "
            "between 4.8 and 6.9 percentage points more, with 95 % certainty.",
        ),
        (
            (200, 10_000),
            (80, 1_000),
            "Of those who got it 2.0 % reached the goal, of those who were to get nothing 8.0 %. The campaign brings "
            "between 4.4 and 7.9 percentage points less, with 95 % certainty.",
        ),
        (
            (230, 10_000),
            (20, 1_000),
            "Of those who got it 2.3 % reached the goal, of those who were to get nothing 2.0 %. That may be chance: "
            "the campaign may bring as much as 0.8 percentage points less or 1.1 more.",
        ),
    ],
)
def test_what_the_campaign_brought(got, held, sentence):
    verdict = lift([result(0, got[0] // 2, got[1] // 2), result(1, got[0] // 2, got[1] // 2), result(None, *held)])

    assert verdict is not None
    assert said(verdict) == sentence


def test_without_others_or_without_a_goal_there_is_nothing_to_say():
    assert lift([result(0, 5, 10)]) is None
    assert lift([result(0, 5, 10), result(None, 0, 10, converted=None)]) is None
    assert lift([result(0, 5, 10), result(None, 0, 0)]) is None

"""The formulas against counting all that could have happened, and against experiments played out."""

import itertools
import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services import proportions


def by_counting(hits: int, of: int, other_hits: int, other_of: int) -> Fraction:
    """Fisher's test by its definition: every way to deal the hits out, in whole numbers."""
    total = hits + other_hits
    ways = {each: math.comb(of, each) * math.comb(other_of, total - each) for each in range(total + 1)}
    seen = ways[hits]
    return Fraction(sum(count for count in ways.values() if count <= seen), sum(ways.values()))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_it_is_what_counting_all_tables_gives(data):
    of, other_of = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    hits, other_hits = data.draw(st.integers(0, of)), data.draw(st.integers(0, other_of))

    p = proportions.p_value(hits, of, other_hits, other_of)

    expected = 1 if hits + other_hits in (0, of + other_of) else by_counting(hits, of, other_hits, other_of)
    assert p == pytest.approx(float(expected), rel=1e-6)
    assert p == pytest.approx(proportions.p_value(other_hits, other_of, hits, of), rel=1e-9)


def test_a_known_table():
    assert proportions.p_value(3, 4, 1, 4) == pytest.approx(34 / 70)  # the lady and her tea


@pytest.mark.parametrize(("of", "other_of", "share"), [(10, 10, 0.3), (40, 25, 0.05), (60, 60, 0.5)])
@pytest.mark.parametrize("limit", [0.01, 0.05, 0.2])
def test_false_alarms_are_no_more_than_it_says(of, other_of, share, limit):
    """Exactly: all results of two equal variants, each with its probability."""

    def chance(hits, size):
        return math.comb(size, hits) * share**hits * (1 - share) ** (size - hits)

    alarms = math.fsum(
        chance(hits, of) * chance(others, other_of)
        for hits, others in itertools.product(range(of + 1), range(other_of + 1))
        if proportions.p_value(hits, of, others, other_of) <= limit
    )
    assert alarms <= limit


@pytest.mark.parametrize("share", [0.01, 0.2, 0.6])
def test_many_are_counted_as_few_are(monkeypatch, share):
    """Where the curve takes over, it tells the same."""
    of = 40_000
    hits, others = round(of * share), round(of * (share + 0.003))
    curve = proportions._normal(hits, of, others, of)
    monkeypatch.setattr(proportions, "EXACT", 10**9)

    assert curve == pytest.approx(proportions.p_value(hits, of, others, of), rel=0.05)


def test_a_million_each_is_told_at_once():
    assert proportions.p_value(52_000, 1_000_000, 50_000, 1_000_000) < 1e-9
    assert proportions.p_value(50_000, 1_000_000, 50_000, 1_000_000) == 1.0


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_what_its_definition_says(values):
    adjusted = proportions.holm(values)

    order = sorted(values)
    for value, told in zip(values, adjusted, strict=True):
        before = [min(1.0, order[at] * (len(order) - at)) for at in range(len(order)) if order[at] <= value]
        assert told == pytest.approx(max(before))
        assert told >= value


def test_the_interval_holds_the_truth_as_often_as_it_says():
    chance = random.Random(7)
    held, rounds = 0, 1_000
    for _ in range(rounds):
        share, other = chance.uniform(0.02, 0.3), chance.uniform(0.02, 0.3)
        of, other_of = chance.randint(60, 200), chance.randint(60, 200)
        hits = sum(chance.random() < share for _ in range(of))
        others = sum(chance.random() < other for _ in range(other_of))
        low, high = proportions.interval(hits, of, others, other_of)
        held += low <= share - other <= high
    assert held / rounds == pytest.approx(0.95, abs=0.02)


@given(st.integers(0, 200), st.integers(1, 200))
def test_an_interval_lies_around_its_share(hits, of):
    hits = min(hits, of)
    low, high = proportions.interval_of(hits, of)

    assert 0 <= low <= hits / of <= high <= 1


def test_so_many_followers_do_tell_the_difference():
    of = proportions.needed(0.05, 0.04)
    chance = random.Random(3)

    def clicked(share):  # as many of so many as the bell curve says
        return round(chance.gauss(of * share, math.sqrt(of * share * (1 - share))))

    told = sum(proportions.p_value(clicked(0.05), of, clicked(0.04), of) <= 0.05 for _ in range(400))
    assert told / 400 == pytest.approx(proportions.POWER, abs=0.06)
    assert proportions.needed(0.05, 0.04, comparisons=3) > of

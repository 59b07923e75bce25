"""Whether two shares differ by more than chance: the few formulas behind a campaign's verdict.

A share is ``hits`` of ``of``: 52 of 1,000 clicked.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

EXACT = 2_000  # possible tables; beyond them the normal curve differs in the fourth digit only
CHANCE = 0.05  # a verdict may be wrong in so many of equal experiments
POWER = 0.8  # and finds a true difference in so many
Z = NormalDist().inv_cdf(1 - CHANCE / 2)


def p_value(hits: int, of: int, other_hits: int, other_of: int) -> float:
    """How often a difference as large as this would come about, were the two equally good; never said too small."""
    total, everyone = hits + other_hits, of + other_of
    if 0 in (of, other_of, total) or total == everyone:
        return 1.0
    lowest, highest = max(0, total - other_of), min(total, of)
    if highest - lowest > EXACT:
        return _normal(hits, of, other_hits, other_of)
    weights = [_log_ways(of, each) + _log_ways(other_of, total - each) for each in range(lowest, highest + 1)]
    most = max(weights)
    limit = weights[hits - lowest] + 1e-7  # as likely as what was seen, or less
    chances = [math.exp(weight - most) for weight in weights]
    unlikely = (chance for chance, weight in zip(chances, weights, strict=True) if weight <= limit)
    return min(1.0, math.fsum(unlikely) / math.fsum(chances))


def holm(values: Sequence[float]) -> list[float]:
    """The same p-values for several comparisons at once: one false alarm among all is no likelier than for one."""
    adjusted, least = [0.0] * len(values), 0.0
    for done, at in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        least = max(least, min(1.0, values[at] * (len(values) - done)))
        adjusted[at] = least
    return adjusted


def interval(hits: int, of: int, other_hits: int, other_of: int) -> tuple[float, float]:
    """Where the difference of the two shares lies in 95 of 100 cases (Newcombe 1998, method 10)."""
    share, other = hits / of, other_hits / other_of
    low, high = _wilson(share, of)
    other_low, other_high = _wilson(other, other_of)
    difference = share - other
    return (
        difference - math.hypot(share - low, other_high - other),
        difference + math.hypot(high - share, other - other_low),
    )


def interval_of(hits: int, of: int) -> tuple[float, float]:
    """Where the true share lies in 95 of 100 cases (Wilson)."""
    return _wilson(hits / of, of) if of else (0.0, 1.0)


def needed(share: float, other: float, comparisons: int = 1) -> int:
    """Followers in each of the two, to tell so large a difference from chance among so many comparisons."""
    z = NormalDist().inv_cdf(1 - CHANCE / 2 / comparisons) + NormalDist().inv_cdf(POWER)
    return math.ceil(z**2 * (share * (1 - share) + other * (1 - other)) / (share - other) ** 2)


def _log_ways(of: int, chosen: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)


def _normal(hits: int, of: int, other_hits: int, other_of: int) -> float:
    """The usual test, half a follower stricter, as the exact one is."""
    pooled = (hits + other_hits) / (of + other_of)
    each = 1 / of + 1 / other_of
    distance = max(0.0, abs(hits / of - other_hits / other_of) - each / 2)
    return math.erfc(distance / math.sqrt(2 * pooled * (1 - pooled) * each))


def _wilson(share: float, of: int) -> tuple[float, float]:
    middle = (share + Z**2 / (2 * of)) / (1 + Z**2 / of)
    half = Z / (1 + Z**2 / of) * math.sqrt(share * (1 - share) / of + Z**2 / (4 * of**2))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))

"""What leads from one list of rules to another, and how a part of it is taken over; lists are data (matching.Item)."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from bot.services.matching import FIELDS, Item


@dataclass(frozen=True, slots=True)
class Added:
    item: Item
    place: int  # in the new list, from 0


@dataclass(frozen=True, slots=True)
class Changed:
    before: Item
    after: Item
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    item: Item  # as it is now
    was: int
    place: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What leads from one list of rules to another."""

    added: tuple[Added, ...]
    removed: tuple[Item, ...]
    changed: tuple[Changed, ...]
    moved: tuple[Moved, ...]

    @property
    def ids(self) -> set[int]:
        return {
            each["id"]
            for each in (
                *(one.item for one in self.added),
                *self.removed,
                *(one.after for one in self.changed),
                *(one.item for one in self.moved),
            )
        }

    @property
    def size(self) -> int:
        """How many rules it touches."""
        return len(self.ids)


def compare(old: list[Item], new: list[Item], loose: Collection[int] = ()) -> Difference:
    """What differs; of two that changed places, the one in ``loose`` counts as moved."""
    before = {item["id"]: (place, item) for place, item in enumerate(old)}
    after = {item["id"] for item in new}
    kept = _kept([*before], [item["id"] for item in new], loose)
    added, changed, moved = [], [], []
    for place, item in enumerate(new):
        if item["id"] not in before:
            added.append(Added(item, place))
            continue
        was, earlier = before[item["id"]]
        # Most are the same: one comparison of the whole tells so ten times faster than one of each field.
        if earlier != item and (fields := tuple(name for name in FIELDS if earlier.get(name) != item.get(name))):
            changed.append(Changed(earlier, item, fields))
        if item["id"] not in kept:
            moved.append(Moved(item, was, place))
    removed = tuple(item for item in old if item["id"] not in after)
    return Difference(tuple(added), removed, tuple(changed), tuple(moved))


def apply(difference: Difference, old: list[Item]) -> list[Item]:
    """The list that a difference leads to."""
    gone = {item["id"] for item in difference.removed} | {one.item["id"] for one in difference.moved}
    changed = {one.after["id"]: one.after for one in difference.changed}
    result = [changed.get(item["id"], item) for item in old if item["id"] not in gone]
    coming = [(one.place, one.item) for one in difference.added] + [(one.place, one.item) for one in difference.moved]
    for place, item in sorted(coming, key=lambda each: each[0]):
        result.insert(place, item)
    return result


def merge(live: list[Item], draft: list[Item], only: Collection[int]) -> list[Item]:
    """The live list with the draft's changes to some rules, and nothing else of the draft.

    A rule that is new or was moved comes after the rule it follows in the draft.
    """
    wanted = {item["id"]: item for item in draft}
    kept = _kept([item["id"] for item in live], [*wanted], only)
    result = [
        wanted[item["id"]] if item["id"] in only else item
        for item in live
        if item["id"] not in only or item["id"] in kept
    ]
    standing = {item["id"] for item in result}
    after: defaultdict[int | None, list[Item]] = defaultdict(list)
    last = None
    for item in draft:
        if item["id"] in standing:
            last = item["id"]
        elif item["id"] in only:
            after[last].append(item)
    return [*after[None], *(each for item in result for each in (item, *after.get(item["id"], ())))]


def _kept(old: list[int], new: list[int], loose: Collection[int]) -> set[int]:
    """The ids of both lists that need not be moved: the longest run in the same order, with few loose ones in it."""
    places = {rule_id: place for place, rule_id in enumerate(old)}
    common = [rule_id for rule_id in new if rule_id in places]
    ordered = sorted(common, key=places.__getitem__)
    start, end = 0, len(common)
    while start < end and common[start] == ordered[start]:
        start += 1
    while start < end and common[end - 1] == ordered[end - 1]:
        end -= 1
    kept = {*common[:start], *common[end:]}
    # The heaviest increasing subsequence of the middle, by a Fenwick tree of the best ends so far.
    rank = {rule_id: at for at, rule_id in enumerate(ordered[start:end], start=1)}
    count = end - start
    tree: list[tuple[int, int]] = [(0, 0)] * (count + 1)  # (weight, id at its end)
    previous: dict[int, int] = {}
    for rule_id in common[start:end]:
        best, at = (0, 0), rank[rule_id] - 1
        while at:
            best, at = max(best, tree[at]), at & (at - 1)
        previous[rule_id] = best[1]
        reached = (best[0] + count + (rule_id not in loose), rule_id)
        at = rank[rule_id]
        while at <= count:
            tree[at], at = max(tree[at], reached), at + (at & -at)
    best, at = (0, 0), count
    while at:
        best, at = max(best, tree[at]), at & (at - 1)
    last = best[1]
    while last:
        kept.add(last)
        last = previous[last]
    return kept

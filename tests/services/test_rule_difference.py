"""Differences, partial publishing and the order that survives both, against the simplest oracles."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services.rule_difference import apply, compare, merge

Item = dict[str, Any]


def item(number: int, title: str) -> Item:
    return {"id": number, "title": title}


titles = st.sampled_from(["a", "b", "c"])
lists = st.lists(st.tuples(st.integers(1, 9), titles), max_size=9, unique_by=lambda each: each[0]).map(
    lambda pairs: [item(*pair) for pair in pairs]
)


def ids(items: list[Item]) -> list[int]:
    return [each["id"] for each in items]


def longest_run(old: list[int], new: list[int]) -> int:
    """By dynamic programming over both lists: the longest common subsequence."""
    row = [0] * (len(old) + 1)
    for each in new:
        fresh = [0]
        for at, other in enumerate(old):
            fresh.append(row[at] + 1 if each == other else max(row[at + 1], fresh[at]))
        row = fresh
    return row[-1]


@settings(max_examples=600, deadline=None)
@given(lists, lists, st.sets(st.integers(1, 9)))
def test_a_difference_leads_from_the_old_to_the_new(old, new, loose):
    found = compare(old, new, loose)

    assert apply(found, old) == new
    assert {each.item["id"] for each in found.added} == set(ids(new)) - set(ids(old))
    assert {each["id"] for each in found.removed} == set(ids(old)) - set(ids(new))
    common = set(ids(old)) & set(ids(new))
    assert len(common) - len(found.moved) == longest_run(ids(old), ids(new))  # no more moves than it takes
    was = {each["id"]: each for each in old}
    assert {each.after["id"] for each in found.changed} == {
        e["id"] for e in new if e["id"] in common and was[e["id"]] != e
    }


@settings(max_examples=600, deadline=None)
@given(lists, lists, st.sets(st.integers(1, 9)))
def test_publishing_some_changes_leaves_all_others(live, draft, only):
    result = merge(live, draft, only)

    wanted, was = {each["id"]: each for each in draft}, {each["id"]: each for each in live}
    assert len(set(ids(result))) == len(result)
    for number in range(1, 10):
        got = next((each for each in result if each["id"] == number), None)
        assert got == (wanted if number in only else was).get(number)
    untouched = [each for each in live if each["id"] not in only]
    assert [each for each in result if each["id"] not in only] == untouched


@settings(max_examples=300, deadline=None)
@given(lists, lists)
def test_publishing_each_change_is_publishing_all(live, draft):
    assert merge(live, draft, compare(live, draft).ids) == draft
    assert merge(live, draft, set(range(1, 10))) == draft
    assert merge(live, draft, set()) == live


@settings(max_examples=300, deadline=None)
@given(st.permutations(range(1, 8)), st.integers(0, 6), st.integers(0, 6))
def test_one_rule_that_is_moved_is_the_one_that_moved(order, at, to):
    old = [item(number, "a") for number in order]
    new = list(old)
    rule = new.pop(at)
    new.insert(to, rule)

    assert merge(old, new, {rule["id"]}) == new
    assert [each.item["id"] for each in compare(old, new, {rule["id"]}).moved] == ([] if at == to else [rule["id"]])

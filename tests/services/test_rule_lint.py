"""What lint claims, against the rules themselves: “never” is never wrong."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services import matching, rule_lint
from bot.services.folding import fold
from bot.services.matching import CompiledRule
from bot.services.rule_lint import Finding
from models import MatchMode, Trigger
from tests.services.test_matching import PATTERNS, WORDS

TODAY = date(2027, 2, 2)


def rule(number: int, *keywords: tuple[str, str], **values: Any) -> CompiledRule:
    made = {
        "title": f"rule {number}",
        "trigger": Trigger.KEYWORD,
        "keywords": tuple((MatchMode(mode), text) for mode, text in keywords),
        "replies": ({"kind": "text", "text": "yes"},),
        "is_random": False,
        **values,
    }
    return CompiledRule(id=number, **made)


def check(*rules: CompiledRule) -> list[Finding]:
    return rule_lint.check(rules, TODAY, {1})


def kinds(*rules: CompiledRule) -> list[tuple[int, str]]:
    return [(found.rule_id, found.kind) for found in check(*rules)]


words = st.sampled_from([word for word in WORDS if fold(word)]) | st.text(min_size=1, max_size=3).filter(fold)
keyword = st.one_of(
    st.tuples(st.sampled_from(["exact", "contains"]), words), st.tuples(st.just("regex"), st.sampled_from(PATTERNS))
)
rule_lists = st.lists(
    st.tuples(
        st.lists(keyword, min_size=1, max_size=3), st.sampled_from([{}, {}, {}, {"tag_id": 1}, {"is_enabled": False}])
    ),
    min_size=2,
    max_size=6,
).map(lambda made: [rule(number, *words, **more) for number, (words, more) in enumerate(made, start=1)])
around = st.sampled_from(["", "", "a", "价", " ", "1", "。", "é", "s"])


@settings(max_examples=400, deadline=None)
@given(made=rule_lists, data=st.data())
def test_what_is_called_shadowed_never_answers(made, data):
    """For any text that such a keyword matches, an earlier rule answers whoever writes, whenever."""
    texts = [text for each in made for _mode, text in each.keywords]
    texts += [data.draw(around) + data.draw(st.sampled_from(texts)) + data.draw(around) for _ in range(12)]
    by_id = {each.id: each for each in made}
    for found in rule_lint.check(made, TODAY, {1}):
        if found.kind not in ("shadowed", "dead"):
            continue
        later = by_id[found.rule_id]
        claimed = later.keywords if found.keyword is None else [later.keywords[found.keyword]]
        for text in texts:
            folded = fold(text)
            if not any(matching.matches(mode, word, folded) for mode, word in claimed):
                continue
            assert any(
                earlier.is_enabled
                and not earlier.is_conditional
                and any(matching.matches(mode, word, folded) for mode, word in earlier.keywords)
                for earlier in made[: made.index(later)]
            ), (text, found)


@settings(max_examples=300, deadline=None)
@given(rule_lists)
def test_every_word_that_an_earlier_rule_holds_too_is_told(made):
    """The plainest oracle of duplicates: the same mode and the same folded text, before this one, switched on."""
    told = {(found.rule_id, found.keyword) for found in check(*made) if found.kind in ("duplicate", "shadowed")}
    dead = {found.rule_id for found in check(*made) if found.kind == "dead"}
    seen: set[tuple[MatchMode, str]] = set()
    for each in made:
        if not each.is_enabled:
            continue
        for at, (mode, text) in enumerate(each.keywords):
            same = (mode, text if mode is MatchMode.REGEX else fold(text))
            if same in seen:
                assert (each.id, at) in told or each.id in dead
            seen.add(same)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("exact", "价格"), ("exact", "價格")),
        (("contains", "price"), ("exact", "The ＰＲＩＣＥ")),
        (("regex", r"^\d+$"), ("exact", "42")),
        (("contains", "价"), ("contains", "价格")),
        (("regex", "a+b"), ("regex", "a+b")),
    ],
)
def test_a_rule_behind_a_wider_one_is_dead(first, second):
    assert (2, "dead") in kinds(rule(1, first), rule(2, second))
    assert (2, "dead") not in kinds(rule(1, first, tag_id=1), rule(2, second))
    assert (2, "dead") not in kinds(rule(1, first, is_enabled=False), rule(2, second))
    assert (2, "dead") not in kinds(rule(1, second), rule(2, first)) or first[0] == second[0] != "contains"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("exact", "价"), ("contains", "价")),
        (("contains", "价格"), ("contains", "价")),
        (("regex", "^价"), ("contains", "价")),
        (("exact", "a"), ("regex", "a")),
    ],
)
def test_a_rule_that_gets_its_turn_is_not(first, second):
    assert "dead" not in dict(kinds(rule(1, first), rule(2, second))).values()


def test_some_words_of_a_rule_may_be_shadowed():
    [found] = [
        each
        for each in check(rule(1, ("contains", "茶")), rule(2, ("exact", "绿茶"), ("exact", "咖啡")))
        if each.keyword == 0
    ]

    assert (found.kind, found.other_id, found.level) == ("shadowed", 1, "warn")
    assert found.sentence() == "“绿茶” never counts here: “rule 1” above answers whatever it fits."


def test_same_words_behind_a_condition_are_named_as_written():
    found = check(rule(1, ("exact", "價格"), tag_id=1), rule(2, ("exact", "价格")))

    assert [each.kind for each in found] == ["duplicate", "overlapping"]
    assert "“价格” counts as the same as “價格” in “rule 1”" in found[0].sentence()


def test_overlaps_are_notes():
    found = check(rule(1, ("exact", "茶叶价格")), rule(2, ("contains", "价格")))

    assert [(each.rule_id, each.kind, each.level, each.other_id) for each in found] == [(2, "overlapping", "note", 1)]


@pytest.mark.parametrize("trigger", [Trigger.FOLLOW, Trigger.DEFAULT])
def test_a_second_welcome_is_dead(trigger):
    assert kinds(rule(1, trigger=trigger), rule(2, trigger=trigger)) == [(2, "dead")]
    assert kinds(rule(1, trigger=trigger, tag_id=1), rule(2, trigger=trigger)) == []


def test_menu_keys_are_compared_as_they_are():
    assert kinds(rule(1, ("exact", "A"), trigger=Trigger.CLICK), rule(2, ("exact", "a"), trigger=Trigger.CLICK)) == []
    assert kinds(rule(1, ("exact", "A"), trigger=Trigger.CLICK), rule(2, ("exact", "A"), trigger=Trigger.SCAN)) == []
    assert kinds(rule(1, ("exact", "A"), trigger=Trigger.CLICK), rule(2, ("exact", "A"), trigger=Trigger.CLICK)) == [
        (2, "dead")
    ]


def test_the_last_day_and_a_lost_tag():
    from datetime import time

    night = (time(22), time(6))
    assert kinds(rule(1, ("exact", "a"), ends_on=date(2027, 2, 1))) == [(1, "dead")]
    assert kinds(rule(1, ("exact", "a"), ends_on=date(2027, 2, 2))) == []
    assert kinds(rule(1, ("exact", "a"), ends_on=date(2027, 2, 1), hours=night)) == []  # until six this morning
    assert kinds(rule(1, ("exact", "a"), tag_id=2)) == [(1, "dead")]


def test_replies_that_wechat_cuts():
    article = {"title": "t", "url": "https://a"}
    found = check(
        rule(1, ("exact", "aa"), replies=({"kind": "text", "text": "字" * 1500},)),
        rule(2, ("exact", "bb"), replies=({"kind": "news", "articles": [article, article]},)),
        rule(3, trigger=Trigger.FOLLOW, replies=({"kind": "news", "articles": [article, article]},)),
        rule(4, ("exact", "cc"), replies=({"kind": "text", "text": "字" * 4000},) * 2),
    )

    assert [(each.rule_id, each.kind) for each in found] == [
        (1, "long"),
        (2, "articles"),
        (4, "long"),
        (4, "long"),
        (4, "long"),
    ]
    assert found[0].sentence() == "A text is over 2048 bytes: it arrives as 3 messages."


@pytest.mark.parametrize(
    ("mode", "text"), [("regex", "."), ("regex", r"\S+"), ("regex", "[^x]"), ("contains", "的"), ("contains", "a")]
)
def test_what_fits_nearly_everything_is_named(mode, text):
    assert (1, "broad") in kinds(rule(1, (mode, text)))


def test_ten_thousand_rules_take_no_square_of_it():
    import time

    made = [rule(n, (("exact", "contains")[n % 2], f"词{n}号")) for n in range(1, 10_001)]
    made += [rule(10_001, ("contains", "词")), rule(10_002, ("regex", "号$"))]
    began = time.process_time()
    found = check(*made)

    assert time.process_time() - began < 10  # each with each would take minutes
    assert {each.rule_id for each in found if each.kind == "overlapping"} >= {10_001}

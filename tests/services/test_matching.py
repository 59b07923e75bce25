"""The compiled rules against one rule after the other, and patterns that are heavy together."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.database import database, reading
from bot.errors import Refused
from bot.services import matching, rule_books, rule_trial, rule_versions, rules
from bot.services.folding import fold
from bot.services.matching import CompiledRule, RuleBook
from bot.services.rules import RuleDraft
from models import Follower, FollowerTag, MatchMode, Rule, Trigger

WORDS = [
    "价格",
    "價格",
    "price",
    "PRICE",
    "ＰＲＩＣＥ",
    "多少钱",
    "多少錢",
    "a",
    "aa",
    "ab",
    "c++",
    "😀",
    "👩‍👩‍👧",
    "ß",
    "ss",
    "é",
]
WORDS += ["e\u0301", "①", "1", "ﬁ", "fi", "k", "\u212a", "İ", "。", "\u3000x", "\x02", "]]>", "%", "(", "\n"]
PATTERNS = [
    "^a+b?$",
    "价格|价钱",
    "多少[钱錢]",
    r"\bprice\b",
    "[0-9]{1,3}",
    "^.{2}$",
    "(a+)+$",
    "c\\+\\+",
    "😀",
    "[价價]",
    "é",
    "ß$",
]

texts = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=4).map("".join)
words = st.sampled_from(WORDS) | st.text(min_size=1, max_size=3)
keywords = st.one_of(
    st.tuples(st.sampled_from(["exact", "contains"]), words), st.tuples(st.just("regex"), st.sampled_from(PATTERNS))
)
hours = st.sampled_from([("", ""), ("09:00", "17:00"), ("22:00", "06:00"), ("00:00", "12:00"), ("12:00", "00:00")])
days = st.sampled_from([None, "2027-01-31", "2027-02-01", "2027-02-02"])
drafts = st.fixed_dictionaries(
    {
        "keywords": st.lists(keywords, min_size=1, max_size=3),
        "hours": hours,
        "starts_on": days,
        "ends_on": days,
        "tagged": st.booleans(),
        "on": st.sampled_from([True, True, True, False]),
    }
)
moments = st.datetimes(datetime(2027, 1, 31), datetime(2027, 2, 3)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@pytest.fixture
def arranged(create, session) -> Any:
    """Rules as drafted in an account; how each text is answered by the book, and why."""
    account, tag = create.account(), None
    from bot.services import tags

    tag = tags.find_or_add(session, account, "VIP")
    session.commit()
    people = [create.follower(account), create.follower(account)]
    session.add(FollowerTag(follower_id=people[1].id, tag_id=tag.id))
    session.commit()

    def arranged(made: list[dict[str, Any]]) -> tuple[Any, list[Follower]]:
        rules.forget()
        for rule in session.scalars(select(Rule)):
            session.delete(rule)
        for one in made:
            values = {
                "keywords": [{"mode": mode, "text": text} for mode, text in one["keywords"]],
                "replies": [{"kind": "text", "text": "yes"}],
                "is_enabled": one["on"],
                "starts_on": one["starts_on"],
                "ends_on": one["ends_on"],
                "time_from": one["hours"][0],
                "time_to": one["hours"][1],
                "tag_id": tag.id if one["tagged"] else None,
            }
            with suppress(Refused):  # an empty keyword, a last day before the first: the form says so
                rules.save(session, account, RuleDraft.model_validate(values), live=False)
        with suppress(Refused):  # the same rules as before
            rule_versions.publish(session, account, None, "next")
        session.commit()
        return account, people

    return arranged


def one_after_the_other(session, account, text, follower, at) -> list[tuple[int, bool, str]]:
    """What the box ought to say of each rule, found without the automata."""
    local = at.astimezone(ZoneInfo(account.timezone))
    told: list[tuple[int, bool, str]] = []
    for rule in map(matching.compiled, rule_versions.draft_of(session, account)):
        if not rule.is_enabled:
            why = "It is switched off."
        elif not any(matching.matches(mode, word, fold(text[: matching.TEXT_LIMIT])) for mode, word in rule.keywords):
            why = "None of its keywords match."
        elif wrong := rule.wrong_time(local):
            why = wrong
        elif rule.tag_id and rule.tag_id not in {tag.id for tag in follower.tags}:
            why = "The follower does not have its tag."
        else:
            why = "An earlier rule answers first." if any(fired for _id, fired, _why in told) else "It answers."
        told.append((rule.id, why == "It answers.", why))
    return told


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(drafts, max_size=6), said=st.lists(texts, min_size=1, max_size=6), at=moments)
def test_the_book_answers_as_one_rule_after_the_other_would(arranged, made, said, at):
    account, people = arranged(made)
    with reading() as session, database().read.connect() as connection:
        built = rule_books.exact(connection, account.id, session.get_one(type(account), account.id).rules_version)
        for text in said:
            for person in people:
                follower = session.get_one(Follower, person.id)
                told = rule_trial.explain(session, account, text, follower=follower, at=at)
                steps = [(step.rule.id, step.fired, step.why) for step in told.steps]
                assert steps == one_after_the_other(session, account, text, follower, at)
                passed_over: dict[int, str] = {}
                first = rules.first_to_answer(
                    connection,
                    built.for_text(text),
                    person.id,
                    account.timezone,
                    at,
                    lambda rule, why, seen=passed_over: seen.update({rule.id: why}),
                )
                assert (first.id if first else None) == (told.rule.id if told.rule else None), (text, told.steps)
                said_why = {step.rule.id: step.why for step in told.steps}
                assert all(said_why[rule_id] == why for rule_id, why in passed_over.items())


@settings(max_examples=300, deadline=None)
@given(st.text() | texts)
def test_folding_twice_changes_what_folding_once_did_not_only_at_the_ends(text):
    assert fold(fold(text)) == fold(text)
    assert fold(text.upper()) == fold(text.upper().lower()) or not text.isascii()


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=6), texts)
def test_a_literal_pattern_finds_what_the_word_in_it_would(word, text):
    import re

    folded = fold(f"{text}<{word}>{text}")
    literal = "".join(re.escape(char) if char.isascii() else char for char in word)
    if fold(word) and "".join(map(fold, word)) == fold(word):  # no characters that compose, no spaces at the ends
        assert matching.compile_pattern(literal).search(folded) is not None


def rule(number: int, pattern: str, mode: MatchMode = MatchMode.REGEX) -> CompiledRule:
    return CompiledRule(number, "", Trigger.KEYWORD, ((mode, pattern),), (), False)


def test_patterns_too_large_for_one_set_take_nobody_along():
    """Each is accepted by itself; together they fit no RE2 set."""
    heavy = [rule(number, rf"[一-鿿]{{1,100}}x{number}y") for number in range(1200)]
    light = [rule(5000, "^订单"), rule(5001, "hello", MatchMode.CONTAINS)]

    book = RuleBook(1, [*heavy, *light])

    assert [found.id for found in book.for_text("订单")] == [5000]
    assert [found.id for found in book.for_text("say hello")] == [5001]
    assert [found.id for found in book.for_text("中x7y 中x1199y")] == [7, 1199]


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*a){20}", r"^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y"])
def test_no_pattern_takes_more_than_linear_time(pattern):
    book = RuleBook(1, [rule(1, pattern)])
    began = time.process_time()

    book.for_text("a" * 4000 + "!")
    book.for_text("x" * 4000)

    assert time.process_time() - began < 0.5  # a backtracking engine needs longer than the universe is old


def test_overlapping_and_nested_words_are_all_found():
    book = RuleBook(
        1, [rule(at, word, MatchMode.CONTAINS) for at, word in enumerate(["他", "他们", "们好", "他们好", "好他"])]
    )

    assert [found.id for found in book.for_text("他们好他")] == [0, 1, 2, 3, 4]

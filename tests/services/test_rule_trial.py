"""Trying: the box above the table answers as the webhook does, and the answer difference as both versions do."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from bot import clock
from bot.services import rule_trial, rule_versions, rules, tags
from bot.services.rules import RuleDraft
from models import Follower, FollowerTag, InboundMessage, Trigger
from tests.flows.phone import Phone, set_clock
from tests.services.test_matching import PATTERNS, WORDS

HOURS = [("", ""), ("", ""), ("09:00", "17:00"), ("22:00", "06:00")]
DAYS = [None, None, None, "2027-02-01", "2027-02-02"]


@pytest.fixture
def account(create):
    return create.account()


def some_rules(session, account, dice: random.Random, tag_id: int, count: int = 25, live: bool = True) -> None:
    for number in range(count):
        trigger = dice.choice(["keyword"] * 8 + ["default"])
        words = [
            ("regex", dice.choice(PATTERNS))
            if dice.random() < 0.2
            else (dice.choice(["exact", "contains"]), dice.choice(WORDS).strip() or "a")
            for _ in range(dice.randint(1, 3))
        ]
        starts, ends = dice.choice(DAYS), dice.choice(DAYS)
        since, until = dice.choice(HOURS)
        values = {
            "trigger": trigger,
            "keywords": [{"mode": mode, "text": text} for mode, text in words if text != "\x02"] or [{"text": "b"}],
            "replies": [{"kind": "text", "text": f"rule {number}"}],
            "is_enabled": dice.random() < 0.85,
            "starts_on": starts,
            "ends_on": ends if not (starts and ends) or ends >= starts else None,
            "time_from": since,
            "time_to": until,
            "tag_id": tag_id if dice.random() < 0.2 else None,
        }
        rules.save(session, account, RuleDraft.model_validate(values), live=live)


def some_text(dice: random.Random) -> str:
    return "".join(dice.choice([*WORDS, "人工", "订单", "xyz"]) for _ in range(dice.randint(1, 3)))


def compare(create, session, client, account, messages: int) -> int:
    """Done means 2: what the box says is what the phone gets, for any text, follower and time."""
    dice = random.Random(messages)
    tag = tags.add(session, account, "VIP")
    some_rules(session, account, dice, tag.id)
    people = [create.follower(account), create.follower(account)]
    session.add(FollowerTag(follower_id=people[1].id, tag_id=tag.id))
    session.commit()
    phones = [Phone(account, client, openid=person.openid) for person in people]
    answered = 0
    for number in range(messages):
        if number % 20 == 0:  # a time of its own for each twenty
            set_clock(f"2027-02-{dice.choice(['01', '02', '03'])} {dice.randint(0, 23):02}:{dice.randint(0, 59):02}")
        if number % 500 == 499:  # other rules
            for rule in rules.list_all(session, account):
                rules.delete(session, account, rule, live=False)
            some_rules(session, account, dice, tag.id, live=False)
            rule_versions.publish(session, account, None, f"{number}")
            session.commit()
        which, text = dice.randrange(2), some_text(dice)
        follower = session.get_one(Follower, people[which].id)
        told = rule_trial.attempt(session, account, text, follower=follower, at=clock.now(), live=True)
        session.commit()
        if told.asks_for_person:
            continue
        expected = told.rule.replies[0]["text"] if told.rule else ""
        assert phones[which].say(text) == expected, (text, clock.now(), which)
        answered += bool(expected)
    return answered


def test_the_box_answers_as_the_webhook(create, session, client, redis, account):
    assert compare(create, session, client, account, 300) > 100


@pytest.mark.campaign
@pytest.mark.timeout(1800)
def test_the_box_answers_as_the_webhook_ten_thousand_times(create, session, client, redis, account):
    assert compare(create, session, client, account, 10_000) > 3000


def test_the_box_knows_each_change_of_the_draft_and_of_what_is_live(create, session, account):
    rule = create.rule(account, "price", "one")
    create.rule(account, "price list", "two")

    def told(live: bool) -> list[str]:
        session.commit()
        return [step.why for step in rule_trial.explain(session, account, "price", live=live).steps]

    before = ["It answers.", "None of its keywords match."]
    assert told(live=True) == told(live=False) == before

    rules.set_enabled(session, account, rule, False, live=False)
    assert told(live=False) == ["It is switched off.", "None of its keywords match."]
    assert told(live=True) == before
    rule_versions.publish(session, account, None, "off")
    assert told(live=True) == ["It is switched off.", "None of its keywords match."]
    rules.move(session, account, rule, 2, live=False)
    assert told(live=False) == ["None of its keywords match.", "It is switched off."]


def test_a_rule_with_a_key_twice_answers_once(create, session, account):
    create.rule(account, "menu-1", "one", trigger=Trigger.CLICK, keywords=[{"text": "menu-1"}, {"text": "menu-1"}])
    session.commit()

    told = rule_trial.attempt(session, account, "menu-1", trigger=Trigger.CLICK)

    assert [step.why for step in told.explanation.steps] == ["It answers."]
    assert told.rule is told.explanation.rule is not None


def test_the_box_knows_the_words_about_campaigns(create, session, client, redis, account):
    create.rule(account, "订阅", "rule")
    create.rule(account, "退订", "never")
    follower = create.follower(account)
    phone = Phone(account, client, openid=follower.openid)
    out, back = account.opt_out_reply, account.opt_in_reply
    for text, opts, said in (("订阅", "", "rule"), ("退訂", "out", out), ("订阅", "in", back), ("订阅", "", "rule")):
        session.refresh(follower)
        told = rule_trial.attempt(session, account, text, follower=follower, live=True)
        session.commit()
        assert (told.opts, told.rule is None) == (opts, bool(opts))
        assert phone.say(text) == said
    assert rule_trial.compare_answers(session, account).count == 3
    assert rule_trial.unanswered(session, account) == []


def heard(session, account, follower, text: str, at: datetime, number: int, **values) -> None:
    session.add(
        InboundMessage(
            account_id=account.id,
            openid=follower.openid,
            dedup_key=str(number),
            follower_id=follower.id,
            kind="text",
            text=text,
            received_at=at,
            **values,
        )
    )


@pytest.mark.databases
def test_the_answer_difference_is_what_both_would_say(create, session, account):
    dice = random.Random(5)
    tag = tags.add(session, account, "VIP")
    some_rules(session, account, dice, tag.id)
    people = [create.follower(account), create.follower(account)]
    session.add(FollowerTag(follower_id=people[1].id, tag_id=tag.id))
    begin = datetime(2027, 2, 1, tzinfo=UTC)
    for number in range(200):
        heard(session, account, dice.choice(people), some_text(dice), begin + timedelta(minutes=13 * number), number)
    for rule in rules.list_all(session, account)[::3]:
        rules.set_enabled(session, account, rule, not rule.is_enabled, live=False)
    session.commit()

    found = rule_trial.compare_answers(session, account)

    expected, looked_at = set(), 0
    for message in session.query(InboundMessage):
        before, after = (
            rule_trial.attempt(
                session, account, message.text, follower=message.follower, at=message.received_at, live=live
            )
            for live in (True, False)
        )
        looked_at += not before.asks_for_person
        if (before.rule and before.rule.replies) != (after.rule and after.rule.replies):
            expected.add(message.id)
    assert {one.message_id for one in found.differing} == expected
    assert expected
    assert found.count == looked_at


def test_the_same_words_of_another_rule_are_no_difference(create, session, account):
    rule = create.rule(account, "a", "yes")
    heard(session, account, create.follower(account), "a", clock.now(), 1)
    copy = RuleDraft.model_validate({"keywords": [{"text": "a"}], "replies": [{"kind": "text", "text": "yes"}]})
    rules.save(session, account, copy, live=False)
    rules.delete(session, account, rule, live=False)

    assert rule_trial.compare_answers(session, account).differing == []
    assert rule_trial.compare_answers(session, account).count == 1


def test_unanswered_questions_are_gathered(create, session, account):
    person, now = create.follower(account), clock.now()
    default = create.rule(account, reply="?", trigger=Trigger.DEFAULT)
    known = create.rule(account, "hello", "hi")
    said = [("停车", None), ("停車 ", default.id), ("wifi", None), ("hello", known.id), ("　", None)]
    for number, (text, rule_id) in enumerate(said):
        heard(session, account, person, text, now - timedelta(hours=number), number, rule_id=rule_id)
    heard(session, account, person, "old", now - timedelta(days=31), 90)
    heard(session, account, person, "人工", now, 91, trace=[{"handler": "customer_service", "why": "x"}])
    session.commit()

    groups = rule_trial.unanswered(session, account)

    assert [(group.text, group.count) for group in groups] == [("停车", 2), ("wifi", 1)]
    assert groups[0].last_at == now

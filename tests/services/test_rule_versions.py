"""Draft, publishing and the way back, seen from the phone; two people at one rule."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.services import rule_versions, rules, tags
from bot.services.rules import RuleDraft
from models import Rule, RuleVersion
from tests.flows.phone import Phone, by_http
from tests.processes import web_processes


@pytest.fixture
def account(create):
    return create.account()


class CommittingPhone(Phone):
    """Lets go of SQLite's write lock before the application needs it."""

    session = None

    def push(self, **fields):
        self.session.commit()
        return super().push(**fields)


@pytest.fixture
def phone(account, client, redis, session) -> Phone:
    phone = CommittingPhone(account, client)
    phone.session = session
    return phone


def draft(text: str, reply: str = "yes", **values) -> RuleDraft:
    given = {"keywords": [{"mode": "exact", "text": text}], "replies": [{"kind": "text", "text": reply}], **values}
    return RuleDraft.model_validate(given)


def live(session, account):
    session.refresh(account)
    return rule_versions.content_of(session, account, account.rules_version)


@pytest.mark.databases
def test_a_draft_answers_nobody_until_it_is_published(phone, account, session):
    rule = rules.save(session, account, draft("price", "9"))
    rules.save(session, account, draft("price", "10"), rule, live=False)
    rules.save(session, account, draft("new"), live=False)
    session.commit()
    assert (phone.say("price"), phone.say("new")) == ("9", "")

    made = rule_versions.publish(session, account, None, "autumn")
    session.commit()

    assert (phone.say("price"), phone.say("new")) == ("10", "yes")
    assert (made.number, made.name, made.summary["rules"]) == (2, "autumn", 2)
    assert rule_versions.waiting(session, account).size == 0


@pytest.mark.databases
def test_publishing_one_rule_leaves_the_other_drafts(phone, account, session):
    first, second = (rules.save(session, account, draft(word, "old")) for word in "ab")
    rules.save(session, account, draft("a", "new"), first, live=False)
    rules.save(session, account, draft("b", "new"), second, live=False)
    rules.delete(session, account, first, live=False)

    rule_versions.publish(session, account, None, only={second.id})
    session.commit()

    assert (phone.say("a"), phone.say("b")) == ("old", "new")
    assert rule_versions.publish(session, account, None, only={second.id}) is None
    assert [item["title"] for item in rule_versions.waiting(session, account).removed] == ["a"]


@pytest.mark.databases
def test_the_way_back_and_back_again(phone, account, session):
    rule = rules.save(session, account, draft("price", "9"))
    at = account.rules_version
    gone = rules.save(session, account, draft("tea"))
    rules.save(session, account, draft("price", "10"), rule)
    rules.delete(session, account, gone)
    session.commit()
    latest = account.rules_version
    assert (phone.say("price"), phone.say("tea")) == ("10", "")

    rule_versions.roll_back(session, account, None, at + 1)
    session.commit()
    assert (phone.say("price"), phone.say("tea")) == ("9", "yes")
    assert {rule.id for rule in rules.list_all(session, account)} == {rule.id, live(session, account)[1]["id"]}
    assert rules.hits(session, account)[live(session, account)[1]["id"]] == 1  # its number stayed, and so do its hits

    rule_versions.roll_back(session, account, None, latest)
    session.commit()
    assert (phone.say("price"), phone.say("tea")) == ("10", "")
    assert rule_versions.waiting(session, account).size == 0
    with pytest.raises(Refused):
        rule_versions.roll_back(session, account, None, latest)
    with pytest.raises(NotFound):
        rule_versions.roll_back(session, account, None, 99)


def test_a_deleted_number_is_never_given_again(account, session):
    rule = rules.save(session, account, draft("a"))
    number = rule.id
    rules.delete(session, account, rule)

    assert rules.save(session, account, draft("b")).id != number


def test_the_live_version_restored_throws_the_draft_away(account, session):
    rule = rules.save(session, account, draft("a", "old"))
    rules.save(session, account, draft("a", "new"), rule, live=False)

    assert rule_versions.roll_back(session, account, None, account.rules_version) is None

    assert rules.get(session, account, rule.id).replies[0]["text"] == "old"


def test_a_rule_whose_tag_is_gone_comes_back_switched_off(account, session, phone):
    tag = tags.add(session, account, "VIP")
    rule = rules.save(session, account, draft("secret", tag_id=tag.id))
    at = account.rules_version
    rules.delete(session, account, rule)
    session.delete(tag)
    session.flush()

    rule_versions.roll_back(session, account, None, at)
    session.commit()

    assert phone.say("secret") == ""
    assert [(each.tag_id, each.is_enabled) for each in rules.list_all(session, account)] == [(None, False)]


def test_a_version_needs_a_name_and_a_change(account, session):
    rules.save(session, account, draft("a"), live=False)
    for name in ("", "  ", "x" * 65):
        with pytest.raises(Refused) as caught:
            rule_versions.publish(session, account, None, name)
        assert caught.value.field == "name"
    rule_versions.publish(session, account, None, "x")
    with pytest.raises(Refused, match="Nothing has changed"):
        rule_versions.publish(session, account, None, "y")


def test_of_unnamed_versions_the_last_hundred_stay(account, session, monkeypatch):
    monkeypatch.setattr(rule_versions, "UNNAMED_KEPT", 3)
    rule = rules.save(session, account, draft("a"))
    rules.save(session, account, draft("a", "named"), rule, live=False)
    rule_versions.publish(session, account, None, "named")
    for number in range(5):
        rules.save(session, account, draft("a", str(number)), rule)

    kept = session.scalars(select(RuleVersion.number).order_by(RuleVersion.number)).all()
    assert kept == [2, 5, 6, 7]


@pytest.mark.databases
def test_the_second_of_two_editors_is_told(account, session):
    rule = rules.save(session, account, draft("a"))
    began = rule.revision
    rules.save(session, account, draft("a", "first"), rule, revision=began)
    session.commit()

    with pytest.raises(Conflict) as caught:
        rules.save(session, account, draft("a", "second"), rule, revision=began)
    session.rollback()

    assert caught.value.field == "revision"
    assert rules.get(session, account, rule.id).replies[0]["text"] == "first"
    rules.save(session, account, draft("a", "second"), rule, revision=began + 1)
    assert rule.revision == began + 2


@pytest.mark.databases
def test_every_process_answers_by_the_new_version_with_the_next_message(account, session, redis, database_url):
    rule = rules.save(session, account, draft("a", "0"))
    session.commit()
    with web_processes(2) as webs:
        phones = [Phone(account, by_http(web.address)) for web in webs]
        for number in range(1, 4):
            rules.save(session, account, draft("a", str(number)), rule, live=False)
            session.commit()
            session.commit()
            assert [phone.say("a") for phone in phones] == [str(number - 1)] * 2
            rule_versions.publish(session, account, None, f"v{number}")
            session.commit()
            assert [phone.say("a") for phone in phones] == [str(number)] * 2


acts = st.lists(
    st.tuples(
        st.sampled_from(["add", "change", "switch", "move", "delete", "publish", "part", "back"]),
        st.integers(0, 5),
        st.booleans(),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
def test_whatever_is_done_versions_stay_what_they_were(account, session, acts):
    """The oracle is a plain list of copies: what was live after each publishing."""
    for each in session.scalars(select(Rule)):
        session.delete(each)
    session.flush()
    session.refresh(account)
    kept = {account.rules_version: live(session, account)}
    for act, number, at_once in acts:
        found = rules.list_all(session, account)
        rule = found[number % len(found)] if found else None
        if act == "add":
            rules.save(session, account, draft(f"w{number}"), live=at_once)
        elif act == "publish":
            if rule_versions.waiting(session, account).size:
                rule_versions.publish(session, account, None, "all")
                assert live(session, account) == rule_versions.draft_of(session, account)
        elif act == "back" and any(kept):  # 0 is no version: nothing was published yet
            wanted = sorted(filter(None, kept))[number % len([*filter(None, kept)])]
            if kept[wanted] != live(session, account) or rule_versions.waiting(session, account).size:
                rule_versions.roll_back(session, account, None, wanted)
            assert live(session, account) == kept[wanted] == rule_versions.draft_of(session, account)
        elif rule is not None and act == "change":
            rules.save(session, account, draft(f"w{number}", f"r{len(kept)}"), rule, live=at_once)
        elif rule is not None and act == "switch":
            rules.set_enabled(session, account, rule, not rule.is_enabled, live=at_once)
        elif rule is not None and act == "move":
            rules.move(session, account, rule, number + 1, live=at_once)
        elif rule is not None and act == "delete":
            rules.delete(session, account, rule, live=at_once)
        elif rule is not None and act == "part":
            rule_versions.publish(session, account, None, only={rule.id})
        session.refresh(account)
        kept.setdefault(account.rules_version, live(session, account))
        for version, content in kept.items():
            assert rule_versions.content_of(session, account, version) == content
        waiting = rule_versions.waiting(session, account)
        assert (waiting.size == 0) == (live(session, account) == rule_versions.draft_of(session, account))
    session.rollback()
    rule_versions.forget()


def test_last_changed_is_not_when_others_moved(account, session):
    first, second = (rules.save(session, account, draft(word)) for word in "ab")
    first.updated_at = clock.now() - timedelta(days=3)
    session.flush()
    changed = first.updated_at
    rules.move(session, account, second, 1)
    session.refresh(first)

    assert first.updated_at == changed
    assert [rule.title for rule in rules.list_all(session, account)] == ["b", "a"]


def test_a_move_that_keeps_the_sum_of_the_places_is_seen(account, session):
    first, second, third = (rules.save(session, account, draft(word)) for word in "abc")
    rules.move(session, account, third, 1)  # c a b
    assert rule_versions.waiting(session, account).size == 0

    rules.move(session, account, second, 1, live=False)  # b c a

    assert rule_versions.waiting(session, account).size == 1
    assert first.position == 3

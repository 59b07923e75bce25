"""Done 4: what an operator may write, what is refused with which sentence, and when it takes effect."""

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from bot.errors import Refused
from bot.services import rules
from bot.services.rules import RuleDraft
from models import Rule, Send
from tests.flows.phone import Phone, by_http
from tests.processes import web_processes


@pytest.fixture
def account(create):
    account = create.account()
    create.rule(account, "other", "Another rule")
    return account


@pytest.fixture
def phone(account, client, redis) -> Phone:
    return Phone(account, client)


def draft(text: str, mode: str = "exact", **values) -> RuleDraft:
    given = {"keywords": [{"mode": mode, "text": text}], "replies": [{"kind": "text", "text": "yes"}], **values}
    return RuleDraft.model_validate(given)


ODD = [
    "C++",
    "(",
    ")",
    "%",
    "%s",
    "{0}",
    "{{nickname}}",
    "😀",
    "👩‍👩‍👧",
    "]]>",
    "a\x02b",
    "\\",
    "'; --",
    "<b>",
    "&amp;",
    "*",
    "^$",
    "中" * 4000,
]


@pytest.mark.databases
@pytest.mark.parametrize("mode", ["exact", "contains"])
def test_odd_words_are_keywords_like_others(phone, account, session, mode):
    for number, word in enumerate(ODD):
        rule = rules.save(session, account, draft(word, mode, replies=[{"kind": "text", "text": str(number)}]))
        session.commit()
        assert phone.say(word) == str(number)
        rules.delete(session, account, rule)
        session.commit()

    assert phone.say("other") == "Another rule"


REFUSED_PATTERNS = [
    "(",
    "[",
    "*",
    r"(a)\1",
    "(?=a)",
    "(?<!a)b",
    "a{99999}",
    r"\p{Nope}",
    "(?P<n",
    "\\",
    "((((a{100}){100}){100}){100})",
]


@pytest.mark.parametrize("pattern", REFUSED_PATTERNS)
def test_a_wrong_pattern_is_refused_with_its_field(phone, account, session, pattern):
    with pytest.raises(Refused) as caught:
        rules.save(session, account, draft(pattern, "regex"))
    session.rollback()

    assert caught.value.field == "keywords.0.text"
    assert str(caught.value).startswith("This pattern cannot be used: ")
    assert "b'" not in str(caught.value)
    assert phone.say("other") == "Another rule"
    assert len(session.scalars(select(Rule)).all()) == 1


@pytest.mark.parametrize(
    ("pattern", "advice"), [("C++", r"as in C\+\+"), ("(", r"Write \( for"), ("a\\", "ends with"), ("*", "nothing to")]
)
def test_a_wrong_pattern_is_told_what_to_do(account, session, pattern, advice):
    with pytest.raises(Refused) as caught:
        rules.save(session, account, draft(pattern, "regex"))

    assert advice in str(caught.value)


@pytest.mark.parametrize("pattern", [".*", "a*", "", "^", "(a|)", "$", "x?", "(?i)", ".{0,5}"])
def test_a_pattern_for_every_message_is_refused(account, session, pattern):
    with pytest.raises(Refused) as caught:
        rules.save(session, account, draft(pattern, "regex"))

    assert caught.value.field == "keywords.0.text"
    assert "default reply" in str(caught.value) or "empty" in str(caught.value)


@pytest.mark.parametrize("word", ["", " ", "\u3000", "\n\t ", "\x1f"])
@pytest.mark.parametrize("mode", ["exact", "contains", "regex"])
def test_an_empty_keyword_is_refused(account, session, word, mode):
    with pytest.raises(Refused, match="cannot be empty") as caught:
        rules.save(session, account, draft(word, mode))

    assert caught.value.field == "keywords.0.text"


def test_a_keyword_longer_than_any_message_is_refused():
    with pytest.raises(ValidationError, match="4096"):
        draft("中" * 4097)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"keywords": []}, "keywords"),
        ({"replies": []}, "replies"),
        ({"replies": [{"kind": "text", "text": " \n"}]}, "replies.0.text"),
        ({"time_from": "09:00"}, "time_to"),
        ({"time_to": "09:00"}, "time_from"),
        ({"time_from": "09:00", "time_to": "09:00"}, "time_to"),
        ({"starts_on": "2027-02-02", "ends_on": "2027-02-01"}, "ends_on"),
        ({"tag_id": 99}, "tag_id"),
        ({"trigger": "click", "keywords": [{"text": "中" * 43}]}, "keywords.0.text"),
        ({"replies": [{"kind": "transfer_customer_service"}, {"kind": "text", "text": "a"}]}, "replies.0"),
    ],
)
def test_what_cannot_work_is_refused_with_its_field(account, session, values, field):
    with pytest.raises(Refused) as caught:
        rules.save(session, account, draft("a", **values))

    assert caught.value.field == field
    assert str(caught.value).endswith(".")


def test_a_tag_of_another_account_is_refused(account, create, session):
    from bot.services import tags

    tag = tags.find_or_add(session, create.account("theirs"), "VIP")

    with pytest.raises(Refused) as caught:
        rules.save(session, account, draft("a", tag_id=tag.id))

    assert caught.value.field == "tag_id"


def test_a_refused_change_leaves_the_rule_as_it_was(phone, account, session):
    [rule] = rules.list_all(session, account)
    with pytest.raises(Refused):
        rules.save(session, account, draft("(", "regex"), rule)
    session.commit()

    assert phone.say("other") == "Another rule"


@pytest.mark.parametrize("word", ["a\x00b", "\x00"])
def test_nul_is_refused_because_not_every_database_keeps_it(account, session, word):
    with pytest.raises(Refused, match="U\\+0000") as caught:
        rules.save(session, account, draft(word))

    assert caught.value.field == "keywords.0.text"


@pytest.mark.databases
def test_changes_take_effect_at_once_in_every_process(account, session, redis, database_url):
    with web_processes(2) as webs:
        phones = [Phone(account, by_http(web.address)) for web in webs]

        def said(text: str) -> list[str]:
            return [phone.say(text) for phone in phones]

        assert said("new") == ["", ""]
        rule = rules.save(session, account, draft("new"))
        session.commit()
        assert said("new") == ["yes", "yes"]
        rules.save(session, account, draft("new", replies=[{"kind": "text", "text": "no"}]), rule)
        session.commit()
        assert said("new") == ["no", "no"]
        rules.set_enabled(session, account, rule, False)
        session.commit()
        assert said("new") == ["", ""]
        rules.save(session, account, draft("other", replies=[{"kind": "text", "text": "first"}]), rule)
        rules.move(session, account, rule, 1)
        session.commit()
        assert said("other") == ["first", "first"]
        rules.delete(session, account, rule)
        session.commit()
        assert said("other") == ["Another rule"] * 2


def test_one_accounts_rules_answer_nobody_else(phone, create, client):
    theirs = create.account("theirs")
    create.rule(theirs, "mine", "Theirs")

    assert phone.say("mine") == ""
    assert Phone(theirs, client).say("mine") == "Theirs"
    assert Phone(theirs, client).say("other") == ""


def test_hits_are_counted(phone, account, session):
    for _ in range(3):
        phone.say("other")
    phone.again()
    phone.say("nothing")

    [rule] = rules.list_all(session, account)
    assert rules.hits(session, account) == {rule.id: 3}


@pytest.mark.databases
def test_a_new_rule_does_not_inherit_the_hits_of_a_deleted_one(account, session, phone):
    rules.delete(session, account, _answers(account, session, phone))
    session.commit()

    again = _answers(account, session, phone, asks=1)

    assert rules.hits(session, account) == {again.id: 1}


def _answers(account, session, phone, asks: int = 3):
    rule = rules.save(session, account, draft("price"))
    session.commit()
    for _ in range(asks):
        phone.say("price")
    return rule


def test_a_long_text_is_cut_and_the_rest_waits(phone, create, account, session):
    long = "".join(f"第{number}句话。" for number in range(800))[:4000]
    create.rule(account, "long", long)

    first = phone.say("long")

    parts = [send.reply["text"] for send in session.scalars(select(Send).order_by(Send.id))]
    assert 1500 < len(first.encode()) <= 2048
    assert all(len(part.encode()) <= 2048 for part in parts)
    assert "".join([first, *parts]) == long

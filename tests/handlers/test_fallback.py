import pytest


@pytest.fixture(autouse=True)
def default(create, account):
    create.rule(account, trigger="default", reply="Write “help”.")


@pytest.mark.parametrize(
    "kind", ["text", "image", "voice", "video", "shortvideo", "location", "link", "miniprogrampage"]
)
def test_answers_what_nothing_else_did(phone, kind):
    assert phone.send(kind, Content="x" if kind == "text" else "") == "Write “help”."


def test_gives_way_to_a_keyword(phone, create, account):
    create.rule(account, "price", "99")

    assert phone.say("price") == "99"


@pytest.mark.parametrize("kind", ["hologram", "file"])
def test_is_silent_for_kinds_wechat_does_not_document(phone, last, kind):
    assert phone.send(kind) == ""
    assert last().trace[-1]["handler"] == "fallback"


@pytest.mark.parametrize("event", ["LOCATION", "VIEW", "user_get_card", "kf_create_session", "TEMPLATESENDJOBFINISH"])
def test_is_silent_for_events_nobody_waits_at(phone, event):
    assert phone.happen(event, "") == ""


def test_is_silent_when_its_rule_is_for_other_hours(phone, create, account, session, last):
    from bot.services import rules

    [rule] = rules.list_all(session, account)
    rule.starts_on = rules.date(2099, 1, 1)
    rules.set_enabled(session, account, rule, True)
    session.commit()

    assert phone.say("anything") == ""
    assert last().trace[0]["why"] == "It starts on a later day."


@pytest.mark.parametrize("say", [lambda phone: phone.say("anything"), lambda phone: phone.happen("CLICK", "KEY")])
def test_says_why_nobody_answered(phone, create, account, session, last, say):
    from bot.services import rules

    [rule] = rules.list_all(session, account)
    rules.delete(session, account, rule)
    session.commit()

    assert say(phone) == ""
    assert [step["handler"] for step in last().trace] == ["fallback"]

import pytest
from sqlalchemy import select

from bot.services import tags
from models import Follower, FollowerTag
from tests.flows.phone import Phone, set_clock


@pytest.mark.parametrize("text", ["price", "PRICE", " Price ", "ｐｒｉｃｅ", "ＰＲＩＣＥ", "price\n"])
def test_exact(phone, create, account, text):
    create.rule(account, "Price", "99")

    assert phone.say(text) == "99"
    assert phone.say(text + "s") == ""


@pytest.mark.parametrize("text", ["价格", "價格", "请问價格？", "　價格　"])
def test_simplified_and_traditional_are_one(phone, create, account, text):
    create.rule(account, "价格", "99", mode="contains")

    assert phone.say(text) == "99"


def test_a_traditional_keyword_is_found_in_simplified_text(phone, create, account):
    create.rule(account, "營業時間", "9 to 5")

    assert phone.say("营业时间") == "9 to 5"


@pytest.mark.parametrize("text", ["price", "The PRICE, please", "prices?", "ｘＰＲＩＣＥｘ"])
def test_contains(phone, create, account, text):
    create.rule(account, "price", "99", mode="contains")

    assert phone.say(text) == "99"
    assert phone.say("pric e") == ""


@pytest.mark.parametrize(
    ("pattern", "text"), [(r"^order \d{4}$", "ORDER 1234"), ("订单[0-9]+", "我的訂單１２３"), ("😀+", "a😀😀")]
)
def test_regex(phone, create, account, pattern, text):
    create.rule(account, pattern, "found", mode="regex")

    assert phone.say(text) == "found"
    assert phone.say("nothing") == ""


def test_the_first_rule_of_the_list_answers(phone, create, account, session):
    from bot.services import rules

    first = create.rule(account, "a", "first", mode="contains")
    second = create.rule(account, "ab", "second")
    assert phone.say("ab") == "first"

    rules.move(session, account, second, 1)
    session.commit()
    assert phone.say("ab") == "second"

    rules.set_enabled(session, account, second, False)
    session.commit()
    assert phone.say("ab") == "first"

    rules.delete(session, account, first)
    session.commit()
    assert phone.say("ab") == ""


@pytest.mark.parametrize(
    ("now", "answers"),
    [
        ("2027-01-31 23:59", False),
        ("2027-02-01 00:00", True),
        ("2027-02-03 23:59", True),
        ("2027-02-04 00:00", False),
    ],
)
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_days_are_those_of_the_accounts_zone(create, client, now, answers, zone):
    account = create.account(zone.split("/")[1].lower(), timezone=zone)
    create.rule(account, "sale", "50 %", starts_on="2027-02-01", ends_on="2027-02-03")
    set_clock(now, zone)

    assert Phone(account, client).say("sale") == ("50 %" if answers else "")


@pytest.mark.parametrize(
    ("hours", "now", "answers"),
    [
        (("09:00", "17:00"), "2027-02-01 08:59", False),
        (("09:00", "17:00"), "2027-02-01 09:00", True),
        (("09:00", "17:00"), "2027-02-01 16:59", True),
        (("09:00", "17:00"), "2027-02-01 17:00", False),
        (("22:00", "06:00"), "2027-02-01 21:59", False),
        (("22:00", "06:00"), "2027-02-01 22:00", True),
        (("22:00", "06:00"), "2027-02-02 00:00", True),
        (("22:00", "06:00"), "2027-02-02 05:59", True),
        (("22:00", "06:00"), "2027-02-02 06:00", False),
        (("22:00", "00:00"), "2027-02-01 23:59", True),
        (("22:00", "00:00"), "2027-02-02 00:00", False),
    ],
)
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_hours_are_those_of_the_accounts_zone_and_may_cross_midnight(create, client, hours, now, answers, zone):
    account = create.account(zone.split("/")[1].lower(), timezone=zone)
    create.rule(account, "open", "We are!", time_from=hours[0], time_to=hours[1])
    create.rule(account, "open", "We are closed.")
    set_clock(now, zone)

    assert Phone(account, client).say("open") == ("We are!" if answers else "We are closed.")


@pytest.mark.parametrize(
    ("now", "answers"),
    [
        ("2027-03-14 06:59", False),  # 01:59, and a minute later it is three
        ("2027-03-14 07:00", True),
        ("2027-03-14 08:00", False),
        ("2027-11-07 08:00", True),  # 03:00, after the hour from one to two came twice
        ("2027-11-07 07:59", False),
    ],
)
def test_hours_are_those_of_the_wall_clock_when_it_is_changed(create, client, now, answers):
    account = create.account("york", timezone="America/New_York")
    create.rule(account, "open", "We are!", time_from="03:00", time_to="04:00")
    set_clock(now, "UTC")

    assert Phone(account, client).say("open") == ("We are!" if answers else "")


@pytest.mark.parametrize(
    ("now", "answers"),
    [
        ("2027-02-01 05:59", False),
        ("2027-02-01 22:00", True),
        ("2027-02-03 23:59", True),
        ("2027-02-04 05:59", True),
        ("2027-02-04 06:00", False),
        ("2027-02-04 22:00", False),
    ],
)
def test_a_night_belongs_to_the_day_it_begins_on(phone, create, account, now, answers):
    days = {"starts_on": "2027-02-01", "ends_on": "2027-02-03"}
    create.rule(account, "open", "We are!", time_from="22:00", time_to="06:00", **days)
    set_clock(now)

    assert phone.say("open") == ("We are!" if answers else "")


def test_only_for_followers_with_a_tag(phone, create, account, session, client, last):
    tag = tags.find_or_add(session, account, "VIP")
    session.commit()
    create.rule(account, "price", "For you: 89", tag_id=tag.id)
    create.rule(account, "price", "99")
    assert phone.say("price") == "99"
    assert last().trace[0]["why"] == "The follower does not have its tag."

    known = session.scalars(select(Follower)).one()
    session.add(FollowerTag(follower_id=known.id, tag_id=tag.id))
    session.commit()

    assert phone.say("price") == "For you: 89"
    assert Phone(account, client).say("price") == "99"


def test_one_at_random_stays_the_same_for_a_repeat(phone, create, account):
    create.rule(
        account, "dice", replies=[{"kind": "text", "text": str(side)} for side in range(5)], reply_mode="random"
    )

    said = []
    for _ in range(40):
        said.append(phone.say("dice"))
        assert phone.again() == phone.again() == said[-1]
    assert len(set(said)) > 1


def test_the_rest_of_several_replies_follows_as_messages(phone, create, account, sent, last):
    image = {"kind": "image", "media_id": "m1"}
    create.rule(account, "all", replies=[{"kind": "text", "text": "1"}, image, {"kind": "text", "text": "3"}])

    assert phone.say("all") == "1"
    assert phone.again() == "1"
    assert sent() == ["image", "3"]
    assert last().reply == {"kind": "text", "text": "1"}


def test_variables(phone, create, account, session):
    create.rule(account, "hi", "{{nickname|friend}} {{ account }} {{date}} {{time}} {{nobody|x}} {{ }} {{")
    set_clock("2027-02-01 23:45")

    assert phone.say("hi") == "friend 小店 2027-02-01 23:45 {{nobody|x}} {{ }} {{"

    session.rollback()
    session.scalars(select(Follower)).one().nickname = "小{{date}}李"
    session.commit()
    assert phone.say("hi").startswith("小{{date}}李 小店 ")  # what a name holds is no variable


@pytest.mark.parametrize("reply", ["{{nickname}}", "{{nickname| }}", " {{nickname}}\n"])
def test_a_reply_of_an_empty_variable_only_is_silence(phone, create, account, reply, last):
    create.rule(account, "hi", reply)

    assert phone.say("hi") == phone.again() == ""
    assert last().flag == ""


def test_an_empty_one_of_several_replies_is_left_out(phone, create, account, sent):
    blank_then_long = " " * 3000 + "中" * 700
    texts = ("{{nickname}}", "1", "{{nickname}}", "2", blank_then_long)
    create.rule(account, "all", replies=[{"kind": "text", "text": text} for text in texts])

    assert phone.say("all") == phone.again() == "1"
    assert sent()[0] == "2"
    assert len(sent()) > 2
    assert all(text.strip() for text in sent())


def test_variables_may_make_a_long_reply_longer(phone, create, account, last):
    create.rule(account, "hi", "{{date}}" * 2500)

    assert len(phone.say("hi")) > 600
    assert last().flag == ""


@pytest.mark.parametrize(
    "reply", ["]]>", "a\x02b", "<b>&amp;</b> ]]> ]]&gt;", "😀👩‍👩‍👧", "\ufffe?", "{{", "%s %(a)s {0}"]
)
def test_odd_characters_arrive(phone, create, account, reply):
    create.rule(account, "hi", reply)

    assert phone.say("hi") == reply.replace("\x02", "").replace("\ufffe", "")


def test_a_message_without_text_matches_nothing(phone, create, account):
    create.rule(account, ".", "any", mode="regex")

    assert phone.send("text") == ""
    assert phone.send("image", Content="x") == ""

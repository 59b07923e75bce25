"""A click button's answer lives in the rule behind its key; what is wrong is told before followers find out."""

from datetime import timedelta

import pytest
from sqlalchemy import event as events
from sqlalchemy import insert

from bot import clock
from bot.errors import Refused
from bot.services import menu_clicks, menu_replies, menus
from bot.services.menu_clicks import Count
from models import InboundMessage, Rule, Tag, Trigger

MENU = [
    {"name": "价格", "type": "click", "key": "PRICE"},
    {
        "name": "更多",
        "sub_button": [
            {"name": "网站", "type": "view", "url": "https://a.example/"},
            {"name": "扫码", "type": "scancode_push", "key": "PRICE"},
            {"name": "图", "type": "media_id", "media_id": "m"},
        ],
    },
]


def test_an_answer_is_written_and_rewritten(session, create):
    account = create.account()
    rule = menu_replies.write(session, account, "PRICE", "99", "价格")
    assert (rule.trigger, rule.title, rule.keywords[0]["text"]) == (Trigger.CLICK, "价格", "PRICE")

    rule.time_from, rule.time_to = "09:00", "18:00"
    assert menu_replies.write(session, account, "PRICE", "98").id == rule.id

    assert menu_replies.answers(session, account)["PRICE"].text == "98"
    assert (rule.time_from, rule.title) == ("09:00", "价格")
    assert session.query(Rule).count() == 1


def test_what_says_more_than_one_text_is_changed_among_the_rules(session, create):
    account = create.account()
    create.rule(
        account, trigger="click", keywords=[{"text": "A"}, {"text": "B"}], replies=[{"kind": "text", "text": "x"}]
    )

    assert menu_replies.answers(session, account)["B"].text is None
    with pytest.raises(Refused, match="more than one text"):
        menu_replies.write(session, account, "B", "y")
    with pytest.raises(Refused) as refused:
        menu_replies.write(session, account, "C", "字" * 683)
    assert refused.value.field == "text"


def test_what_followers_would_stumble_over_is_told(session, create):
    account = create.account()
    session.add(Tag(account_id=account.id, name="vip", wechat_id=100))
    session.commit()
    sites = [{"name": host, "type": "view", "url": f"https://{host}.example/"} for host in "abc"]
    with_d = [{"name": "d", "type": "view", "url": "https://d.example/"}]
    narrow = {"tag_id": "100", "client_platform_type": "1"}
    menu = menus.save(
        session,
        account,
        MENU,
        [{"matchrule": {"tag_id": "100"}, "buttons": sites}, {"matchrule": narrow, "buttons": with_d}],
    )

    found = [(each.menu_id, each.place, each.sentence.split()[0]) for each in menu_replies.warnings(menu, {})]

    assert found == [(0, "1", "No"), (0, "2.2", "“{name}”"), (2, "", "Nobody"), (1, "", "The")]
    menu_replies.write(session, account, "PRICE", "99")
    known = menu_replies.answers(session, account)
    assert [each.place for each in menu_replies.warnings(menu, known)] == ["2.2", "", ""]


def test_new_keys_are_never_taken():
    taken = set()
    assert len({menu_replies.new_key(taken) for _each in range(500)}) == 500 == len(taken)


@pytest.mark.databases
def test_counts_the_taps_of_each_button(session, create):
    account, other = create.account(), create.account("other")
    taps = [("click", "PRICE", 1), ("click", "PRICE", 10), ("click", "PRICE", 31), ("click", "GONE", 1)]
    taps += [("view", "https://a.example/", 2), ("scancode_push", "PRICE", 3), ("view", "PRICE", 1)]
    for at, (event, key, days) in enumerate(taps):
        for each in (account, other)[: 2 if at == 0 else 1]:
            session.add(
                InboundMessage(
                    account_id=each.id, openid="o", dedup_key=str(at), kind="event", event=event, key=key,
                    received_at=clock.now() - timedelta(days=days),
                )
            )  # fmt: skip
    session.commit()

    counted = menu_clicks.counts(session, account, [MENU])

    assert [(each.place, each.name, each.count) for each in menu_clicks.per_button(MENU, counted)] == [
        ("1", "价格", Count(1, 2)),
        ("2.1", "网站", Count(1, 1)),
        ("2.2", "扫码", Count(1, 1)),
        ("2.3", "图", None),
    ]
    assert menu_clicks.counts(session, account, [[]]) == {}


def test_days_that_are_over_are_counted_once(session, create):
    account = create.account()

    def tap(name, days):
        at = clock.now() - timedelta(days=days)
        session.add(
            InboundMessage(account_id=account.id, openid="o", dedup_key=name, kind="event", event="click", key="PRICE",
                           received_at=at)
        )  # fmt: skip
        session.commit()

    def price():
        asked.clear()
        return menu_clicks.counts(session, account, [MENU])["click", "PRICE"]

    asked = []
    events.listen(session.get_bind(), "before_cursor_execute", lambda *given: asked.append(given[2]))
    tap("long ago", 8)
    assert price() == Count(0, 1)
    assert len([each for each in asked if "FROM messages" in each]) == menu_clicks.LONG
    tap("now", 0)
    assert price() == Count(1, 2)
    assert len([each for each in asked if "FROM messages" in each]) == 1


@pytest.mark.databases
def test_a_count_that_takes_too_long_is_ended(session, create):
    account = create.account()
    session.execute(
        insert(InboundMessage),
        [
            {"account_id": account.id, "openid": "o", "dedup_key": str(at), "kind": "event", "event": "click",
             "key": f"k{at}", "trace": []}
            for at in range(20_000)
        ],
    )  # fmt: skip
    session.commit()
    menu = [{"name": "x", "type": "click", "key": "k1"}]

    assert menu_clicks.counts(session, account, [menu], seconds=0.001) is None

    assert menu_clicks.per_button(menu, None)[0].count is None
    assert menu_clicks.counts(session, account, [menu]) == {("click", "k1"): Count(1, 1)}


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_sqlite_looks_for_taps_in_the_index_of_events(session, create, monkeypatch):
    asked = []
    with session.no_autoflush:
        events.listen(session.get_bind(), "before_cursor_execute", lambda *given: asked.append(given[2:4]))
        menu_clicks.counts(session, create.account(), [MENU])
    statement, values = next(each for each in asked if "FROM messages" in each[0])
    plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert any("ix_messages_events" in row[3] for row in plan)

"""What operators do: accounts, rules, the menu, conversations, followers."""

import re

import pytest
from sqlalchemy import select

from models import AccessToken, Account, AuditRecord, Conversation, Menu, ReplyWindow, Rule, Send, Task, utc_now
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse
from tests.factories import Create

NEW = {"slug": "shop", "title": "小店", "kind": "service", "mode": "safe", "timezone": "Asia/Shanghai", "shown": "1"}


def test_adds_an_account(browser: Browser, create: Create) -> None:
    answer = browser.send("/accounts/new", **NEW, appid="wx0123456789abcdef", secret="secret-canary")
    assert answer.headers["Location"] == "/console/shop/connect"
    page = browser.open("/shop/connect").text
    assert "The account is added. Next:" in page
    assert "/wechat/shop" in page
    assert "secret-canary" not in page
    assert not create.session.scalars(select(Account)).one().is_verified  # the box was not ticked


@pytest.mark.parametrize(
    ("field", "value"), [("slug", "Has Spaces"), ("slug", "accounts"), ("appid", "nonsense"), ("timezone", "Mars/Base")]
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_refused_field_says_so_and_keeps_the_rest(browser: Browser, field: str, value: str, language: str) -> None:
    browser.language = language
    answer = browser.send("/accounts/new", **{**NEW, field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    assert f'value="{value}"' in answer.text
    assert 'value="小店"' in answer.text
    error = re.search(rf'id="f-{field}-error">.*?</svg>([^<]+)', answer.text, re.S)
    assert error
    assert bool(re.search(r"[\u4e00-\u9fff]", error[1])) == (language == "zh")


def test_settings_keep_secrets_that_were_left_empty(browser: Browser, create: Create, house: TeaHouse) -> None:
    before = house.account.sealed_secret
    values = {
        **NEW,
        "appid": house.account.appid,
        "original_id": "gh_x",
        "secret": "",
        "human_words": "人工，找人\nhuman",
        "human_reply": "同事马上就来。\r\n",
        "handover_minutes": "90",
        "is_verified": "1",
    }
    del values["slug"]
    assert browser.send("/tea-house/settings", **values).status_code == 302
    create.session.refresh(house.account)
    assert house.account.sealed_secret == before
    assert house.account.human_words == ["人工", "找人", "human"]
    assert house.account.human_reply == "同事马上就来。"
    assert house.account.handover_minutes == 90
    assert browser.send("/tea-house/settings", **{**values, "handover_minutes": "soon"}).status_code == 422


def test_what_holds_for_campaigns_is_set(browser: Browser, create: Create, house: TeaHouse) -> None:
    kept = {**NEW, "slug": None, "appid": house.account.appid}
    given = {
        "cap_messages": "4",
        "cap_days": "30",
        "approval_above": "1000",
        "opt_out_words": "退订，取消\nTD",
        "opt_out_reply": "好的。\r\n回复“恢复”再收。",
        "opt_in_words": "恢复",
        "opt_in_reply": "欢迎回来",
    }
    assert browser.send("/tea-house/settings", **kept, **given).status_code == 302
    page = browser.open("/tea-house/settings").text
    assert 'name="cap_days" value="30"' in page
    assert "退订\n取消\nTD" in page
    create.session.refresh(house.account)
    assert house.account.approval_above == 1000
    assert house.account.opt_out_reply == "好的。\n回复“恢复”再收。"

    for wrong in ({"cap_days": "91"}, {"cap_messages": "-1"}, {"approval_above": "many"}, {"opt_in_words": "TD"},
                  {"opt_out_reply": ""}):  # fmt: skip
        refused = browser.send("/tea-house/settings", **kept, **{**given, **wrong})
        name, value = next(iter(wrong.items()))
        assert (refused.status_code, f'id="f-{name}-error"' in refused.text) == (422, True)
        assert value in refused.text
        assert refused.text.count('class="error"') == 1
    browser.send("/tea-house/settings", **kept, **{**given, "approval_above": ""})
    create.session.refresh(house.account)
    assert house.account.approval_above is None


def test_signing_in_to_moments_is_switched_on_and_off(browser: Browser, create: Create, house: TeaHouse) -> None:
    kept = {**NEW, "slug": None, "appid": house.account.appid, "is_verified": "1", "moments_shown": "1"}
    assert browser.send("/tea-house/settings", **kept, signs_members_in="1").status_code == 302
    create.session.refresh(house.account)
    assert house.account.signs_members_in
    assert 'name="signs_members_in" value="1" checked' in browser.open("/tea-house/settings").text
    refused = browser.send("/tea-house/settings", **{**kept, "kind": "subscription"}, signs_members_in="1")
    assert (refused.status_code, 'id="f-signs_members_in-error"' in refused.text) == (422, True)
    assert browser.send("/tea-house/settings", **kept).status_code == 302
    create.session.refresh(house.account)
    assert not house.account.signs_members_in


def test_a_new_secret_ends_what_the_wrong_one_left_behind(browser: Browser, create: Create, house: TeaHouse) -> None:
    row = create.session.scalars(select(AccessToken)).one()
    row.sealed_token, row.refused_count, row.blocked_until = "old", 9, utc_now()
    kept = {**NEW, "slug": None, "appid": house.account.appid}
    browser.send("/tea-house/settings", **kept)
    create.session.refresh(row)
    assert row.blocked_until is not None  # nothing that matters was changed

    browser.send("/tea-house/settings", **kept, secret="x" * 32)
    create.session.refresh(row)
    assert (row.sealed_token, row.blocked_until) == ("", None)


def test_shows_the_token_and_key_when_asked_and_records_who_asked(
    browser: Browser, create: Create, house: TeaHouse
) -> None:
    assert "simtoken" not in browser.open("/tea-house/settings").text
    page = browser.send("/tea-house/settings/reveal").text
    assert "simtoken" in page
    assert "s" * 32 not in page  # the AppSecret, never
    assert create.session.scalar(select(AuditRecord).where(AuditRecord.action == "accounts.reveal"))


def rule_form(**values: str) -> dict[str, str]:
    return {
        "trigger": "keyword",
        "title": "",
        "reply_mode": "all",
        "is_enabled": "1",
        "keywords.0.mode": "contains",
        "keywords.0.text": "龙井",
        "replies.0.kind": "text",
        "replies.0.text": "有货",
        **values,
    }


def test_writes_a_rule_with_rows_left_empty_between(browser: Browser, create: Create, house: TeaHouse) -> None:
    form = rule_form(
        **{
            "keywords.1.text": "",
            "keywords.2.mode": "exact",
            "keywords.2.text": "绿茶",
            "replies.1.kind": "text",
            "replies.1.text": " ",
            "replies.2.kind": "news",
            "replies.2.articles.0.title": "秋茶",
            "replies.2.articles.0.url": "https://tea.example.com",
            "time_from": "22:00",
            "time_to": "06:00",
            "starts_on": "2026-11-01",
        }
    )
    assert browser.send("/tea-house/rules/new", **form).status_code == 302
    rule = create.session.scalars(select(Rule).order_by(Rule.id.desc())).first()
    assert rule is not None
    assert rule.title == "龙井"
    assert [word["text"] for word in rule.keywords] == ["龙井", "绿茶"]
    assert [reply["kind"] for reply in rule.replies] == ["text", "news"]
    assert rule.replies[1]["articles"][0]["title"] == "秋茶"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"keywords.0.mode": "regex", "keywords.0.text": "("}, "keywords-0-text"),
        ({"keywords.0.text": ""}, "keywords"),
        ({"replies.0.text": ""}, "replies"),
        ({"time_from": "22:00"}, "time_to"),
        ({"replies.0.kind": "image"}, "replies-0-media_id"),
        ({"replies.0.kind": "news", "replies.0.articles.0.title": "没有链接"}, "replies-0-articles-0-url"),
        ({"tag_id": "99"}, "tag_id"),
        ({"starts_on": "soon"}, "starts_on"),
        ({"title": "长" * 65}, "title"),
    ],
)
def test_a_rules_fault_stands_at_its_field(
    browser: Browser, house: TeaHouse, changes: dict[str, str], field: str
) -> None:
    answer = browser.send(
        "/tea-house/rules/new", **rule_form(**{"title": "我的规则", "keywords.1.text": "留着我", **changes})
    )
    if field == "keywords":
        answer = browser.send("/tea-house/rules/new", **rule_form(title="我的规则", **changes))
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    assert "我的规则" in answer.text or field == "title"


def test_edits_switches_moves_and_deletes_with_a_way_back(browser: Browser, create: Create, house: TeaHouse) -> None:
    def order() -> list[str]:
        create.session.expire_all()
        return list(create.session.scalars(select(Rule.title).order_by(Rule.position)))

    first, second = house.rules[0], house.rules[1]
    title = first.title
    browser.send(f"/tea-house/rules/{second.id}/switch", on="0")
    create.session.refresh(second)
    assert not second.is_enabled

    browser.send(f"/tea-house/rules/{second.id}/move", position="1")
    assert order()[:2] == [second.title, first.title]
    assert browser.send(f"/tea-house/rules/{second.id}/move", position="top").status_code == 422

    before = order()
    page = browser.send(f"/tea-house/rules/{first.id}/delete").text
    assert f"“{title}” was deleted." in page
    assert len(order()) == len(before) - 1
    draft = re.search(r'name="draft" value="([^"]+)"', page)
    assert draft
    from html import unescape

    browser.send("/tea-house/rules/restore", draft=unescape(draft[1]), position="2")
    assert order() == before
    assert browser.send("/tea-house/rules/restore", draft="{", position="2").status_code == 422


def test_the_second_editor_sees_both_and_keeps_what_was_typed(browser: Browser, house: TeaHouse) -> None:
    rule = house.rules[0]
    path, revision = f"/tea-house/rules/{rule.id}", str(rule.revision)
    assert browser.send(path, **rule_form(title="甲", revision=revision, draft="1")).status_code == 302
    late = browser.send(path, **rule_form(title="乙", revision=revision))
    assert late.status_code == 409
    assert 'class="was">甲' in late.text
    assert 'class="now">乙' in late.text
    assert 'value="乙"' in late.text
    on_top = re.search(r'name="revision" value="(\d+)"', late.text)
    assert on_top
    assert browser.send(path, **rule_form(title="乙", revision=on_top[1])).status_code == 302


def test_a_draft_waits_until_it_is_published(browser: Browser, house: TeaHouse) -> None:
    browser.send(f"/tea-house/rules/{house.rules[0].id}/switch", on="0")
    assert "One change is not live yet." in browser.open("/tea-house/rules").text
    page = browser.open("/tea-house/rules/publish").text
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen
    assert browser.send("/tea-house/rules/publish", name="x", seen="stale").status_code == 409
    assert browser.send("/tea-house/rules/publish", name="x", seen=seen[1]).status_code == 302
    assert "not live yet" not in browser.open("/tea-house/rules").text


def test_the_box_says_who_answers_and_why_not_the_others(browser: Browser, house: TeaHouse) -> None:
    page = browser.open("/tea-house/rules?try=今天几点关门").text
    assert "Answered by “营业时间”" in page
    assert "None of its keywords match." in page
    assert "It is switched off." in browser.open("/tea-house/rules?try=活动").text
    assert "No rule fits, so “没有答案时” answers" in browser.open("/tea-house/rules?try=火星").text
    assert "A person is asked for" in browser.open("/tea-house/rules?try=人工").text
    assert "Answered by “欢迎新朋友”" in browser.open("/tea-house/rules?trigger=follow").text


def test_thousands_of_rules_come_in_pages(browser: Browser, create: Create) -> None:
    account = create.account("many")
    create.session.add_all(
        [
            Rule(
                account_id=account.id,
                title=f"规则{at}",
                position=at,
                keywords=[{"mode": "exact", "text": f"k{at}"}],
                replies=[{"kind": "text", "text": "x"}],
                reply_mode="all",
            )
            for at in range(1, 251)
        ]
    )
    create.session.commit()
    page = browser.open("/many/rules").text
    assert page.count("<tr id=") == 50
    assert "1 to 50 of 250" in page
    assert "规则250" in browser.open("/many/rules?from=201").text
    assert "Answered by “规则250”" in browser.open("/many/rules?try=k250").text


def test_saves_and_publishes_the_menu(browser: Browser, create: Create, house: TeaHouse) -> None:
    form = {
        "buttons.0.name": "茶单",
        "buttons.0.type": "click",
        "buttons.0.value": "TEA",
        "buttons.1.name": "",
        "buttons.1.type": "click",
        "buttons.1.value": "",
        "buttons.2.name": "更多",
        "buttons.2.type": "click",
        "buttons.2.sub_button.0.name": "",
        "buttons.2.sub_button.0.type": "click",
        "buttons.2.sub_button.1.name": "网店",
        "buttons.2.sub_button.1.type": "view",
        "buttons.2.sub_button.1.value": "https://tea.example.com",
    }
    assert browser.send("/tea-house/menu", **form).status_code == 302
    menu = create.session.scalars(select(Menu)).one()
    create.session.refresh(menu)
    assert menu.buttons == [
        {"name": "茶单", "type": "click", "key": "TEA"},
        {"name": "更多", "sub_button": [{"name": "网店", "type": "view", "url": "https://tea.example.com"}]},
    ]
    assert create.session.scalar(select(Task)) is None
    browser.send("/tea-house/menu", **form, publish="1")
    assert create.session.scalars(select(Task)).one().kind == "menu_publish"
    assert "waiting for a worker" in browser.open("/tea-house/menu").text

    form["buttons.2.sub_button.1.value"] = "tea.example.com"
    answer = browser.send("/tea-house/menu", **form)
    assert answer.status_code == 422
    assert 'id="f-buttons-1-sub_button-0-value-error"' in answer.text
    assert 'value="tea.example.com"' in answer.text
    form["buttons.0.name"] = "一个太长的名字"
    assert "takes 21 bytes" in browser.send("/tea-house/menu", **form).text


def test_answers_until_the_window_is_used_up(browser: Browser, create: Create, house: TeaHouse) -> None:
    path = f"/tea-house/conversations/{house.conversation.id}"
    assert "4 replies left" in browser.open(path).text
    assert browser.send(f"{path}/reply", text="好的，已为您留位。").status_code == 302
    sent = create.session.scalars(select(Send).order_by(Send.id.desc())).first()
    assert sent is not None
    assert sent.reply["text"] == "好的，已为您留位。"
    page = browser.open(path).text
    assert "好的，已为您留位。" in page
    assert "waiting to be sent" in page

    assert browser.send(f"{path}/reply", text=" ").status_code == 422
    long = browser.send(f"{path}/reply", text="长" * 700)
    assert "2100 of 2048 bytes" in long.text
    assert "长" * 700 in long.text
    create.session.query(ReplyWindow).delete()
    create.session.commit()
    closed = browser.send(f"{path}/reply", text="还在吗")
    assert closed.status_code == 422
    assert "the follower must write first" in closed.text
    assert "还在吗" in closed.text


def test_hands_back_and_takes_over_again(browser: Browser, create: Create, house: TeaHouse) -> None:
    path = f"/tea-house/conversations/{house.conversation.id}"
    assert browser.send(f"{path}/hand-back").status_code == 302
    assert "The bot answers 林晓雨 again." in browser.open("/tea-house/conversations").text
    page = browser.open(path).text
    assert "Closed: handed back to the bot" in page
    assert 'id="composer"' not in page
    assert browser.send(f"{path}/reply", text="晚了").status_code == 409
    assert "林晓雨" in browser.open("/tea-house/conversations?show=closed").text
    answer = browser.send(f"/tea-house/followers/{house.people[0].id}/take")
    assert answer.headers["Location"] != f"/console{path}"
    assert len(list(create.session.scalars(select(Conversation).where(Conversation.closed_at.is_(None))))) == 3


def test_finds_and_names_followers(browser: Browser, house: TeaHouse) -> None:
    page = browser.open("/tea-house/followers?search=思思").text
    assert "陈思思" in page
    assert "王建国" not in page
    one = f"/tea-house/followers/{house.people[0].id}"
    assert browser.send(f"{one}/change", remark="老顾客小林").status_code == 302
    assert "<h1>老顾客小林</h1>" in browser.open(one).text
    long = browser.send(f"{one}/change", remark="长" * 31)
    assert long.status_code == 422
    assert "长" * 31 in long.text


def test_followers_come_in_pages_without_gaps(browser: Browser, create: Create) -> None:
    account = create.account("crowd")
    for at in range(120):
        create.session.add(_follower(account, at))
    create.session.commit()
    seen: list[str] = []
    path: str | None = "/crowd/followers"
    while path:
        page = browser.open(path).text
        seen += re.findall(r"<strong>(人\d+)</strong>", page)
        following = re.search(r'rel="next" href="/console([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else None
    assert seen == [f"人{at}" for at in reversed(range(120))]


def _follower(account: Account, at: int) -> object:
    from models import Follower

    return Follower(account_id=account.id, openid=f"o{at:027d}", nickname=f"人{at}")


def test_reads_followers_from_wechat_with_progress(browser: Browser, create: Create, house: TeaHouse) -> None:
    browser.send("/tea-house/followers/sync")
    task = create.session.scalars(select(Task)).one()
    assert task.kind == "follower_sync"
    task.done, task.total = 300, 1200
    create.session.commit()
    page = browser.open("/tea-house/followers").text
    assert "300 done, 900 left" in page
    assert "Read all followers from WeChat" not in page

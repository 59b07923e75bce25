"""Connecting takes nothing away: the phone behaves as before, and there is a way back."""

import pytest
from sqlalchemy import select

from bot import webhook
from bot.database import reading, transaction
from bot.errors import Conflict
from bot.jobs import tasks as jobs
from bot.services import account_health, menus, rules, takeovers, tasks, tokens
from models import Account, MenuVersion, Rule, Takeover, TakeoverStatus, Task, TaskStatus

WORDS = ["营业时间", "地址", "价格", "停车", "会员", "发票", "外卖", "预约", "Wifi", "客服"]
MENU = [
    {"name": "茶单", "type": "text", "value": "龙井 30，普洱 28"},
    {
        "name": "门店",
        "sub_button": [
            {"name": "怎么来", "type": "text", "value": "地铁二号线静安寺站"},
            {"name": "网店", "type": "view", "url": "https://tea.example.com/"},
        ],
    },
]


def text(content):
    return {"type": "text", "content": content}


REPLIES = {
    "is_add_friend_reply_open": 1,
    "is_autoreply_open": 1,
    "add_friend_autoreply_info": text("欢迎来到茶舍"),
    "message_default_autoreply_info": text("稍后回复您"),
    "keyword_autoreply_info": {
        "list": [
            {
                "rule_name": f"规则{word}",
                "reply_mode": "random_one" if word == "会员" else "reply_all",
                "keyword_list_info": [
                    {"type": "text", "match_mode": "equal" if at % 3 == 1 else "contain", "content": word},
                    {"type": "text", "match_mode": "equal", "content": f"q{at}"},
                ],
                "reply_list_info": [text(f"关于{word}"), *([text("再说一句")] if word in ("价格", "会员") else [])],
            }
            for at, word in enumerate(WORDS)
        ]
    },
}
SAID = [*WORDS, *(f"请问{word}吗" for word in WORDS), "q3", "没有这回事"]


@pytest.fixture
def account(create, sim, live):
    """At WeChat, and no server address is entered yet."""
    account = create.account("shop", title="小店")
    sim.connect(account, live)
    sim.post("accounts", account="shop", callback_url="")
    sim.post("autoreplies", account="shop", **REPLIES)
    sim.post("menus", account="shop", button=MENU)
    return account


def rows(model):
    with reading() as session:
        return session.scalars(select(model)).all()


def answers(sim, account, work, texts=SAID):
    """What a new follower's phone shows: for following, then for each text."""
    openid = sim.follower(account, name=f"f{answers.n}")
    answers.n += 1
    sim.happen(account, openid, "unsubscribe")
    shown, seen = [], len(sim.inbox(account, openid))
    for said in (None, *texts):
        if said is None:
            sim.happen(account, openid, "subscribe")
        else:
            sim.say(account, openid, said)
        work()
        inbox = [item["text"] for item in sim.inbox(account, openid)]
        shown.append(inbox[seen:])
        seen = len(inbox)
    return shown


answers.n = 0


def taps(sim, account):
    """What each button of the menu on the phone says."""
    openid = sim.follower(account, name=f"f{answers.n}")
    answers.n += 1
    said = {}
    current = tokens.client_for(account).current_menu()["selfmenu_info"]["button"]
    for button in [each for top in current for each in (top.get("sub_button", {}).get("list") or [top])]:
        if button["type"] == "text":
            said[button["name"]] = button["value"]  # WeChat says it by itself
        elif button["type"] == "click":
            said[button["name"]] = sim.happen(account, openid, "CLICK", event_key=button["key"])["reply"]["text"]
        else:
            said[button["name"]] = button["url"]
    return said


def read(account, work):
    with transaction() as session:
        takeovers.start(session, account)
    work()
    with reading() as session:
        return takeovers.latest(session, account)


def switch_on(sim, account, live):
    sim.post("accounts", account="shop", callback_url=f"{live}/wechat/shop")
    webhook.forget()  # the account's settings of a second ago


def test_behaves_as_before_and_comes_back(account, create, sim, live, work):
    own = create.rule(account, "价格", "试一试", title="自己的")
    with transaction() as s:
        menus.save(s, account, [{"name": "旧", "type": "click", "key": "OLD"}])
    before, tapped = answers(sim, account, work), taps(sim, account)
    row = read(account, work)
    assert (row.selfmenu["is_menu_open"], row.autoreply) == (1, REPLIES)

    with transaction() as s:
        takeovers.approve(s, account, row.id, "mei")
    work()
    switch_on(sim, account, live)

    after = answers(sim, account, work)
    for said, old, new in zip((None, *SAID), before, after, strict=True):
        if said == "会员":
            assert new in (["关于会员"], ["再说一句"])
        else:
            assert new == old, said
    assert taps(sim, account) == tapped
    with reading() as s:
        assert "客服" not in s.get_one(Account, account.id).human_words
        (version,) = s.scalars(select(MenuVersion)).all()
        assert (version.outcome.value, version.who) == ("published", "mei")

    with transaction() as s:
        takeovers.restore(s, account, row.id, "mei")
    work()
    with reading() as s:
        (rule,) = rules.list_all(s, account)
        assert (rule.id, rule.title, rule.position) == (own.id, "自己的", 1)
        assert menus.get(s, account).buttons == [{"name": "旧", "type": "click", "key": "OLD"}]
        assert "客服" in s.get_one(Account, account.id).human_words
    sim.post("accounts", account="shop", callback_url="")  # switched off at WeChat: its own things are in force
    assert taps(sim, account) == tapped
    assert answers(sim, account, work) == before


def test_a_second_press_changes_nothing(account, work):
    row = read(account, work)
    for _press in range(2):
        with transaction() as s:
            takeovers.approve(s, account, row.id)
    assert len(rows(Rule)) == 10 + 2 + 2
    assert len(rows(MenuVersion)) == 1
    with transaction() as s, pytest.raises(Conflict):
        takeovers.start(s, account)
    for _press in range(2):
        with transaction() as s:
            takeovers.restore(s, account, row.id)
        assert not rows(Rule)
    assert rows(Takeover)[0].status is TakeoverStatus.RESTORED


def test_an_older_reading_is_not_approved(account, work):
    first, second = read(account, work), read(account, work)
    assert first.id != second.id
    with transaction() as s, pytest.raises(Conflict):
        takeovers.approve(s, account, first.id)


def test_rules_changed_and_deleted_meanwhile_come_back_as_they_were(account, create, work):
    kept, gone = create.rule(account, "一", "壹"), create.rule(account, "二", "贰", title="没了")
    row = read(account, work)
    with transaction() as s:
        takeovers.approve(s, account, row.id)
        assert rules.list_all(s, account)[-1].id == gone.id  # WeChat's come first
        rules.delete(s, account, rules.get(s, account, gone.id))
        changed = rules.get(s, account, kept.id)
        rules.set_enabled(s, account, changed, False)
    create.rule(account, "三", "叁")
    with transaction() as s:
        takeovers.restore(s, account, row.id)
        found = rules.list_all(s, account)
        assert [(rule.keywords[0]["text"], rule.is_enabled) for rule in found] == [
            ("一", True),
            ("二", True),
            ("三", True),
        ]
        assert [rule.position for rule in found] == [1, 2, 3]


def test_what_is_here_and_gets_in_the_way_is_said(account, create, work):
    create.rule(account, "停车", "x", title="我的停车")
    create.rule(account, reply="hi", trigger="follow", title="我的欢迎")
    create.rule(account, "别的", "x", title="不相干")
    with transaction() as s:
        menus.save(s, account, [{"name": "旧", "type": "click", "key": "OLD"}])
    row = read(account, work)
    with reading() as s:
        said = [note.sentence() for note in takeovers.plan(s, s.get_one(Account, account.id), row).meets]
    for part in ("“我的停车” stays", "“我的欢迎” stays", "“客服” asks for a person", "gives way", "人工"):
        assert any(part in sentence for sentence in said), part
    assert not any("不相干" in sentence for sentence in said)


def test_killed_between_its_steps_it_goes_on(account, sim, monkeypatch):
    with transaction() as s:
        task_id = takeovers.start(s, account).id

    def killed(_client):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tokens.AccountClient, "current_autoreplies", killed)
        with pytest.raises(KeyboardInterrupt):
            jobs.advance(task_id)
    assert not rows(Takeover)
    assert rows(Task)[0].done == 1
    asked = sim.get("ledger", account="shop")["calls"]["/cgi-bin/get_current_selfmenu_info"]

    sim.wait(tasks.LEASE.total_seconds() + 1)
    jobs.advance(task_id)

    assert rows(Task)[0].status is TaskStatus.DONE
    assert rows(Takeover)[0].autoreply == REPLIES
    assert sim.get("ledger", account="shop")["calls"]["/cgi-bin/get_current_selfmenu_info"] == asked


def test_a_menu_that_wechat_refuses_leaves_the_live_one(account, sim, work):
    row = read(account, work)
    fault = {"path": "/cgi-bin/menu/create", "times": 1, "errcode": 40054}
    assert sim.http.post(f"{sim.address}/sim/faults", json=fault, timeout=10).ok
    with transaction() as s:
        takeovers.approve(s, account, row.id)
    work()
    (version,) = rows(MenuVersion)
    assert version.outcome.value == "refused"
    assert "address" in version.error
    assert tokens.client_for(account).get_menu() is None  # WeChat's own still stands


def test_the_check_list_is_worded_from_what_happened(account, sim, live, work):
    def lines():
        with transaction() as s:
            tasks.start(s, account, account_health.CHECK)
        work()
        with reading() as s:
            task = tasks.latest(s, account, account_health.CHECK)
        assert (task.status, task.done) == (TaskStatus.DONE, account_health.LINES), task.error
        return {each["subject"]: each for each in task.state["checks"]}

    sim.post("accounts", account="shop", ip_whitelist=["203.0.113.7"])
    found = lines()
    assert found["IP whitelist"]["state"] == "fail"
    assert found["IP whitelist"]["values"]["address"] == "127.0.0.1"

    sim.post("accounts", account="shop", ip_whitelist=[])
    found = lines()
    assert found["Access token"]["state"] == found["IP whitelist"]["state"] == found["Rights"]["state"] == "ok"
    assert found["Verification"]["state"] == found["Messages"]["state"] == "warn"
    switch_on(sim, account, live)
    sim.post("verify", account="shop")
    assert lines()["Verification"]["state"] == "ok"


def test_what_wechat_refused_is_remembered(create, sim, live):
    account = create.account("sub", kind="subscription", is_verified=False)
    sim.connect(account, live)
    with pytest.raises(tokens.WeChatError):
        tokens.client_for(account).get_menu()
    assert list(rows(Account)[0].refused_calls) == ["/cgi-bin/menu/get"]

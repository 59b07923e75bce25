"""Template messages and notices: what fits, what a follower allowed, and how each ends."""

import pytest

from bot.simulator import envelope

from .conftest import Sim

DATA = {"thing1": {"value": "Coffee"}, "time2": {"value": "2026-01-02 10:00"}}
CONTENT = "What:{{thing1.DATA}}\nWhen:{{time2.DATA}}"


@pytest.fixture
def account(sim: Sim, callback):
    return sim.account(callback_url=callback.url)


@pytest.fixture
def api(sim: Sim, account):
    return sim.api(account)


@pytest.fixture
def openid(sim: Sim, account):
    return sim.follower()


def template(sim, kind="message"):
    return sim.post("/sim/templates", account="tea", kind=kind, title="Order", content=CONTENT)["template_id"]


def body(openid, template_id, **more):
    return {"touser": openid, "template_id": template_id, "data": DATA} | more


def events(callback):
    return [envelope.from_xml(seen["body"]) for seen in callback.received]


def test_a_template_message_arrives_and_is_told(sim, api, openid, callback):
    done = api.post("message/template/send", body(openid, template(sim), url="https://tea.example"))

    assert (done["errcode"], done["msgid"] > 2**53) == (0, True)
    sim.settle()
    item = sim.inbox(openid)[-1]
    assert (item["kind"], item["title"], item["text"]) == ("template", "Order", "What:Coffee\nWhen:2026-01-02 10:00")
    [event] = events(callback)
    assert (event["Event"], event["MsgID"]) == ("TEMPLATESENDJOBFINISH", str(done["msgid"]))
    assert (event["Status"], event["FromUserName"]) == ("success", openid)


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"touser": "nobody"}, 40003),
        ({"template_id": "none"}, 40037),
        ({"data": {"thing1": {"value": "x"}}}, 47003),
        ({"data": DATA | {"thing1": {"value": "x" * 21}}}, 47003),
        ({"data": DATA | {"time2": {"value": "soon"}}}, 47003),
        ({"data": []}, 47003),
        ({"url": "tea"}, 40039),
        ({"url": "https://" + "x" * 1024}, 40039),
        ({"miniprogram": {"appid": "wx" + "0" * 16}}, 40166),
        ({"client_msg_id": 5}, 47003),
    ],
)
def test_refuses_a_template_message(sim, api, openid, change, errcode):
    told = api.post("message/template/send", body(openid, template(sim)) | change)

    assert told["errcode"] == errcode
    assert sim.inbox(openid) == []


def test_names_the_value_that_does_not_fit(sim, api, openid):
    told = api.post("message/template/send", body(openid, template(sim), data=DATA | {"thing1": {"value": "x" * 21}}))

    assert told["errmsg"].startswith("argument invalid! data.thing1.value invalid rid:")


def test_who_left_or_is_blocked_is_refused(sim, api, openid):
    template_id = template(sim)
    api.post("tags/members/batchblacklist", {"openid_list": [openid]})
    assert api.post("message/template/send", body(openid, template_id))["errcode"] == 43019
    api.post("tags/members/batchunblacklist", {"openid_list": [openid]})
    sim.event(openid, "unsubscribe")
    assert api.post("message/template/send", body(openid, template_id))["errcode"] == 43004


def test_who_refuses_messages_is_told_by_the_end(sim, api, openid, callback):
    sim.post("/sim/followers", account="tea", name="mei", refuses_messages=True)

    assert api.post("message/template/send", body(openid, template(sim)))["errcode"] == 0

    sim.settle()
    assert [event["Status"] for event in events(callback)] == ["failed:user block"]
    assert sim.inbox(openid) == []


def test_a_template_message_may_fail_at_wechat(sim, api, openid, callback):
    sim.post("/sim/faults", path="TEMPLATESENDJOBFINISH", result="failed: system failed", early=True)

    api.post("message/template/send", body(openid, template(sim)))

    assert [event["Status"] for event in events(callback)] == ["failed: system failed"]
    assert sim.inbox(openid) == []


def test_the_same_client_id_sends_once_in_ten_minutes(sim, api, openid):
    template_id = template(sim)
    first = api.post("message/template/send", body(openid, template_id, client_msg_id="m1"))
    again = api.post("message/template/send", body(openid, template_id, client_msg_id="m1"))

    assert again["msgid"] == first["msgid"]
    assert sim.get("/sim/receipts", account="tea", contains="m1")["receipts"] == 1
    sim.advance(601)
    assert api.post("message/template/send", body(openid, template_id, client_msg_id="m1"))["msgid"] != first["msgid"]
    other = sim.follower(name="li")
    assert api.post("message/template/send", body(other, template_id, client_msg_id="m1"))["msgid"] != first["msgid"]


def test_a_day_has_so_many_template_messages(sim, openid):
    api = sim.api(sim.account(daily_limits={"/cgi-bin/message/template/send": 1}))

    codes = [api.post("message/template/send", body(openid, template(sim)))["errcode"] for _ in range(2)]

    assert codes == [0, 45009]


def test_templates_are_added_listed_and_deleted(sim, api, openid):
    made = api.post("template/api_add_template", {"template_id_short": "42", "keyword_name_list": ["活动", "时间"]})

    [told] = api.get("template/get_all_private_template")["template_list"]
    assert told["template_id"] == made["template_id"]
    assert told["content"] == "活动:{{thing1.DATA}}\n时间:{{time2.DATA}}"
    assert "deputy_industry" in told
    assert api.post("message/template/send", body(openid, made["template_id"]))["errcode"] == 0
    assert api.post("template/del_private_template", {"template_id": made["template_id"]})["errcode"] == 0
    assert api.post("template/del_private_template", {"template_id": made["template_id"]})["errcode"] == 40037


@pytest.mark.parametrize(
    ("add", "errcode"),
    [
        ({"template_id_short": "TM00015", "keyword_name_list": ["x"]}, 40247),
        ({"template_id_short": "42"}, 40246),
        ({"template_id_short": 42, "keyword_name_list": ["x"]}, 40037),
    ],
)
def test_refuses_to_add_a_template(api, add, errcode):
    assert api.post("template/api_add_template", add)["errcode"] == errcode


def test_twenty_five_templates_at_most(api):
    add = {"template_id_short": "42", "keyword_name_list": ["x"]}

    assert [api.post("template/api_add_template", add)["errcode"] for _ in range(26)] == [0] * 25 + [45026]


@pytest.mark.parametrize("fields", [{"kind": "subscription"}, {"verified": False}])
def test_only_verified_service_accounts(sim, api, openid, fields):
    sim.account(**fields)

    assert api.post("message/template/send", body(openid, "x"))["errcode"] == 48001
    assert api.post("message/subscribe/bizsend", body(openid, "x"))["errcode"] == 48001
    assert api.wxaapi("newtmpl/gettemplate")["errcode"] == 48001


def test_each_yes_is_one_notice(sim, api, openid, callback):
    template_id = template(sim, "one-time")
    asked = {"account": "tea", "openid": openid, "template_id": template_id}
    notice = body(openid, template_id, page="https://tea.example")
    assert api.post("message/subscribe/bizsend", notice)["errcode"] == 43101

    assert sim.post("/sim/consents", **asked) == {"remaining": 1}
    assert sim.post("/sim/consents", **asked, scene=2) == {"remaining": 2}
    assert sim.post("/sim/consents", **asked, accept=False) == {"remaining": 2}

    assert [api.post("message/subscribe/bizsend", notice)["errcode"] for _ in range(3)] == [0, 0, 43101]
    sim.settle()
    seen = events(callback)
    popups = [
        event["SubscribeMsgPopupEvent"]["List"] for event in seen if event["Event"] == "subscribe_msg_popup_event"
    ]
    assert sorted((one["SubscribeStatusString"], one["PopupScene"]) for one in popups) == [
        ("accept", "1"),
        ("accept", "2"),
        ("reject", "1"),
    ]
    sent = [event["SubscribeMsgSentEvent"]["List"] for event in seen if event["Event"] == "subscribe_msg_sent_event"]
    assert [(one["TemplateId"], one["ErrorCode"]) for one in sent] == [(template_id, "0")] * 2
    assert [item["kind"] for item in sim.inbox(openid)] == ["subscription"] * 2


def test_always_is_always_until_it_is_taken_back(sim, api, openid):
    template_id = template(sim, "long-term")
    asked = {"account": "tea", "openid": openid, "template_id": template_id}
    assert sim.post("/sim/consents", **asked, always=True) == {"remaining": -1}
    assert [api.post("message/subscribe/bizsend", body(openid, template_id))["errcode"] for _ in range(3)] == [0] * 3

    assert sim.post("/sim/consents", **asked, accept=False, settings=True) == {"remaining": 0}

    assert api.post("message/subscribe/bizsend", body(openid, template_id))["errcode"] == 43101


def test_a_notice_that_is_refused_costs_no_consent(sim, api, openid):
    template_id = template(sim, "one-time")
    sim.post("/sim/consents", account="tea", openid=openid, template_id=template_id)

    assert api.post("message/subscribe/bizsend", body(openid, template_id, page="nowhere"))["errcode"] == 41030
    assert api.post("message/subscribe/bizsend", body(openid, template_id, data={}))["errcode"] == 47003
    assert api.post("message/subscribe/bizsend", body(openid, template(sim)))["errcode"] == 40037
    assert api.post("message/subscribe/bizsend", body(openid, template_id))["errcode"] == 0


def test_a_notice_may_fail_at_wechat(sim, api, openid, callback):
    template_id = template(sim, "one-time")
    sim.post("/sim/consents", account="tea", openid=openid, template_id=template_id)
    sim.post("/sim/faults", path="subscribe_msg_sent_event", result="43101")

    api.post("message/subscribe/bizsend", body(openid, template_id))

    sim.settle()
    [told] = [each for each in events(callback) if "SubscribeMsgSentEvent" in each]  # beside that of the consent
    assert told["SubscribeMsgSentEvent"]["List"]["ErrorCode"] == "43101"
    assert sim.inbox(openid) == []


def test_templates_for_notices(api):
    made = api.wxaapi("newtmpl/addtemplate", {"tid": 7, "kidList": [1, 2], "sceneDesc": "orders"})

    [told] = api.wxaapi("newtmpl/gettemplate")["data"]
    assert (told["priTmplId"], told["type"]) == (made["priTmplId"], 2)
    assert told["content"] == "商品名称:{{thing1.DATA}}\n预约时间:{{time2.DATA}}"
    assert api.wxaapi("newtmpl/addtemplate", {"tid": 7, "kidList": [1, 2]})["errcode"] == 200022
    assert api.wxaapi("newtmpl/addtemplate", {"tid": "x", "kidList": [1, 2]})["errcode"] == 200014
    assert api.wxaapi("newtmpl/addtemplate", {"tid": 7, "kidList": [1]})["errcode"] == 200020
    assert api.wxaapi("newtmpl/addtemplate", {"tid": 7, "kidList": [1, 2], "sceneDesc": "x" * 16})["errcode"] == 200021
    assert api.wxaapi("newtmpl/deltemplate", {"priTmplId": made["priTmplId"]})["errcode"] == 0
    assert api.wxaapi("newtmpl/gettemplate")["data"] == []

"""How jobs end: the event, signed and sealed, and all that a test may order to go wrong with it."""

import time

import pytest
import requests

from bot.simulator import envelope

from .conftest import Sim

SEND = "/cgi-bin/message/mass/send"
END = "MASSSENDJOBFINISH"


@pytest.fixture
def account(sim: Sim, callback):
    return sim.account(callback_url=callback.url)


@pytest.fixture
def api(sim: Sim, account):
    return sim.api(account)


@pytest.fixture
def openids(sim: Sim, account):
    return [sim.follower(name=name) for name in ("mei", "li")]


def send(api, openids, content="hi", **more):
    body = {"touser": openids, "msgtype": "text", "text": {"content": content}}
    return api.post("message/mass/send", body | more)


def events(callback):
    return [envelope.from_xml(seen["body"]) for seen in callback.received]


def test_the_end_is_told_with_its_counts(sim, account, api, openids, callback):
    msg_id = send(api, openids)["msg_id"]

    sim.settle()
    [event] = events(callback)
    assert event["MsgID"] == str(msg_id)
    assert (event["Event"], event["Status"], event["MsgType"]) == (END, "send success", "event")
    assert [event[name] for name in ("TotalCount", "FilterCount", "SentCount", "ErrorCount")] == ["2", "2", "2", "0"]
    assert event["CopyrightCheckResult"] == {"Count": "0", "ResultList": "", "CheckState": "0"}
    assert event["ToUserName"] == account["original_id"]
    assert event["FromUserName"] not in openids
    assert len(event["FromUserName"]) == 28


def test_the_end_is_sealed_in_safe_mode(sim, account, openids, callback):
    account = sim.account(mode="safe")
    send(sim.api(account), openids)

    sim.settle()
    [seen] = callback.received
    sealed = envelope.from_xml(seen["body"])["Encrypt"]
    query = seen["query"]
    assert query["msg_signature"] == envelope.sign(account["token"], query["timestamp"], query["nonce"], sealed)
    text = envelope.decrypt(account["encoding_aes_key"], account["appid"], sealed)
    assert envelope.from_xml(text)["Event"] == END


def test_articles_are_told_with_their_addresses(sim, api, openids, callback):
    body = {"touser": openids, "msgtype": "mpnews", "mpnews": {"media_id": api.draft(("One", "Two"))}}
    api.post("message/mass/send", body)

    sim.settle()
    [event] = events(callback)
    assert event["ArticleUrlResult"]["Count"] == "2"
    assert sim.http.get(event["ArticleUrlResult"]["ResultList"]["item"][1]["ArticleUrl"]).status_code == 200
    assert event["CopyrightCheckResult"]["CheckState"] == "1"


@pytest.mark.parametrize(("takes", "status", "arrived"), [(0, "err(30003)", 0), (1, "send success", 1)])
def test_a_reprint_is_sent_only_on_request(sim, api, openids, callback, takes, status, arrived):
    sim.post("/sim/faults", path=END, result="reprint")
    body = {"touser": openids, "msgtype": "mpnews", "mpnews": {"media_id": api.draft()}, "send_ignore_reprint": takes}
    api.post("message/mass/send", body)

    sim.settle()
    [event] = events(callback)
    assert (event["Status"], event["CopyrightCheckResult"]["CheckState"]) == (status, "2")
    assert len(sim.inbox(openids[0])) == arrived


@pytest.mark.parametrize("result", ["send fail", "err(10001)"])
def test_a_job_may_fail(sim, api, openids, callback, result):
    sim.post("/sim/faults", path=END, result=result)

    msg_id = send(api, openids)["msg_id"]

    sim.settle()
    [event] = events(callback)
    assert (event["Status"], event["TotalCount"], event["SentCount"]) == (result, "2", "0")
    assert sim.inbox(openids[0]) == []
    assert api.post("message/mass/get", {"msg_id": msg_id})["msg_status"] == "SEND_FAIL"


def test_an_end_may_be_lost(sim, api, openids, callback):
    sim.post("/sim/faults", path=END, lost=True)

    send(api, openids)

    sim.settle()
    assert callback.received == []
    assert len(sim.inbox(openids[0])) == 1


def test_an_end_may_come_thrice(sim, api, openids, callback):
    sim.post("/sim/faults", path=END, copies=3)

    send(api, openids)

    sim.settle()
    assert len(callback.received) == 3
    assert len({str(event) for event in events(callback)}) == 1


def test_an_end_may_come_before_the_answer(sim, api, openids, callback):
    sim.post("/sim/faults", path=END, early=True)
    answered = []
    callback.answer_with(lambda seen: answered.append(time.monotonic()) or b"success")

    msg_id = send(api, openids)["msg_id"]

    assert answered[0] < time.monotonic()
    assert [event["MsgID"] for event in events(callback)] == [str(msg_id)]
    sim.settle()
    assert len(callback.received) == 1


def test_ends_may_be_late_and_out_of_order(sim, api, openids, callback):
    sim.post("/sim/faults", path=END, delay_seconds=900)
    first, second = (send(api, openids, content)["msg_id"] for content in ("one", "two"))

    end = time.monotonic() + 10
    while not callback.received:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert sim.get("/sim/jobs", account="tea")["waiting"] == {"masses": 0, "publications": 0, "events": 1}
    assert api.post("message/mass/get", {"msg_id": first})["msg_status"] == "SEND_SUCCESS"
    sim.advance(901)
    sim.settle()
    assert [event["MsgID"] for event in events(callback)] == [str(second), str(first)]


def test_an_end_is_tried_three_times(sim, api, openids, callback):
    sim.post("/sim/faults", path="callback", times=2, cut="reply")

    send(api, openids)

    sim.settle()
    assert len(callback.received) == 3


def test_a_refused_call_uses_no_fault(sim, api, openids, callback):
    sim.post("/sim/faults", path=END, lost=True)
    assert send(api, openids, "")["errcode"] == 44004

    send(api, openids)

    sim.settle()
    assert callback.received == []


@pytest.mark.parametrize(("fault", "arrived"), [({"cut": "reply"}, 1), ({"cut": "request"}, 0)])
def test_the_answer_or_the_request_may_be_lost(sim, api, openids, fault, arrived):
    sim.post("/sim/faults", path=SEND, **fault)

    with pytest.raises(requests.RequestException):
        send(api, openids, clientmsgid="c1")

    sim.settle()
    assert len(sim.inbox(openids[0])) == arrived
    sim.advance(61)
    again = send(api, openids, clientmsgid="c1")
    assert again["errcode"] == (45065 if arrived else 0)
    assert again["msg_id"] == sim.get("/sim/jobs", account="tea")["masses"][0]["msg_id"]


def test_an_error_may_come_though_the_work_is_done(sim, api, openids):
    sim.post("/sim/faults", path=SEND, errcode=45065, after=True)

    told = send(api, openids, clientmsgid="c1")

    sim.settle()
    [job] = sim.get("/sim/jobs", account="tea")["masses"]
    assert (told["errcode"], told["msg_id"]) == (45065, job["msg_id"])
    assert job | {"created_at": 0, "sent_at": 0} == {
        "msg_id": job["msg_id"],
        "client_id": "c1",
        "status": "SEND_SUCCESS",
        "type": "text",
        "scope": "list",
        "total": 2,
        "kept": 2,
        "created_at": 0,
        "sent_at": 0,
    }


def test_a_gateway_may_give_up_after_the_work(sim, api, openids):
    sim.post("/sim/faults", path=SEND, status=504, after=True, delay_ms=200)
    started = time.monotonic()

    body = b'{"touser":["%s","%s"],"msgtype":"text","text":{"content":"hi"}}' % tuple(one.encode() for one in openids)
    answer = sim.http.post(sim.url + SEND, params={"access_token": api.token}, data=body)

    assert answer.status_code == 504
    assert time.monotonic() - started > 0.2
    sim.settle()
    assert len(sim.inbox(openids[0])) == 1


def test_what_waits_survives_a_restart(start, callback):
    sim = start()
    account = sim.account(callback_url=callback.url, moderation_seconds=600)
    openids = [sim.follower(name=name) for name in ("mei", "li")]
    send(sim.api(account), openids)

    again = start()
    again.advance(601)

    again.settle()
    assert len(again.inbox(openids[0])) == 1
    assert len(callback.received) == 1


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"path": END}, "ive result"),
        ({"path": END, "errcode": -1}, "n event takes"),
        ({"path": END, "result": "fine"}, "result of MASSSENDJOBFINISH"),
        ({"path": SEND, "lost": True}, "are for MASSSENDJOBFINISH"),
        ({"path": SEND, "after": True}, "ive errcode"),
        ({"path": SEND, "after": True, "errcode": -1, "cut": "reply"}, "fter goes with"),
        ({"path": "callback", "cut": "request"}, " push has no"),
    ],
)
def test_refuses_a_fault_that_would_never_come(sim, fault, word):
    assert word in sim.post("/sim/faults", **fault)["error"]

"""A push goes out up to three times; what comes back is shown, or the failure notice is."""

import json
import socket
import time
from xml.etree import ElementTree

import pytest
from flask import Response

from bot.simulator import envelope

NOTICE = "该公众号提供的服务出现故障，请稍后再试"


def text_reply(seen=None, *, content="你好", to=None, sender=None):
    def answer(seen):
        xml = ElementTree.fromstring(seen["body"])
        return envelope.to_xml(
            {
                "ToUserName": to or xml.findtext("FromUserName"),
                "FromUserName": sender or xml.findtext("ToUserName"),
                "CreateTime": 1,
                "MsgType": "text",
                "Content": content,
            }
        ).encode()

    return answer


@pytest.fixture
def account(sim, callback):
    return sim.account(callback_url=callback.url, push_timeout_seconds=0.3)


@pytest.fixture
def openid(sim, account):
    return sim.follower()


def test_shows_the_reply(sim, callback, openid):
    callback.answer_with(text_reply())

    done = sim.say(openid, "在吗")

    assert done["reply"]["text"] == "你好"
    assert done["notice"] is None
    assert [attempt["status"] for attempt in done["attempts"]] == [200]
    assert [(item["kind"], item["text"]) for item in sim.inbox(openid)] == [("passive", "你好")]
    xml = ElementTree.fromstring(callback.received[0]["body"])
    assert xml.findtext("Content") == "在吗"
    assert int(xml.findtext("MsgId")) == done["msg_id"] > 2**53
    assert callback.received[0]["query"]["openid"] == openid


def test_asks_again_with_the_same_ids_and_a_fresh_signature(sim, account, callback, openid):
    callback.answer_with(0.8, Response(status=502), text_reply())

    done = sim.say(openid)

    assert [attempt["status"] for attempt in done["attempts"]] == [None, 502, 200]
    assert done["reply"]["text"] == "你好"
    bodies = {seen["body"] for seen in callback.received}
    assert len(bodies) == 1
    assert len({seen["query"]["nonce"] for seen in callback.received}) == 3
    for seen in callback.received:
        query = seen["query"]
        assert query["signature"] == envelope.sign(account["token"], query["timestamp"], query["nonce"])


def test_gives_up_after_three_attempts_with_the_notice(sim, callback, openid):
    callback.answer_with(Response(status=500))

    done = sim.say(openid)

    assert len(done["attempts"]) == 3
    assert done["notice"] == NOTICE
    assert [(item["kind"], item["text"]) for item in sim.inbox(openid)] == [("notice", NOTICE)]


def test_a_refused_connection_is_tried_three_times(sim, account):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sim.account(callback_url=f"http://127.0.0.1:{free.getsockname()[1]}/")
    done = sim.say(sim.follower())

    assert [attempt["status"] for attempt in done["attempts"]] == [None] * 3
    assert done["attempts"][0]["error"]


@pytest.mark.parametrize(
    "answer",
    [
        b'{"errcode":0}',
        b"ok",
        b"success\n",
        text_reply(content=""),
        text_reply(content="字" * 683),
        text_reply(to="someone-else"),
        text_reply(sender="gh_other"),
        Response(status=302, headers={"Location": "/elsewhere"}),
        Response(status=404),
        b"<xml><ToUserName>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><xml><ToUserName>a</ToUserName></xml>',
    ],
    ids=["json", "text", "line end", "empty", "too long", "wrong to", "wrong from", "redirect", "404", "broken", "dtd"],
)
def test_a_bad_answer_is_not_asked_again_and_shows_the_notice(sim, callback, openid, answer):
    callback.answer_with(answer)

    done = sim.say(openid)

    assert len(done["attempts"]) == 1
    assert done["notice"] == NOTICE
    assert done["why"]


def test_a_reply_that_drips_is_too_late(sim, callback, openid):
    def drip():
        for letter in b"success":
            time.sleep(0.1)
            yield bytes([letter])

    callback.answer_with(lambda seen: Response(drip()), b"success")

    assert [attempt["status"] for attempt in sim.say(openid)["attempts"]] == [None, 200]


@pytest.mark.parametrize("answer", [b"success", b""])
def test_silence_shows_nothing(sim, callback, openid, answer):
    callback.answer_with(answer)

    done = sim.say(openid)

    assert (done["reply"], done["notice"]) == (None, None)
    assert sim.inbox(openid) == []


@pytest.mark.parametrize(
    ("event", "shows"), [("CLICK", True), ("SCAN", True), ("subscribe", True), ("VIEW", False), ("LOCATION", False)]
)
def test_only_what_awaits_an_answer_shows_the_notice(sim, callback, openid, event, shows):
    callback.answer_with(b"broken")

    assert (sim.event(openid, event, event_key="k")["notice"] is not None) is shows


def test_events_have_no_id_and_wechats_spelling(sim, callback, openid):
    sim.event(
        openid, "click", event_key="V1", ScanCodeInfo={"ScanType": "qrcode"}, PicList=[{"item": "a"}, {"item": "b"}]
    )

    xml = ElementTree.fromstring(callback.received[0]["body"])
    assert xml.findtext("Event") == "CLICK"
    assert xml.findtext("EventKey") == "V1"
    assert xml.find("MsgId") is None
    assert xml.findtext("ScanCodeInfo/ScanType") == "qrcode"
    assert len(xml.findall("PicList")) == 2


@pytest.mark.parametrize(("event", "shown"), [("", 1), ("CLICK", 8)])
def test_drops_articles_that_are_too_many(sim, account, callback, openid, event, shown):
    item = {"Title": "t", "Description": "d", "PicUrl": "", "Url": "https://example.org"}
    head = {"ToUserName": openid, "FromUserName": account["original_id"], "CreateTime": 1, "MsgType": "news"}
    news = head | {"ArticleCount": 10, "Articles": {"item": [item] * 10}}
    callback.answer_with(envelope.to_xml(news).encode())

    done = sim.event(openid, event, event_key="k") if event else sim.say(openid)

    assert len(done["reply"]["articles"]) == shown
    assert done["notice"] is None


def test_a_reply_with_a_picture_needs_a_known_one(sim, account, callback, openid):
    head = {"ToUserName": openid, "FromUserName": account["original_id"], "CreateTime": 1, "MsgType": "image"}
    callback.answer_with(envelope.to_xml(head | {"Image": {"MediaId": "unknown"}}).encode())

    assert sim.say(openid)["notice"] == NOTICE


def test_a_picture_is_no_reply_with_a_voice(sim, account, callback, openid):
    media_id = sim.api(account).upload("image", b"GIF89a", "a.gif")["media_id"]
    head = {"ToUserName": openid, "FromUserName": account["original_id"], "CreateTime": 1, "MsgType": "voice"}
    callback.answer_with(envelope.to_xml(head | {"Voice": {"MediaId": media_id}}).encode())

    assert "of this type" in sim.say(openid)["why"]


def test_repeats_when_told_to_and_shows_one_reply(sim, callback, openid):
    callback.answer_with(text_reply())

    done = sim.say(openid, repeat=3, parallel=True)

    assert len(done["attempts"]) == len(callback.received) == 3
    assert len(sim.inbox(openid)) == 1


def test_blacklisted_followers_are_not_heard(sim, account, callback, openid):
    sim.api(account).post("tags/members/batchblacklist", {"openid_list": [openid]})

    assert sim.say(openid)["attempts"] == []
    assert callback.received == []


def test_sends_whatever_xml_a_test_wants(sim, callback, openid):
    sim.say(openid, raw_xml="<xml><MsgType>?</MsgType></xml>")

    assert callback.received[0]["body"] == b"<xml><MsgType>?</MsgType></xml>"


def test_slow_pushes_do_not_block_others(sim, callback, account, openid):
    sim.account("slow", callback_url=callback.url, push_timeout_seconds=3)
    other = sim.post("/sim/followers", account="slow", name="li")["openid"]
    callback.answer_with(1.0, b"success")
    import threading

    waiting = threading.Thread(target=sim.say, args=(other,), kwargs={"account": "slow"})
    waiting.start()
    time.sleep(0.2)
    started = time.monotonic()
    sim.say(openid)
    assert time.monotonic() - started < 0.7
    waiting.join()


def test_verifies_the_address(sim, account, callback):
    callback.answer_with(lambda seen: seen["query"]["echostr"].encode())
    assert sim.post("/sim/verify", account="tea")["ok"] is True

    callback.answer_with(lambda seen: json.dumps(seen["query"]["echostr"]).encode())
    assert sim.post("/sim/verify", account="tea")["ok"] is False


def test_the_consoles_replies_answer_only_without_a_callback(sim, callback):
    sim.account(callback_url="")
    openid = sim.follower()
    default = {"type": "text", "content": "稍后回复"}
    sim.post("/sim/autoreplies", account="tea", is_autoreply_open=1, message_default_autoreply_info=default)

    assert sim.say(openid)["reply"]["text"] == "稍后回复"
    sim.account(callback_url=callback.url)
    assert sim.say(openid)["reply"] is None

"""Plain, compatible and safe mode; the crypto against vectors made elsewhere."""

from xml.etree import ElementTree

import pytest

from bot.simulator import envelope
from bot.simulator.envelope import BadEnvelope

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APPID = "wx1234567890abcdef"
PLAIN = "<xml><ToUserName><![CDATA[gh_sim]]></ToUserName><Content><![CDATA[你好]]></Content></xml>"
SEALED = (
    "Q3stYC6hdFzMh9T8HCvyDChU+LUJux1Eo84blYhLoUivjG1lx3zxxWMN6LKxfz89EBzPZOeLzwaTDDetTKpQKMO9l8eXNRycVuo3NirJqoBKyL1v"
    "P5VVED0Ly4tKkYOY48RXmD9EZNw6AmMPZCZNb802Ks0KELg6XZD8syupHryqHKabIPFjaFiDUQO3Xcl6W5yiG5xJ/06Ggb1vKbDRWA=="
)


def test_matches_the_vectors():
    signed = ("simtoken", "1714112445", "415670741")

    assert envelope.sign(*signed) == "0cd7527cfa8c0d5ffa46212163f5f847d1d690fb"
    assert envelope.encrypt(KEY, APPID, PLAIN.encode(), head=b"0123456789abcdef") == SEALED
    assert envelope.sign(*signed, SEALED) == "1cd7b9e72a5129226314fd0c0a1b7df0bed262f5"
    assert envelope.decrypt(KEY, APPID, SEALED).decode() == PLAIN


def test_refuses_another_appid_and_broken_blocks():
    with pytest.raises(BadEnvelope):
        envelope.decrypt(KEY, "wx0000000000000000", SEALED)
    with pytest.raises(BadEnvelope):
        envelope.decrypt(KEY, APPID, SEALED[:40])


def test_cuts_a_text_that_holds_the_end_mark():
    xml = envelope.to_xml({"Content": "a]]>b"})

    assert ElementTree.fromstring(xml).findtext("Content") == "a]]>b"
    assert envelope.from_xml(xml.encode()) == {"Content": "a]]>b"}


@pytest.mark.parametrize(
    ("mode", "has_plain", "has_sealed"), [("plain", True, False), ("compatible", True, True), ("safe", False, True)]
)
def test_each_mode_sends_its_fields(sim, callback, mode, has_plain, has_sealed):
    account = sim.account(callback_url=callback.url, mode=mode)
    openid = sim.follower()

    sim.say(openid, "在吗")

    seen = callback.received[0]
    xml = ElementTree.fromstring(seen["body"])
    query = seen["query"]
    assert xml.findtext("ToUserName") == account["original_id"]
    assert (xml.find("Content") is not None) is has_plain
    assert query["signature"] == envelope.sign(account["token"], query["timestamp"], query["nonce"])
    assert query["openid"] == openid
    assert (query.get("encrypt_type") == "aes") is has_sealed
    if has_sealed:
        sealed = xml.findtext("Encrypt")
        assert query["msg_signature"] == envelope.sign(account["token"], query["timestamp"], query["nonce"], sealed)
        opened = envelope.decrypt(account["encoding_aes_key"], account["appid"], sealed)
        assert ElementTree.fromstring(opened).findtext("Content") == "在吗"


def plain_reply(account, openid):
    fields = {"ToUserName": openid, "FromUserName": account["original_id"], "CreateTime": 1}
    return envelope.to_xml(fields | {"MsgType": "text", "Content": "好"}).encode()


def sealed_reply(account, openid, *, signature=""):
    sealed = envelope.encrypt(account["encoding_aes_key"], account["appid"], plain_reply(account, openid))
    signature = signature or envelope.sign(account["token"], "1", "2", sealed)
    return envelope.to_xml({"Encrypt": sealed, "MsgSignature": signature, "TimeStamp": 1, "Nonce": "2"}).encode()


@pytest.mark.parametrize(
    ("mode", "sealed", "shown"),
    [
        ("plain", False, True),
        ("plain", True, False),
        ("compatible", False, True),
        ("compatible", True, True),
        ("safe", False, False),
        ("safe", True, True),
    ],
)
def test_each_mode_takes_its_replies(sim, callback, mode, sealed, shown):
    account = sim.account(callback_url=callback.url, mode=mode)
    openid = sim.follower()
    callback.answer_with(sealed_reply(account, openid) if sealed else plain_reply(account, openid))

    done = sim.say(openid)

    assert (done["reply"] is not None) is shown
    assert (done["notice"] is None) is shown


def test_a_wrong_signature_of_a_sealed_reply_shows_the_notice(sim, callback):
    account = sim.account(callback_url=callback.url, mode="safe")
    openid = sim.follower()
    callback.answer_with(sealed_reply(account, openid, signature="0" * 40))

    assert sim.say(openid)["notice"]


def test_silence_stays_bare_in_safe_mode(sim, callback):
    sim.account(callback_url=callback.url, mode="safe")

    assert sim.say(sim.follower())["notice"] is None

"""Odd and hostile documents (T04, T05): a message, or a plain refusal, and quickly."""

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.wechat import xml
from bot.wechat.envelope import Rejected, open_envelope
from bot.wechat.messages import Message

from .conftest import NOW, credentials, push
from .samples import SAMPLES, sample

HELLO = sample("text")
CONTROLS = "".join(map(chr, range(1, 32))).replace("\r", "")


def outcome(document: str | bytes, mode="plain") -> Message | int:
    """The message, or the status of the refusal."""
    try:
        return open_envelope(credentials(mode), *push(document, mode), NOW)
    except Rejected as error:
        return error.status


def hello(old: str, new: str) -> str:
    assert old in HELLO
    return HELLO.replace(old, new)


@pytest.mark.parametrize(
    "document",
    [
        "",
        " ",
        "success",
        '{"MsgType": "text"}',
        "<xml>",
        "<xml></xml>",
        "<xml/>",
        "<xml>text</xml>",
        "<xml></xml><xml></xml>",
        HELLO + "x",
        hello("<xml>", "<html>").replace("</xml>", "</html>"),
        hello("<xml>", "<x:xml>").replace("</xml>", "</x:xml>"),
        "<root>" + HELLO + "</root>",
        HELLO.encode("utf-16"),
        HELLO.encode("utf-16-le"),
        HELLO.encode("utf-16-be"),
        HELLO.encode("utf-32"),
        '<?xml version="1.0" encoding="UTF-16"?>'.encode("utf-16-le") + HELLO.encode("utf-16-le"),
        hello("<MsgType>", "<MsgType><![CDATA[text]]></MsgType><MsgType>"),
        hello("<FromUserName>", "<FromUserName>oOther</FromUserName><FromUserName>"),
        hello("<MsgId>", "<MsgId>1</MsgId><MsgId>"),
        hello("<Content>", "<Content>x</Content><Content>"),
        hello("<Content>", "<Content><b>x</b>"),
        hello("<![CDATA[text]]>", ""),
        hello("<MsgType><![CDATA[text]]></MsgType>", ""),
        hello("[text]", "[te xt]"),
        hello("[text]", "[" + "x" * 65 + "]"),
        re.sub("<FromUserName>.*</FromUserName>", "", HELLO),
        sample("text", openid="o" * 65),
        sample("text", openid="o<b>"),
        sample("text", openid=""),
        hello("<CreateTime>1714112445</CreateTime>", ""),
        hello("1714112445", "1e20"),
        hello("1714112445", "99999999999"),
        hello("1714112445", "-1"),
        hello("1714112445", "１７１４"),
        hello("<MsgId>", "<MsgId>12x"),
        hello("<MsgId>", "<MsgId>99999"),
        hello("<MsgId>", "<MsgId>-"),
        sample("click").replace("[CLICK]", "[]"),
        sample("click").replace("<Event>", "<Event>VIEW</Event><Event>"),
        sample("click").replace("<EventKey>", "<EventKey>a</EventKey><EventKey>"),
        '<!DOCTYPE xml [<!ENTITY a "b">]>' + HELLO,
        "<!DOCTYPE xml>" + HELLO,
        '<!DOCTYPE xml SYSTEM "file:///etc/passwd">' + HELLO,
        hello("<Content>", "<Content>&undefined;"),
        hello("<Content>", "<?php echo 1 ?><Content>"),
        '<?xml-stylesheet href="x"?>' + HELLO,
        hello("<Content>", "<a>" * 16 + "</a>" * 16 + "<Content>"),
        hello("<Content>", "<a/>" * 200 + "<Content>"),
        hello("<Content>", "<Content>&#2;"),
        hello("<Content>", "<Content>&#xD800;"),
        hello("<MsgType>", "<Msg\x02Type>"),
    ],
)
def test_refuses_what_wechat_would_not_send(document):
    assert outcome(document) == 400


@pytest.mark.parametrize(
    "document",
    [
        '<?xml version="1.0" encoding="UTF-8"?>\n' + HELLO,
        "\ufeff" + HELLO,
        re.sub(r"(</\w+>)", "\\1\r\n  ", HELLO),
        hello("<Content>", "<!-- a remark --><Content>"),
        hello("<xml>", '<xml xmlns="urn:x" a="b">'),
        hello("<Content>", "<a>" * 15 + "</a>" * 15 + "<Content>"),
        hello("<Content>", "<a/>" * 190 + "<Content>"),
        hello("<MsgId>24650000000000001</MsgId>", ""),
        "\n".join(["<xml>", *re.findall(r"<\w+>.*?</\w+>", HELLO[5:-6])[::-1], "</xml>"]),
    ],
)
def test_reads_what_only_looks_different(document):
    message = outcome(document)
    assert isinstance(message, Message)
    assert (message.kind, message.text) == ("text", "this is a test")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<![CDATA[a\x02b]]>", "a\x02b"),
        (
            "<![CDATA[" + "".join(map(chr, range(1, 32))).replace("\r", "") + "]]>",
            "".join(map(chr, range(1, 32))).replace("\r", ""),
        ),
        ("<![CDATA[\x02\ue000\U000f0000\U000f0001\uf8ff]]>", "\x02\ue000\U000f0000\U000f0001\uf8ff"),
        ("\x02&#xF0000;&#983041;", "\x02\U000f0000\U000f0001"),
        ("\x1b\ufffe\uffff", "\x1b\ufffe\uffff"),
        ("a\x00b", "a\ufffdb"),
        ("<![CDATA[\ue000\U000f0000]]>", "\ue000\U000f0000"),
        ("<![CDATA[a]]]]><![CDATA[>b]]>", "a]]>b"),
        ("<![CDATA[<b>]]>&lt;&amp;&#20320;", "<b><&你"),
        ("<![CDATA[]]>", ""),
        ("<![CDATA[👩‍👩‍👧]]>", "👩‍👩‍👧"),
    ],
)
@pytest.mark.parametrize("mode", ["plain", "safe"])
def test_a_text_survives_with_every_character(written, read, mode):
    message = outcome(hello("<![CDATA[this is a test]]>", written), mode)
    assert isinstance(message, Message)
    assert message.text == message.fields["Content"] == read


def test_bytes_that_are_not_utf8_cost_a_character_not_the_message():
    message = outcome(HELLO.encode().replace(b"a test", b"a \xe4\xbd test"))
    assert isinstance(message, Message)
    assert (
        message.text == "this is \ufffd test".replace("is ", "is a ", 1).replace("a a", "a") or "\ufffd" in message.text
    )


def test_control_characters_survive_in_nested_fields():
    message = outcome(sample("scancode_push").replace("[1]", "[1\x1d2]"))
    assert isinstance(message, Message)
    assert message.fields["ScanCodeInfo"]["ScanResult"] == "1\x1d2"


def test_many_megabytes_without_a_signature_cost_nothing():
    """T04."""
    body = b"<xml>" + b"<a>" * 1_000_000 + b"</a>" * 1_000_000 + b"</xml>"
    before = time.process_time()
    for query in ({}, push("")[0]):
        with pytest.raises(Rejected) as caught:
            open_envelope(credentials(), query, body, NOW)
        assert caught.value.status == 413
    assert time.process_time() - before < 0.05


def test_nothing_is_parsed_before_the_signature():
    hostile = b"<xml>" + b"<a>" * 21_000
    with pytest.raises(Rejected) as caught:
        open_envelope(credentials(), {}, hostile, NOW)
    assert caught.value.status == 403
    assert outcome(hostile) == 400


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_whatever_a_follower_writes_arrives(text):
    text = text.replace("\r", "").replace("\0", "")
    written = "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
    assert xml.parse(f"<xml><Content>{written}</Content></xml>".encode()) == {"Content": text}


# -- 5,000 bodies nobody would think of (T05)


NUMBERS = [b"1e20", b"12x", b"-1", b"", b"9" * 50, b"\xff"]
MARKUP = [b"<!DOCTYPE a>", b"&a;", b"]]>", b"<![CDATA[", b"<!--", b"<?a?>", b"\0\x02"]


def fuzzed(chance: random.Random) -> bytes:
    """A sample, damaged in a few places."""
    body = bytearray(sample(chance.choice(list(SAMPLES))).encode())
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(body) + 1)
        to = min(len(body), at + chance.randint(0, 40))
        match chance.randrange(7):
            case 0:
                body[at:to] = b""
            case 1:
                body[at:at] = chance.randbytes(chance.randint(1, 8))
            case 2:
                body[at:at] = body[at:to]
            case 3:
                tags = re.findall(rb"</?\w+>", body) or [b"<xml>"]
                body[at:at] = chance.choice(tags)
            case 4:
                digits = list(re.finditer(rb"\d+", body))
                if digits:
                    found = chance.choice(digits)
                    body[found.start() : found.end()] = chance.choice(NUMBERS)
            case 5:
                body[at:at] = chance.choice(
                    [b"<!DOCTYPE a>", b"&a;", b"]]>", b"<![CDATA[", b"<!--", b"<?a?>", b"\0\x02"]
                )
            case 6:
                body = body[:at]
    return bytes(body)


def fuzz(count: int, seed: int) -> None:
    chance = random.Random(seed)
    refusals = set()
    for _ in range(count):
        document = fuzzed(chance)
        query, body = push(HELLO, "safe")
        start = chance.randrange(len(body))
        for account, push_ in (
            (credentials(), push(document)),
            (credentials("safe"), push(document, "safe")),
            (credentials("safe"), (query, document)),
            (credentials("safe"), (query, body[:start] + chance.randbytes(3) + body[start + 3 :])),
        ):
            try:
                open_envelope(account, *push_, NOW)
            except Rejected as error:
                refusals.add(error.status)
    assert refusals == {400, 403}


def test_no_body_causes_another_exception():
    fuzz(500, seed=5)


@pytest.mark.campaign
def test_no_body_of_many_causes_another_exception():
    fuzz(5000, seed=random.randrange(10**9))

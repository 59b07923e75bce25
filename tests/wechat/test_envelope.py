"""What is let in through the callback, and what is not (T02, T03, T05, T06, T07, T08)."""

import random

import pytest
import xmltodict
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TextReply
from werkzeug.datastructures import MultiDict

from bot.wechat import crypto, limits, xml
from bot.wechat.envelope import SILENT, Credentials, Rejected, open_envelope, read_query, seal, verify
from bot.wechat.messages import Message, Silence, Text

from .conftest import AES_KEY, APPID, NONCE, NOW, TOKEN, credentials, push, sealed_push, signature
from .samples import SAMPLES, sample

MODES = ("plain", "compatible", "safe")
HELLO = sample("text")


def opened(document: str | bytes, mode="plain") -> Message:
    return open_envelope(credentials(mode), *push(document, mode), NOW)


def refused(account: Credentials, query, body: bytes, now: float = NOW) -> Rejected:
    with pytest.raises(Rejected) as caught:
        open_envelope(account, query, body, now)
    return caught.value


# -- Messages


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SAMPLES)
def test_reads_every_kind_of_push_as_wechatpy_does(name, mode):
    document = sample(name)
    reference = parse_message(document)
    raw = xmltodict.parse(document)["xml"]

    message = opened(document, mode)

    assert (message.openid, message.to) == (reference.source, reference.target)
    assert message.created_at == int(reference.create_time.timestamp())
    assert message.kind == raw["MsgType"]
    assert message.event == raw.get("Event", "").lower()  # wechatpy renames some
    assert message.msg_id == raw.get("MsgId", "")
    if message.kind == "text":
        assert message.text == reference.content
    if message.event in {"scan", "click", "scancode_push"}:
        assert message.key == (reference.scene_id if message.event == "scan" else reference.key)
    assert message.is_receipt == (name in {"mass_sent", "published", "publish_failed"})
    assert _none_for_empty(message.fields) == raw


def _none_for_empty(value):
    """As xmltodict writes it."""
    if isinstance(value, dict):
        return {name: _none_for_empty(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_none_for_empty(inner) for inner in value]
    return value or None


def test_there_are_samples_of_every_kind():
    assert len(SAMPLES) >= 60


@pytest.mark.parametrize(
    ("event", "key", "expected"),
    [
        ("subscribe", "qrscene_123", "123"),
        ("subscribe", "qrscene_qrscene_123", "qrscene_123"),
        ("subscribe", "scanbarcode|ean13|1", "scanbarcode|ean13|1"),
        ("subscribe", "", ""),
        ("SCAN", "qrscene_123", "qrscene_123"),
        ("CLICK", "qrscene_1", "qrscene_1"),
    ],
)
def test_takes_the_qrcode_prefix_off_once_and_only_from_a_follow(event, key, expected):
    document = sample("scan").replace("[SCAN]", f"[{event}]").replace("[123123]", f"[{key}]")
    assert opened(document).key == expected


def test_keeps_repeated_elements_as_a_list_and_nested_ones_as_a_dict():
    popup = opened(sample("subscribe_msg_popup")).fields["SubscribeMsgPopupEvent"]
    assert [row["TemplateId"] for row in popup["List"]] == ["VRR0", "VRR1"]
    assert opened(sample("publish_failed")).fields["PublishEventInfo"]["fail_idx"] == ["1", "2"]
    assert len(opened(sample("pic_weixin")).fields["SendPicsInfo"]["PicList"]) == 2


def test_passes_an_unknown_type_on():
    message = opened(sample("text").replace("[text]", "[Hologram]"))
    assert message.kind == "hologram"
    assert not message.is_known


def test_takes_any_account_while_the_original_id_is_unknown():
    account = credentials(original_id="")
    assert open_envelope(account, *push(sample("text", to="gh_other")), NOW).to == "gh_other"


# -- Who is let in


@pytest.mark.parametrize("name", ["timestamp", "nonce", "signature"])
def test_refuses_a_missing_parameter(name):
    query, body = push(HELLO)
    del query[name]
    assert refused(credentials(), query, body).status == 403


@pytest.mark.parametrize("name", ["timestamp", "nonce", "signature", "encrypt_type", "msg_signature"])
def test_refuses_a_parameter_that_comes_twice(name):
    query, body = push(HELLO, "safe")
    twice = MultiDict([*query.items(), (name, query[name])])
    assert refused(credentials("safe"), twice, body).status == 403
    with pytest.raises(Rejected):
        read_query("&".join(f"{key}={value}" for key, value in twice.items(multi=True)))


def test_reads_a_query_string_as_wechat_sends_it():
    query = read_query(f"signature=ab&timestamp={NOW}&nonce=1&openid=oA&encrypt_type=aes&msg_signature=cd")
    assert query["timestamp"] == str(NOW)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 10**9])
def test_refuses_a_request_that_is_too_old_or_from_the_future(seconds):
    assert refused(credentials(), *push(HELLO), now=NOW + seconds).status == 403


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_takes_a_request_within_the_skew(seconds):
    assert open_envelope(credentials(), *push(HELLO), NOW + seconds).text == "this is a test"


@pytest.mark.parametrize("given", ["", "0" * 40, "é", "\ud800", "0CD7527CFA8C0D5FFA46212163F5F847D1D690FB"])
def test_refuses_another_signature(given):
    query, body = push(HELLO)
    assert refused(credentials(), query | {"signature": given}, body).status == 403


@pytest.mark.parametrize("timestamp", ["1714112445\n", "١٧١٤١١٢٤٤٥", " 1714112445", "+714112445", "1714112445.0", ""])
def test_refuses_an_odd_timestamp_even_when_signed(timestamp):
    query = {"timestamp": timestamp, "nonce": "1", "signature": signature(TOKEN, timestamp, "1")}
    assert refused(credentials(), query, HELLO.encode()).status == 403


@pytest.mark.parametrize("nonce", ["", "a" * 33, "a b", "a\n", "é", "a-b"])
def test_refuses_an_odd_nonce_even_when_signed(nonce):
    query = {"timestamp": str(NOW), "nonce": nonce, "signature": signature(TOKEN, str(NOW), nonce)}
    assert refused(credentials(), query, HELLO.encode()).status == 403


def test_refuses_everybody_while_the_token_is_empty():
    query = {"timestamp": str(NOW), "nonce": NONCE, "signature": signature("", str(NOW), NONCE)}
    assert refused(credentials(token=""), query, HELLO.encode()).status == 403


def test_refuses_all_other_splits_of_timestamp_and_nonce():
    """T02: the signature covers the digits run together, so the border must be fixed."""
    chance = random.Random(2)
    statuses = []
    while len(statuses) < 10_000:
        nonce = str(chance.randrange(10 ** chance.randint(1, 12)))
        digits = f"{NOW}{nonce}"
        border = chance.randrange(len(digits) + 1)
        if border == 10:
            continue
        query = {"timestamp": digits[:border], "nonce": digits[border:], "signature": signature(TOKEN, str(NOW), nonce)}
        statuses.append(refused(credentials(), query, HELLO.encode()).status)
    assert set(statuses) == {403}


# -- Modes (T03)


def test_a_plain_account_refuses_encrypted_bodies():
    for mode in ("safe", "compatible"):
        assert refused(credentials("plain"), *push(HELLO, mode)).status == 403


def test_a_plain_account_takes_the_encryption_named_raw():
    query, body = push(HELLO)
    assert open_envelope(credentials(), query | {"encrypt_type": "raw"}, body, NOW).kind == "text"


@pytest.mark.parametrize("mode", ["safe", "compatible"])
@pytest.mark.parametrize("encrypt_type", [None, "", "raw", "AES", "des"])
def test_an_encrypted_account_cannot_be_talked_into_plain(mode, encrypt_type):
    query, body = push(sample("text", openid="oVictim"), "compatible")
    query.pop("encrypt_type")
    if encrypt_type is not None:
        query["encrypt_type"] = encrypt_type
    assert refused(credentials(mode), query, body).status == 403


@pytest.mark.parametrize("mode", ["safe", "compatible"])
def test_an_encrypted_account_refuses_a_valid_triple_with_a_plain_body(mode):
    query, body = push(HELLO)
    assert refused(credentials(mode), query, body).status == 403
    signed = query | {"encrypt_type": "aes", "msg_signature": query["signature"]}
    assert refused(credentials(mode), signed, body).status == 403
    assert refused(credentials(mode), query | {"encrypt_type": "aes"}, body).status == 403


@pytest.mark.parametrize("mode", ["safe", "compatible"])
def test_only_the_encrypted_part_counts(mode):
    query, body = push(HELLO, "compatible")
    forged = body.replace(b"oFollower_1234567890-abcdefg", b"oVictim").replace(b"this is a test", b"transfer")
    assert forged != body
    message = open_envelope(credentials(mode), query, forged, NOW)
    assert (message.openid, message.text) == ("oFollower_1234567890-abcdefg", "this is a test")
    assert "Encrypt" not in message.fields


def test_refuses_another_ciphertext_under_the_same_signature():
    query, _ = push(HELLO, "safe")
    _, other = push(sample("text", openid="oVictim"), "safe")
    assert refused(credentials("safe"), query, other).status == 403


def test_refuses_two_ciphertexts():
    query, body = push(HELLO, "safe")
    start, end = body.index(b"<Encrypt>"), body.index(b"</xml>")
    assert refused(credentials("safe"), query, body[:end] + body[start:end] + b"</xml>").status == 403


# -- Crypto faults (T06)


def test_every_crypto_fault_looks_the_same():
    chance = random.Random(6)
    good = push(HELLO, "safe")[1].partition(b"<Encrypt><![CDATA[")[2].partition(b"]]>")[0].decode()
    ciphertexts = ["!", "====", "é", "AAAA", good[:-4], good[:-1], good[4:], good + "AAAA", good[:64]]
    for _ in range(3000):
        length = chance.choice([16, 32, 48, 64, 96, 160, 161])
        ciphertexts.append(crypto.base64.b64encode(chance.randbytes(length)).decode())
    ciphertexts += [
        crypto.encrypt(AES_KEY, "wx0000000000000000", HELLO.encode()),  # T08: another account's
        crypto.encrypt(AES_KEY[::-1], APPID, HELLO.encode()),
        crypto.encrypt(AES_KEY, APPID, b"<xml>"),
        crypto.encrypt(AES_KEY, APPID, sample("text", to="gh_other").encode()),
    ]
    answers = {
        (error.status, error.sentence)
        for error in (refused(credentials("safe"), *sealed_push(text)) for text in ciphertexts)
    }
    assert answers == {(403, "The message could not be opened.")}


@pytest.mark.parametrize("key", ["", "short", AES_KEY + "A", "é" * 43, AES_KEY[:-1] + "="])
def test_a_broken_key_of_ours_refuses_too(key):
    account = credentials("safe", encoding_aes_key=key)
    assert refused(account, *push(HELLO, "safe")).status == 403


def _tampered(padding: bytes, length: int | None = None) -> str:
    """Encrypt with our own padding and length."""
    text = HELLO.encode()
    plain = b"r" * 16 + (len(text) if length is None else length).to_bytes(4, "big") + text + APPID.encode()
    plain += padding[-1:] * ((-len(plain) - len(padding)) % 32) + padding
    encryptor = crypto._cipher(AES_KEY).encryptor()
    return crypto.base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


@pytest.mark.parametrize(
    "encrypted",
    [
        _tampered(b"\x00"),
        _tampered(b"\x21"),
        _tampered(b"\x01\x02"),
        _tampered(b"\x07" * 7, length=2**32 - 1),
        _tampered(b"\x07" * 7, length=len(HELLO.encode()) + 40),
        _tampered(b"\x07" * 7, length=0),
    ],
)
def test_refuses_wrong_padding_and_lengths(encrypted):
    assert refused(credentials("safe"), *sealed_push(encrypted)).status == 403


# -- Wrong account (T08)


@pytest.mark.parametrize("mode", MODES)
def test_refuses_a_message_to_another_account(mode):
    error = refused(credentials(mode), *push(sample("text", to="gh_other"), mode))
    assert error.status == 403
    assert error.is_signed
    assert "gh_other" not in error.sentence + error.reason + str(error)


def test_refuses_another_accounts_appid():
    assert refused(credentials("safe"), *push(HELLO, "safe", appid="wx0000000000000000")).status == 403


# -- The address check (T07)


def test_echoes_what_wechat_sends_to_try_the_address():
    query, _ = push("")
    assert verify(credentials("safe"), query | {"echostr": "5838479218127813673"}, NOW) == "5838479218127813673"


@pytest.mark.parametrize("echo", ["<script>alert(1)</script>", "", "a" * 129, "a\n", "é", "a b"])
def test_does_not_echo_what_wechat_would_not_send(echo):
    query, _ = push("")
    with pytest.raises(Rejected) as caught:
        verify(credentials(), query | {"echostr": echo}, NOW)
    assert caught.value.status == 400
    assert not echo or echo not in caught.value.sentence + caught.value.reason


def test_does_not_echo_to_strangers():
    with pytest.raises(Rejected) as caught:
        verify(credentials(), {"echostr": "1", "timestamp": str(NOW), "nonce": "1", "signature": "0" * 40}, NOW)
    assert caught.value.status == 403


# -- Answers

ANSWER = Text(text="你好 ]]> there")


def test_says_nothing_with_success():
    for mode in MODES:
        for reply in (None, Silence()):
            assert seal(credentials(mode), opened(HELLO), reply, NOW) == SILENT == b"success"


def test_answers_a_plain_account_in_plain():
    body = seal(credentials(), opened(HELLO), ANSWER, NOW + 0.9).decode()
    assert body.startswith("<xml><ToUserName><![CDATA[oFollower_1234567890-abcdefg]]></ToUserName>")
    assert f"<CreateTime>{NOW}</CreateTime>" in body


@pytest.mark.parametrize("mode", ["safe", "compatible"])
def test_wechatpy_can_open_what_we_seal(mode):
    message = opened(HELLO, mode)
    plain = seal(credentials(), message, ANSWER, NOW)

    body = seal(credentials(mode), message, ANSWER, NOW, nonce="abc")

    envelope = xml.parse(body)
    assert (envelope["TimeStamp"], envelope["Nonce"]) == (str(NOW), "abc")
    wechat = WeChatCrypto(TOKEN, AES_KEY, APPID)
    assert wechat.decrypt_message(body, envelope["MsgSignature"], str(NOW), "abc") == plain.decode()


def test_two_seals_differ():
    message = opened(HELLO, "safe")
    assert seal(credentials("safe"), message, ANSWER, NOW) != seal(credentials("safe"), message, ANSWER, NOW)


def test_we_can_open_what_wechatpy_replies():
    reply = TextReply(source="oFollower", target="gh_sim", content="hi").render()
    assert opened(reply, "safe").text == "hi"


def test_secrets_do_not_show_in_a_printed_account():
    shown = repr(credentials()) + str(credentials())
    assert TOKEN not in shown
    assert AES_KEY not in shown


def test_the_longest_body_is_still_read():
    room = limits.CALLBACK_BYTES - len(HELLO.encode())
    document = HELLO.replace("this is a test", "this is a test" + "x" * room)
    assert len(opened(document).text) == room + len("this is a test")
    assert refused(credentials(), *push(document + " ")).status == 413

"""Opens what WeChat posts to us and seals what we answer: bytes in, bytes out, no network and no state."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl

from bot.wechat import crypto, limits, xml
from bot.wechat.messages import Message, Reply
from bot.wechat.replies import render

SILENT = b"success"

_SKEW = limits.CALLBACK_SKEW.total_seconds()
# Ten digits, no more: otherwise a digit moved from timestamp to nonce would keep the signature valid.
_TIMESTAMP = re.compile(r"[0-9]{10}")
_NONCE = re.compile(r"[0-9A-Za-z]{1,32}")
_ECHO = re.compile(r"[0-9A-Za-z_\-+/=]{1,128}")
_FOLLOWER = re.compile(r"[0-9A-Za-z_-]{1,64}")
_KIND = re.compile(r"[0-9A-Za-z_.-]{1,64}")
_SECONDS = re.compile(r"[0-9]{1,10}")
_MSG_ID = re.compile(r"[0-9]{1,20}")
# Which of two would count?  So these may come once only.
_SINGLE = (
    "ToUserName",
    "FromUserName",
    "CreateTime",
    "MsgType",
    "MsgId",
    "MsgID",
    "Content",
    "Event",
    "EventKey",
    "bizmsgmenuid",
)

Mode = Literal["plain", "compatible", "safe"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """One account's callback settings, decrypted."""

    token: str = field(repr=False)
    encoding_aes_key: str = field(repr=False)
    appid: str
    original_id: str  # "gh_…"; "": not known yet, any is taken
    mode: Mode


class Rejected(Exception):
    """Not to be taken.  ``sentence`` may be sent back; ``reason`` is for logs; neither repeats what came.

    ``is_signed``: it carries a signature of this account's but is another's or forged: worth a record.
    """

    def __init__(self, status: Literal[400, 403, 413], sentence: str, reason: str, is_signed: bool = False) -> None:
        super().__init__(status, reason)
        self.status = status
        self.sentence = sentence
        self.reason = reason
        self.is_signed = is_signed


def read_query(query_string: str) -> dict[str, str]:
    """Take apart the part of the address after "?".

    Raises:
        Rejected: 403, a parameter comes twice or there are too many.
    """
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        raise _unsigned("too many query parameters") from None
    query = dict(pairs)
    if len(query) < len(pairs):
        raise _unsigned("a query parameter comes twice")
    return query


def verify(credentials: Credentials, query: Mapping[str, str], now: float) -> str:
    """Check the GET by which WeChat tries the address, and return what to answer as text/plain.

    Args:
        now: Unix seconds.

    Raises:
        Rejected: 403, not signed with this account's token lately; 400, an echostr WeChat would not send.
    """
    _check_signature(credentials, query, now)
    # The signature does not cover echostr, so somebody else's text could stand here.
    echo = query.get("echostr", "")
    if not _ECHO.fullmatch(echo):
        raise Rejected(400, "The echostr is missing or not one of WeChat's.", "odd echostr")
    return echo


def open_envelope(credentials: Credentials, query: Mapping[str, str], body: bytes, now: float) -> Message:
    """Check and read one push.

    In safe and compatible mode only what was encrypted counts, and every fault found after the message
    signature gives the same answer, so that nobody learns how far a made-up ciphertext came.

    Args:
        query: the parameters, each once; a MultiDict is looked through for repeated ones.
        now: Unix seconds.

    Raises:
        Rejected: 413, longer than ``limits.CALLBACK_BYTES``; 403, not WeChat or not for this account;
            400, signed but no message.
    """
    if len(body) > limits.CALLBACK_BYTES:
        raise Rejected(413, "The body is too long.", "body too long")
    timestamp, nonce = _check_signature(credentials, query, now)

    sealing = _parameter(query, "encrypt_type", default="raw")
    if credentials.mode == "plain":
        if sealing != "raw":
            raise _unsigned("encrypted, but the account is set to plain")
        return _read(credentials, body)

    if sealing != "aes":
        raise _unsigned("not encrypted, but the account is set to encryption")
    given = _parameter(query, "msg_signature")
    try:
        encrypted = xml.parse(body).get("Encrypt")
    except xml.Unreadable as error:
        raise Rejected(400, "The body is not a message.", f"envelope: {error}") from None
    if not isinstance(encrypted, str) or not encrypted:
        raise _unsigned("no Encrypt, or more than one")
    if not crypto.is_same(crypto.sign(credentials.token, timestamp, nonce, encrypted), given):
        raise _unsigned("wrong msg_signature")
    try:
        return _read(credentials, crypto.decrypt(credentials.encoding_aes_key, credentials.appid, encrypted))
    except crypto.Undecipherable as error:
        reason = str(error)
    except Rejected as error:
        reason = error.reason
    raise Rejected(403, "The message could not be opened.", reason, is_signed=True)


def seal(
    credentials: Credentials, message: Message, reply: Reply | None, now: float, nonce: str | None = None
) -> bytes:
    """Write the body that answers ``message``; ``SILENT`` where there is nothing to say.

    Encrypted in safe and in compatible mode, where the request was too.

    Args:
        now: Unix seconds.
        nonce: given only by tests.

    Raises:
        crypto.Undecipherable: the account's EncodingAESKey is none; it could not have opened the request.
    """
    text = render(message, reply, now)
    if not text:
        return SILENT
    if credentials.mode == "plain":
        return text.encode()
    encrypted = crypto.encrypt(credentials.encoding_aes_key, credentials.appid, text.encode())
    timestamp = str(int(now))
    nonce = nonce or os.urandom(8).hex()
    signature = crypto.sign(credentials.token, timestamp, nonce, encrypted)
    return (
        f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    ).encode()


def _check_signature(credentials: Credentials, query: Mapping[str, str], now: float) -> tuple[str, str]:
    """Return the timestamp and nonce that the account's token signed."""
    timestamp = _parameter(query, "timestamp")
    nonce = _parameter(query, "nonce")
    given = _parameter(query, "signature")
    if not credentials.token:
        raise _unsigned("the account has no callback token")
    if not _TIMESTAMP.fullmatch(timestamp) or not _NONCE.fullmatch(nonce):
        raise _unsigned("odd timestamp or nonce")
    if not crypto.is_same(crypto.sign(credentials.token, timestamp, nonce), given):
        raise _unsigned("wrong signature")
    # Only now: whoever reads this reason in the log should look at the clock, not at the token.
    if abs(int(timestamp) - now) > _SKEW:
        raise _unsigned("too old or from the future; is our clock right?")
    return timestamp, nonce


def _parameter(query: Mapping[str, str], name: str, default: str | None = None) -> str:
    getlist = getattr(query, "getlist", None)
    if getlist is not None and len(getlist(name)) > 1:
        raise _unsigned("a query parameter comes twice")
    value = query.get(name, default)
    if not isinstance(value, str):
        raise _unsigned("a query parameter is missing")
    return value


def _unsigned(reason: str) -> Rejected:
    return Rejected(403, "This request is not signed as WeChat's for this account.", reason)


def _read(credentials: Credentials, document: bytes) -> Message:
    try:
        fields = xml.parse(document)
    except xml.Unreadable as error:
        raise Rejected(400, "The body is not a message.", str(error)) from None
    for name in _SINGLE:
        if name in fields and type(fields[name]) is not str:
            raise _odd(f"more than one {name}")

    openid = _text(fields, "FromUserName")
    if not _FOLLOWER.fullmatch(openid):
        raise _odd("FromUserName is missing or odd")
    kind = _text(fields, "MsgType")
    if not _KIND.fullmatch(kind):
        raise _odd("MsgType is missing or odd")
    created_at = _text(fields, "CreateTime")
    if not _SECONDS.fullmatch(created_at):
        raise _odd("CreateTime is missing or no number of seconds")
    msg_id = _text(fields, "MsgId")
    if msg_id and (not _MSG_ID.fullmatch(msg_id) or int(msg_id) >= 2**64):
        raise _odd("MsgId is no number")
    to = _text(fields, "ToUserName")
    if credentials.original_id and to != credentials.original_id:
        raise Rejected(403, "This message is for another account.", "another account's original id", is_signed=True)

    kind = kind.lower()
    event = key = text = ""
    if kind == "event":
        event = _text(fields, "Event")
        if not _KIND.fullmatch(event):
            raise _odd("Event is missing or odd")
        event = event.lower()
        key = _text(fields, "EventKey")
        if event == "subscribe":
            key = key.removeprefix("qrscene_")
    elif kind == "text":
        text = _text(fields, "Content")
    return Message(
        openid=openid,
        kind=kind,
        text=text,
        event=event,
        key=key,
        msg_id=msg_id,
        created_at=int(created_at),
        to=to,
        fields=fields,
    )


def _text(fields: dict[str, xml.Value], name: str) -> str:
    value = fields.get(name, "")
    assert isinstance(value, str)
    return value


def _odd(reason: str) -> Rejected:
    return Rejected(400, "The body is not a message.", reason)

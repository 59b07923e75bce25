"""Signatures, AES and XML as WeChat's servers do them; written apart from the platform's, to check it."""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK_BYTES = 32  # the padding's; AES itself has 16

Xml = dict[str, Any]


class BadEnvelope(Exception):
    """It cannot be opened, or it is not ours; the text says why."""


def sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def encrypt(encoding_aes_key: str, appid: str, text: bytes, head: bytes | None = None) -> str:
    """Seal a text. `head`: the 16 random bytes, fixed only by tests."""
    sealed = (head or secrets.token_bytes(16)) + len(text).to_bytes(4, "big") + text + appid.encode()
    pad = BLOCK_BYTES - len(sealed) % BLOCK_BYTES
    encryptor = _cipher(encoding_aes_key).encryptor()
    return base64.b64encode(encryptor.update(sealed + bytes([pad]) * pad) + encryptor.finalize()).decode()


def decrypt(encoding_aes_key: str, appid: str, sealed: str) -> bytes:
    """Open what `encrypt` sealed.

    Raises:
        BadEnvelope: not base64, not whole blocks, wrong key or wrong appid.
    """
    try:
        raw = base64.b64decode(sealed, validate=True)
        decryptor = _cipher(encoding_aes_key).decryptor()
        plain = decryptor.update(raw) + decryptor.finalize()
    except (binascii.Error, ValueError) as error:
        raise BadEnvelope(f"Encrypt cannot be opened ({error})") from None
    if not plain:
        raise BadEnvelope("Encrypt is empty")
    pad = plain[-1]
    if 1 <= pad <= BLOCK_BYTES:
        plain = plain[:-pad]
    length = int.from_bytes(plain[16:20], "big")
    text, tail = plain[20 : 20 + length], plain[20 + length :]
    if len(text) != length or tail != appid.encode():
        raise BadEnvelope("the appid in the envelope is not the account's")
    return text


def to_xml(fields: Mapping[str, Any]) -> str:
    """`<xml>…</xml>`: texts in CDATA, numbers bare, dicts nested, lists as repeated siblings."""
    return f"<xml>{_inner(fields)}</xml>"


def from_xml(body: bytes) -> Xml:
    """The children of `<xml>` by name: text, a dict for nested ones, a list for repeated ones.

    Raises:
        BadEnvelope: not XML, another root, or a document type (WeChat takes none, nor do we).
    """
    parser = expat.ParserCreate()
    stack: list[tuple[str, Xml, list[str]]] = [("", {}, [])]

    def refuse(*_: Any) -> None:
        raise BadEnvelope("a document type is not allowed")

    def start(name: str, _: dict[str, str]) -> None:
        stack.append((name, {}, []))

    def end(name: str) -> None:
        _, children, texts = stack.pop()
        value: Any = children or "".join(texts)
        siblings = stack[-1][1]
        if name not in siblings:
            siblings[name] = value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: stack[-1][2].append(text)
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise BadEnvelope(f"the body is not XML ({error})") from None
    root = stack[0][1].get("xml")
    if not isinstance(root, dict):
        raise BadEnvelope("the root of the body is not <xml> with fields")
    return root


def _inner(fields: Mapping[str, Any]) -> str:
    parts = []
    for name, value in fields.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            parts.append(f"<{name}>{_value(one)}</{name}>")
    return "".join(parts)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _inner(value)
    if isinstance(value, int | float):
        return str(value)
    # A text may itself hold the end mark: it is cut in two sections there.
    return "<![CDATA[" + str("" if value is None else value).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _cipher(encoding_aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(encoding_aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))

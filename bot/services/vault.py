"""Secrets at rest: AES-256-GCM, bound to the row and column they belong to.

A sealed value reads ``v1:<key id>:<base64 of nonce + ciphertext>``.  The master key is LOBBY_SECRET_KEY, never in the
database or Redis; LOBBY_OLD_SECRET_KEYS still open what they sealed until ``lobby account reseal`` has run.
"""

import os
from base64 import b64decode, b64encode
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.settings import settings


class Unreadable(Exception):
    """Sealed with a key we no longer have, moved from another row, or damaged."""


def seal(value: str, *place: object) -> str:
    """Encrypt for one place: table, row's unchanging name, column."""
    if not value:
        return ""
    key_id, key = _keys()[0]
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, value.encode(), _bound(key_id, place))
    return f"v1:{key_id}:{b64encode(nonce + sealed).decode()}"


@lru_cache(maxsize=4096)  # the callback opens three of them a message
def unseal(sealed: str, *place: object) -> str:
    """Decrypt.

    Raises:
        Unreadable: with no hint of the value.
    """
    if not sealed:
        return ""
    try:
        _version, key_id, packed = sealed.split(":")
        key = dict(_keys())[key_id]
        blob = b64decode(packed)
        return AESGCM(key).decrypt(blob[:12], blob[12:], _bound(key_id, place)).decode()
    except (ValueError, KeyError, InvalidTag):
        where = "/".join(str(part) for part in place)
        advice = "was LOBBY_SECRET_KEY changed without LOBBY_OLD_SECRET_KEYS?"
        raise Unreadable(f"{where} cannot be read: {advice}") from None


def is_current(sealed: str) -> bool:
    """Empty, or sealed with the newest key."""
    return not sealed or sealed.split(":")[1] == _keys()[0][0]


def _bound(key_id: str, place: tuple[object, ...]) -> bytes:
    return "\x1f".join([key_id, *map(str, place)]).encode()


def _keys() -> list[tuple[str, bytes]]:
    """Key ids and keys, newest first."""
    old = settings().old_secret_keys.get_secret_value().split(",")
    return [_derived(secret.strip()) for secret in (settings().secret_key.get_secret_value(), *old) if secret.strip()]


@lru_cache
def _derived(secret: str) -> tuple[str, bytes]:
    material = HKDF(hashes.SHA256(), 36, salt=b"lobby", info=b"vault").derive(secret.encode())
    return material[32:].hex(), material[:32]

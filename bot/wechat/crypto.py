"""WeChat's callback cipher and signature: SHA-1 over sorted parts, AES-256-CBC with 32-byte padding."""

import base64
import binascii
import hashlib
import hmac
import os
import re
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK = 32  # bytes; WeChat pads to the key's size, not to AES's own 16
HEAD = 20  # 16 random bytes, then the text's length as four bytes, big-endian

_KEY = re.compile(r"[0-9A-Za-z]{43}")


class Undecipherable(Exception):
    """The ciphertext or the key is no good. For logs only: whoever sent it must not learn which."""


def sign(*parts: str) -> str:
    """WeChat's signature: SHA-1 over the parts in byte order, lower-case hex."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def is_same(expected: str, given: str) -> bool:
    """Compare in constant time; the only way to compare a signature in this program."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def decrypt(encoding_aes_key: str, appid: str, encrypted: str) -> bytes:
    """Take the text out of ``<Encrypt>``.

    Raises:
        Undecipherable: any fault in the key, base64, padding, length or appid.
    """
    cipher = _cipher(encoding_aes_key)
    try:
        sealed = base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError):
        raise Undecipherable("not base64") from None
    if not sealed or len(sealed) % BLOCK:
        raise Undecipherable("not whole blocks")

    decryptor = cipher.decryptor()
    plain = decryptor.update(sealed) + decryptor.finalize()
    padding = plain[-1]
    if not 1 <= padding <= BLOCK or not hmac.compare_digest(plain[-padding:], bytes((padding,)) * padding):
        raise Undecipherable("wrong padding")
    end = HEAD + int.from_bytes(plain[16:HEAD], "big")
    if end > len(plain) - padding:
        raise Undecipherable("wrong length")
    if not hmac.compare_digest(plain[end:-padding], appid.encode()):
        raise Undecipherable("another account's appid")
    return plain[HEAD:end]


def encrypt(encoding_aes_key: str, appid: str, text: bytes, salt: bytes = b"") -> str:
    """Make the content of ``<Encrypt>``; ``salt`` is 16 random bytes, given only by tests.

    Raises:
        Undecipherable: the key is not one.
    """
    plain = (salt or os.urandom(16)) + len(text).to_bytes(4, "big") + text + appid.encode()
    padding = BLOCK - len(plain) % BLOCK
    encryptor = _cipher(encoding_aes_key).encryptor()
    sealed = encryptor.update(plain + bytes((padding,)) * padding) + encryptor.finalize()
    return base64.b64encode(sealed).decode("ascii")


@lru_cache(maxsize=256)
def _cipher(encoding_aes_key: str) -> Cipher[CBC]:
    if not _KEY.fullmatch(encoding_aes_key):
        raise Undecipherable("the EncodingAESKey is not 43 letters and digits")
    key = base64.b64decode(encoding_aes_key + "=")  # lenient: some keys have bits left over at the end
    return Cipher(AES(key), CBC(key[:16]))

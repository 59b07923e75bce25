"""What the outside sees of ids: a keyed permutation, so that nobody reads a time or a rate off an address."""

import hmac
from functools import lru_cache
from hashlib import blake2s

from bot.errors import NotFound
from bot.settings import settings

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: nothing looks like another
_LENGTH = 11
_HALF = (1 << 27) - 1


def of(kind: str, row_id: int) -> str:
    """The address of a member, post, comment, group, …: ids of two kinds never share one."""
    number = _permuted(kind, row_id, range(6))
    return "".join(_DIGITS[number >> shift & 31] for shift in range(50, -1, -5))


def read(kind: str, address: str) -> int:
    """The id; 0, which no row has, for what was never an address.

    It must look like an id that is not there, so it is not an error yet.
    """
    if len(address) != _LENGTH or not set(address) <= set(_DIGITS):
        return 0
    number = 0
    for digit in address:
        number = number << 5 | _DIGITS.index(digit)
    row_id = _permuted(kind, number, range(5, -1, -1)) if number < 1 << 54 else 0
    return row_id if row_id < 1 << 53 else 0


def cursor(place: str, row_id: int) -> str:
    """Where a list goes on, for this list of this reader only.  It never expires."""
    address = of(place, row_id)
    return f"{address}{_signed(place, address)}"


def read_cursor(place: str, value: str) -> int:
    """
    Raises:
        NotFound: changed, or of another list.
    """
    address, signature = value[:_LENGTH], value[_LENGTH:]
    if not hmac.compare_digest(signature.encode(), _signed(place, address).encode()):
        raise NotFound("This page does not exist; begin at the first one.", field="after")
    return read(place, address)


def _signed(place: str, address: str) -> str:
    return blake2s(f"{place}\x1f{address}".encode(), key=_key(), digest_size=10).hexdigest()


@lru_cache(maxsize=1 << 16)
def _permuted(kind: str, number: int, rounds: range) -> int:
    """A Feistel network over 54 bits."""
    person = blake2s(kind.encode(), digest_size=8).digest()
    left, right = number >> 27, number & _HALF
    if rounds.step < 0:
        left, right = right, left
    for at in rounds:
        block = blake2s(bytes([at]) + right.to_bytes(4), key=_key(), person=person, digest_size=4).digest()
        left, right = right, left ^ (int.from_bytes(block) & _HALF)
    if rounds.step < 0:
        left, right = right, left
    return left << 27 | right


def _key() -> bytes:
    """From the oldest secret we still have: a new one changes no address as long as the old one is kept."""
    old = [secret.strip() for secret in settings().old_secret_keys.get_secret_value().split(",") if secret.strip()]
    secret = old[-1] if old else settings().secret_key.get_secret_value()
    return blake2s(b"moments addresses" + secret.encode()).digest()

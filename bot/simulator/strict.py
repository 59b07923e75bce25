"""Reads JSON as the standard has it: Python's own reader also takes what breaks only later, far from its sender."""

import json
from typing import Any

WHOLE_NUMBERS = range(-(2**63), 2**63)  # what SQLite holds


def read_json(raw: bytes) -> Any:
    """
    Raises:
        ValueError: not JSON; NaN, infinity, a whole number beyond 64 bits or half a character is in it.
    """
    try:
        value = json.loads(raw, parse_int=_whole)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def _whole(digits: str) -> int:
    number = int(digits)
    if number not in WHOLE_NUMBERS:
        raise ValueError(f"{digits[:20]}… is beyond 64 bits")
    return number

"""IANA time zones by their names."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.errors import Refused


def named(name: str) -> ZoneInfo:
    """Raises Refused, at “timezone”."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused("“{value}” is not a time zone such as Asia/Shanghai.", field="timezone", value=name) from None

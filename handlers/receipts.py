"""WeChat reports how a job of ours went: no follower behind it, no answer."""

from typing import Any

from bot.wechat.messages import Message


def handle(message: Message) -> tuple[list[dict[str, Any]], str]:
    """The trace and the flag to keep with the report.

    No broadcast of ours waits for one yet, so every report names a job that we do not know: it is kept, marked, and
    changes nothing (T10).
    """
    return [{"handler": "receipts", "why": "No job of ours has this number."}], "unknown job"

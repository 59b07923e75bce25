"""When a task that WeChat did not serve is tried again."""

from datetime import timedelta

from bot.services.tasks import Claimed
from bot.wechat.errors import OutcomeUnknown, QuotaReached, Temporary, TokenRefused, WeChatError

BACK_OFF = (5, 30, 120, 600, 600)  # seconds; after the last the task is given up


def wait(claimed: Claimed, error: WeChatError) -> timedelta | None:
    """How long until the next try; None: it is given up, as trying again would not help or has not."""
    match error:
        case QuotaReached():
            return timedelta(seconds=error.retry_after)
        case Temporary() | TokenRefused() | OutcomeUnknown(retry=True):
            return back_off(claimed)
        case _:
            return None


def back_off(claimed: Claimed) -> timedelta | None:
    if claimed.attempts > len(BACK_OFF):
        return None
    return timedelta(seconds=BACK_OFF[max(claimed.attempts, 1) - 1])

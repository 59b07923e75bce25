"""Who answers a follower: each handler is asked in turn, and the first reply wins."""

from collections.abc import Callable

from bot.wechat.messages import Reply
from handlers import (
    assistant,
    customer_service,
    fallback,
    keyword,
    menu,
    opt_out,
    receipts,
    scan,
    subscription,
    tagging,
)
from handlers.incoming import Incoming

Handler = Callable[[Incoming], list[Reply] | None]

# The order is the routing policy.  A person in charge comes before every answer of the bot's, but for
# the one that a follower has a right to.
HANDLERS: tuple[Handler, ...] = (
    receipts.report,
    subscription.handle,
    opt_out.handle,
    customer_service.handle,
    scan.handle,
    menu.handle,
    keyword.handle,
    assistant.handle,
    fallback.handle,
)

# Kept with a message that a handler could not cope with.
FAILED = [{"handler": "dispatch", "why": "A handler failed; see the log."}]


def dispatch(incoming: Incoming) -> list[Reply]:
    """Tag the follower, then ask the handlers; an empty list is silence."""
    tagging.tag(incoming)
    for handle in HANDLERS:
        replies = handle(incoming)
        if replies is not None:
            return replies
    return []

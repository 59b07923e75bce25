"""What the clock does for Moments: erase what was promised to be erased."""

import structlog

from bot.database import transaction
from bot.fault_points import fault_point
from bot.moments import members, posts

log = structlog.get_logger()


def erase() -> None:
    """Members whose grace is over, and the words of what was deleted a day ago."""
    with transaction() as session:
        erased = members.erase_due(session)
    fault_point("K23 between erasure's tables")
    with transaction() as session:
        posts.erase_due(session)
    if erased:
        log.info("moments.erased", members=erased)

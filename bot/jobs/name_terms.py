"""Writes what the followers of before can be found by, a thousand at a time."""

from bot.database import transaction
from bot.services import name_search, tasks
from bot.services.tasks import Claimed


def fill(claimed: Claimed) -> Claimed | None:
    """The next thousand; None: all are done, or the lease was lost."""
    with transaction() as session:
        ids = name_search.fill(session, claimed.account_id, claimed.state.get("after", 0))
        if not ids:
            tasks.finish(session, claimed)
            return None
        # Together with the rows: after a crash the next claim goes on behind them.
        state = {**claimed.state, "after": ids[-1]}
        return tasks.progress(session, claimed, done=claimed.done + len(ids), total=claimed.total, state=state)

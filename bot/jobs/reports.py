"""Counts the days of the inbox's report, so that a year is added up and not counted."""

import time
from datetime import date

from bot.database import reading, transaction
from bot.jobs import tasks
from bot.queue import enqueue
from bot.services import report_counts
from bot.services.report_counts import Turn
from models import Account

SLICE_SECONDS = 20.0  # then others' work may go on


def count(account_id: int) -> None:
    """Count the days that changed since the last time, then those never counted; of two at once the later goes on."""
    over = time.monotonic() + SLICE_SECONDS
    with transaction() as session:
        account = session.get(Account, account_id)
        if account is None:
            return
        turn = report_counts.begin(session, account)
    for day in turn.changed:
        if not _count(account, turn, day):
            return
    with transaction() as session:
        report_counts.went_on(session, account_id, turn, seq=turn.seq)
    for day in turn.never:
        if not _count(account, turn, day):
            return
        with transaction() as session:
            report_counts.went_on(session, account_id, turn, since=day)
            if time.monotonic() > over:
                enqueue(session, "reports.count", account_id, queue="work")
                return
    with transaction() as session:
        report_counts.went_on(session, account_id, turn, since=None)


def _count(account: Account, turn: Turn, day: date) -> bool:
    """False: stop."""
    with reading() as session:
        rows = report_counts.count(session, account, day)
    with transaction() as session:
        return report_counts.keep(session, account.id, turn, day, rows) and not tasks.stopping.is_set()


JOBS = (count,)

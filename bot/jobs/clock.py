"""The clock's process: while it leads, it runs what the schedule lists."""

import os
import socket
import threading
import time
from collections.abc import Sequence

import structlog

from bot.database import transaction
from bot.jobs.schedule import SCHEDULE, Entry
from bot.services import leadership

NAME = "clock"
RENEW_SECONDS = 5.0  # the lease lasts 30
TICK_SECONDS = 0.5

log = structlog.get_logger()


def run(stop: threading.Event, schedule: Sequence[Entry] = SCHEDULE) -> None:
    """Lead when nobody does, until told to stop; any number of these may run."""
    holder = f"{socket.gethostname()[:40]}:{os.getpid()}:{os.urandom(3).hex()}"
    was_leading, renew_at = False, 0.0
    due: dict[str, float] = {}
    while not stop.is_set():
        if time.monotonic() >= renew_at:
            leads = _lead(holder)
            if leads != was_leading:
                log.info("clock.leads" if leads else "clock.stands_by", holder=holder)
                due.clear()  # a new leader looks at everything at once
            was_leading, renew_at = leads, time.monotonic() + RENEW_SECONDS
        if was_leading:
            _run_due(schedule, due, renew_at)
        stop.wait(TICK_SECONDS)
    if was_leading:
        with transaction() as session:
            leadership.step_down(session, NAME, holder)


def _run_due(schedule: Sequence[Entry], due: dict[str, float], until: float) -> None:
    for entry in schedule:
        now = time.monotonic()
        if now >= until:
            return  # renew the lease first
        if now < due.get(entry.name, 0.0):
            continue
        due[entry.name] = now + entry.every.total_seconds()
        try:
            entry.run()
        except Exception:  # one that fails does not stop the others, nor its own next time
            log.exception("clock.failed", entry=entry.name)


def _lead(holder: str) -> bool:
    try:
        with transaction() as session:
            return leadership.lead(session, NAME, holder)
    except Exception:  # the database is away or busy: not leading is safe
        log.exception("clock.no_database")
        return False

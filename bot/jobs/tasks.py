"""Advances long work: some steps of a task, then room for others."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from rq.timeouts import JobTimeoutException

from bot import clock
from bot.database import transaction
from bot.jobs import campaign_links, campaign_tasks, connecting, follower_sync, menus, name_terms, retrying, tags
from bot.services import tasks, vault
from bot.services.tasks import Claimed
from bot.wechat.errors import WeChatError

SLICE_SECONDS = 20.0  # of one task, before another account's may go on
OUR_FAULT = "Something went wrong on our side. The log has the details; start it again later."

# Makes one step and returns the task as it is then; None: it is finished, or not ours any more.
Step = Callable[[Claimed], Claimed | None]
KINDS: dict[str, Step] = {
    "menu_publish": menus.publish,
    "menu_try_match": menus.try_match,
    "follower_sync": follower_sync.step,
    "takeover": connecting.take_over,
    "connection_check": connecting.check,
    "tag_push": tags.push,
    "name_terms": name_terms.fill,
    "campaign_test": campaign_tasks.send_test,
    "campaign_links": campaign_links.look,
    "campaign_recall": campaign_tasks.recall,
}

stopping = threading.Event()  # the worker was asked to stop: finish the step, leave the rest to the next one

log = structlog.get_logger()


def advance(task_id: int) -> None:
    """Work on a task for some 20 s at most; what is left is hinted again, behind other accounts' work."""
    end = time.monotonic() + SLICE_SECONDS
    with transaction() as session:
        claimed = tasks.claim(session, task_id)
    while claimed is not None:
        claimed = _step(claimed)
        if claimed is not None and (stopping.is_set() or time.monotonic() > end):
            with transaction() as session:
                tasks.later(session, claimed, clock.now())
            return


def _step(claimed: Claimed) -> Claimed | None:
    try:
        return KINDS[claimed.kind](claimed)
    except JobTimeoutException:
        raise
    except WeChatError as error:
        log.warning("task.refused", task_id=claimed.task_id, kind=claimed.kind, error=str(error))
        _refused(claimed, error)
    except vault.Unreadable as error:
        log.error("task.no_secret", task_id=claimed.task_id, kind=claimed.kind)
        with transaction() as session:
            tasks.fail(session, claimed, str(error))
    except Exception:
        log.exception("task.failed", task_id=claimed.task_id, kind=claimed.kind)
        _again(claimed, retrying.back_off(claimed), OUR_FAULT)
    return None


def _refused(claimed: Claimed, error: WeChatError) -> None:
    _again(claimed, retrying.wait(claimed, error), error.advice("en"))


def _again(claimed: Claimed, wait: timedelta | None, words: str) -> None:
    with transaction() as session:
        if wait is None:
            tasks.fail(session, claimed, words)
        else:
            tasks.later(session, claimed, clock.now() + wait, words)


JOBS = (advance,)

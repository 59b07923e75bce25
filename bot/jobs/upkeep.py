"""What the clock does itself: hint again what is due, end what has ended, throw away what nobody needs."""

from datetime import timedelta

import structlog
from redis.exceptions import RedisError
from sqlalchemy import delete

from bot import clock, queue
from bot.database import reading, transaction
from bot.moments import link_cards
from bot.services import (
    assistant_limits,
    assistant_work,
    campaign_control,
    conversation_times,
    message_search,
    report_counts,
    sends,
    tag_pushes,
    tasks,
)
from models import SeenSignature, SignIn, SignInLink

HINTS = 500  # of one kind in one sweep; the next comes in 15 s
FULL = 1000  # jobs waiting in a queue: more hints would only make it longer
SIGNATURES_KEPT = timedelta(minutes=15)  # three times what the callback's time limit lets through
LINKS_KEPT = timedelta(days=1)
USAGE_KEPT = timedelta(days=3)  # of single followers: no day is the same date for longer anywhere

log = structlog.get_logger()


def hint_sends() -> None:
    """Messages whose hint got lost, and those put off until now; whose sender died they become "unknown"."""
    with transaction() as session:
        ended = sends.expire(session, clock.now())
    if ended:
        log.warning("sends.unknown", count=ended)
    if _has_room("replies"):
        with reading() as session:
            due = sends.due(session, clock.now(), HINTS)
        _hint("sends.deliver", due, "replies")


def hint_tasks() -> None:
    """Long work that waits, or whose worker died."""
    if _has_room("work"):
        with reading() as session:
            due = tasks.due(session, clock.now(), HINTS)
        _hint("tasks.advance", due, "work")


def hint_tags() -> None:
    """What WeChat must still hear of tags and the blocklist, and no task tells it."""
    if _has_room("work"):
        with reading() as session:
            due = tag_pushes.due_accounts(session, clock.now(), HINTS)
        _hint("tags.look", due, "work")


def hint_campaigns() -> None:
    """Campaigns whose time has come, whose worker died, or whose messages WeChat does not report on."""
    if _has_room("broadcasts"):
        with reading() as session:
            due = campaign_control.due(session)
        _hint("campaigns.advance", due, "broadcasts")


def tend_answers() -> None:
    """Questions whose worker died or whose hint got lost, and answers that nobody came for or that never came."""
    with transaction() as session:
        pending, over = assistant_work.due(session, clock.now())
    for answer_id in over:
        with transaction() as session:
            assistant_work.end(session, answer_id, clock.now())
    if pending and _has_room("assistant"):
        _hint("assistant.answer", pending, "assistant")


def hint_search() -> None:
    """Texts that cannot be found yet."""
    with reading() as session:
        is_behind = message_search.is_behind(session)
    if is_behind and _has_room("work"):
        _hint("message_search.index", [message_search.THE_ROW], "work")


def hint_reports() -> None:
    """Accounts in which something was done since their report was counted."""
    if _has_room("work"):
        with reading() as session:
            due = report_counts.behind(session)
        _hint("reports.count", due[:HINTS], "work")


def hint_link_cards() -> None:
    """Pages that a post of Moments links to, and that nobody has looked at yet."""
    if _has_room("work"):
        with reading() as session:
            due = link_cards.due(session, clock.now(), HINTS)
        _hint(link_cards.JOB, due, "work")


def close_conversations() -> None:
    """Conversations in which nobody has spoken for the account's time go back to the bot; those put off come back."""
    with transaction() as session:
        conversation_times.close_timed_out(session, clock.now())
        conversation_times.wake_due(session, clock.now())


def prune() -> None:
    """Signatures too old to be replayed, sign-ins and links that have ended, and tags that WeChat has heard of."""
    now = clock.now()
    with transaction() as session:
        session.execute(delete(SeenSignature).where(SeenSignature.seen_at < now - SIGNATURES_KEPT))
    with transaction() as session:
        session.execute(delete(SignIn).where(SignIn.expires_at < now))
        session.execute(delete(SignInLink).where(SignInLink.expires_at < now - LINKS_KEPT))
    with transaction() as session:
        tag_pushes.prune(session, now)
        assistant_limits.prune(session, now.date() - USAGE_KEPT)


def _has_room(name: str) -> bool:
    try:
        # Not queue.count: RQ's readers clean up behind themselves, and twice at once doubles jobs (W11).
        return int(queue.connection().llen(queue.queue(name).key)) < FULL
    except RedisError as error:
        log.warning("sweep.no_redis", error=type(error).__name__)
        return False


def _hint(job: str, row_ids: list[int], name: str) -> None:
    queue.send([queue.Hint(job, row_id, name) for row_id in row_ids])
    if row_ids:
        log.info("sweep.hinted", job=job, count=len(row_ids))

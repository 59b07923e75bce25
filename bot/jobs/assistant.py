"""Asks the model.  Runs in a thread of the assistant's worker (bot.jobs.threaded): it does nothing but wait."""

import threading
import time

import structlog

from bot import clock, models_api
from bot.database import quick_transaction, reading
from bot.fault_points import fault_point
from bot.models_api import ModelTrouble
from bot.services import assistant_prompt, assistant_work
from bot.services.assistant_work import Work, Written

RENEW_SECONDS = 2.0  # a third of the lease

log = structlog.get_logger()

_in_hand: dict[int, int] = {}  # answers this process works on, and their fences
_lock = threading.Lock()
_looking = threading.BoundedSemaphore(2)
_renewer: threading.Thread | None = None


def answer(answer_id: int) -> None:
    """Ask for one answer and keep it; whoever waits for it finds it in its row."""
    # The looking up takes longest: it holds nobody up who writes, and few do it at once, or whoever holds the
    # database's lock would wait for the interpreter behind a hundred of them.
    with _looking, reading() as session:
        prepared = assistant_work.prepare(session, answer_id, clock.now())
    if prepared is None:
        return
    with quick_transaction() as session:
        work = assistant_work.claim(session, prepared, clock.now())
    if work is None:
        return
    fault_point("A1 claimed, before the model")
    _hold(work)
    try:
        written = _ask(work)
        fault_point("A2 the model answered, before it is kept")
        with quick_transaction() as session:
            is_kept = assistant_work.finish(session, work, written, clock.now())
    finally:
        _release(work)
    if not is_kept:
        log.warning("answer.lease_lost", answer_id=answer_id, account_id=work.account_id)


def has_work() -> bool:
    return bool(_in_hand)


def let_go() -> None:
    """The process ends: what it has not finished may begin elsewhere at once."""
    with _lock:
        held = list(_in_hand)
    if held:
        with quick_transaction() as session:
            assistant_work.let_go(session, held, clock.now())
            assistant_work.hint(session, held)


def _ask(work: Work) -> Written:
    began = time.monotonic()
    told = sum(assistant_prompt.estimate(message["content"]) for message in work.messages)
    try:
        said = models_api.complete(work)
    except ModelTrouble as trouble:
        log.warning("model.trouble", answer_id=work.answer_id, account_id=work.account_id, why=str(trouble))
        took = round((time.monotonic() - began) * 1000)
        # It may have written, and charged for it, before it failed.
        tokens = told if trouble.code in ("timeout", "endless", "broken", "garbage") else 0
        return Written(trouble=trouble.code, tokens_in=tokens, milliseconds=took)
    return Written(
        text=said.text,
        tokens_in=told if said.tokens_in is None else said.tokens_in,
        tokens_out=assistant_prompt.estimate(said.text) if said.tokens_out is None else said.tokens_out,
        milliseconds=round((time.monotonic() - began) * 1000),
    )


def _hold(work: Work) -> None:
    global _renewer
    with _lock:
        _in_hand[work.answer_id] = work.fence
        if _renewer is None or not _renewer.is_alive():
            _renewer = threading.Thread(target=_renew, name="leases", daemon=True)
            _renewer.start()


def _release(work: Work) -> None:
    with _lock:
        _in_hand.pop(work.answer_id, None)


def _renew() -> None:
    """One for all answers in hand; ends when there are none."""
    global _renewer
    while True:
        time.sleep(RENEW_SECONDS)
        with _lock:
            held = list(_in_hand)
            if not held:
                _renewer = None
                return
        try:
            with quick_transaction() as session:
                assistant_work.renew(session, held, clock.now())
        except Exception:  # the database is away: then the lease ends, and another worker begins
            log.exception("answer.not_renewed")


JOBS = (answer,)

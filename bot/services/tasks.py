"""Long work with progress: one open task of a kind per account, done by whoever holds its lease.

A task moves on by conditional updates that carry the fence of its claim: after a crash or a freeze the next claim
raises the fence, and what the earlier worker still writes changes no row.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import NotFound
from bot.queue import enqueue
from models import Account, Task, TaskStatus

LEASE = timedelta(seconds=60)  # longer than any single call to WeChat
CRASHES = 3  # claims in a row that brought no progress and no word: the task kills its worker
OPEN = (TaskStatus.READY, TaskStatus.RUNNING)

CRASHED = "This work stopped three times without a word. Look into the log, then start it again."


@dataclass(frozen=True, slots=True)
class Claimed:
    """A task that is ours to advance, until the lease ends."""

    task_id: int
    fence: int
    account_id: int
    kind: str
    state: dict[str, Any]
    attempts: int  # claims since the last progress, this one included
    done: int
    total: int | None


def start(session: Session, account: Account, kind: str, state: dict[str, Any] | None = None) -> Task:
    """Begin a piece of work, or return the one of this kind that is under way."""
    lock(session, account)
    task = find_open(session, account, kind)
    if task is None:
        task = Task(account_id=account.id, kind=kind, state=state or {})
        session.add(task)
        session.flush()
        enqueue(session, "tasks.advance", task.id)
    return task


def lock(session: Session, account: Account) -> None:
    """Let two who start the same work do so one after the other (SQLite's writers do anyway)."""
    session.execute(select(Account.id).where(Account.id == account.id).with_for_update())


def find_open(session: Session, account: Account, kind: str) -> Task | None:
    return session.scalar(
        select(Task).where(Task.account_id == account.id, Task.kind == kind, Task.status.in_(OPEN)).limit(1)
    )


def get(session: Session, account: Account, task_id: int) -> Task:
    task = session.scalar(select(Task).where(Task.id == task_id, Task.account_id == account.id))
    if task is None:
        raise NotFound("There is no such task.")
    return task


def latest(session: Session, account: Account, kind: str) -> Task | None:
    """The newest of a kind, whatever became of it."""
    query = select(Task).where(Task.account_id == account.id, Task.kind == kind)
    return session.scalar(query.order_by(Task.id.desc()).limit(1))


def claim(session: Session, task_id: int, now: datetime | None = None) -> Claimed | None:
    """Take a task that is due; commit before working on it.

    None: it is done, somebody else has it, its time has not come, or it was given up (T45).
    """
    now = now or clock.now()
    row = session.execute(
        update(Task)
        .where(Task.id == task_id, _is_due(now))
        .values(status=TaskStatus.RUNNING, fence=Task.fence + 1, attempts=Task.attempts + 1, due_at=now + LEASE)
        .returning(Task.fence, Task.account_id, Task.kind, Task.state, Task.attempts, Task.done, Task.total)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        return None
    claimed = Claimed(task_id, *row)
    crashes = int(claimed.state.get("crashes", 0))
    if crashes >= CRASHES:
        fail(session, claimed, CRASHED)
        return None
    # Counted before the work and taken back by whatever it reports: who is killed reports nothing.
    _write(session, claimed, state={**claimed.state, "crashes": crashes + 1})
    return claimed


def progress(
    session: Session, claimed: Claimed, *, done: int, total: int | None, state: dict[str, Any]
) -> Claimed | None:
    """Record how far we are and where to go on after a crash, and hold the task for another lease.

    None: the lease was lost; stop, nothing was written.
    """
    values: dict[str, Any] = {"done": done, "total": total, "state": _told(state), "attempts": 0}
    if not _write(session, claimed, **values, due_at=clock.now() + LEASE):
        return None
    return replace(claimed, **values)


def finish(session: Session, claimed: Claimed) -> bool:
    """All done; False: the lease was lost, nothing was written."""
    return _write(session, claimed, status=TaskStatus.DONE, error="", finished_at=clock.now())


def fail(session: Session, claimed: Claimed, sentence: str) -> bool:
    """Give up and say why, in plain words; False: the lease was lost, nothing was written."""
    return _write(session, claimed, status=TaskStatus.FAILED, error=sentence, finished_at=clock.now())


def later(session: Session, claimed: Claimed, retry_at: datetime, why: str = "") -> bool:
    """Let go of the task until then; ``why`` shows meanwhile.  False: the lease was lost, nothing was written."""
    state = session.scalar(select(Task.state).where(Task.id == claimed.task_id)) or {}
    written = _write(session, claimed, status=TaskStatus.READY, due_at=retry_at, error=why, state=_told(state))
    if written and retry_at <= clock.now():
        enqueue(session, "tasks.advance", claimed.task_id)
    return written


def due(session: Session, now: datetime, limit: int = 500) -> list[int]:
    """Waiting tasks whose time has come, and those whose worker died: what the clock hints again."""
    return list(session.scalars(select(Task.id).where(_is_due(now)).order_by(Task.due_at).limit(limit)))


def _is_due(now: datetime) -> ColumnElement[bool]:
    # A lease that ends much later than any we give was given before the clock was put back.
    put_back = and_(Task.status == TaskStatus.RUNNING, Task.due_at > now + 2 * LEASE)
    return and_(Task.status.in_(OPEN), or_(Task.due_at <= now, put_back))


def _told(state: dict[str, Any]) -> dict[str, Any]:
    """The worker lives: its claims do not count as crashes."""
    return {name: value for name, value in state.items() if name != "crashes"}


def _write(session: Session, claimed: Claimed, **values: Any) -> bool:
    written = session.scalar(
        update(Task)
        .where(Task.id == claimed.task_id, Task.fence == claimed.fence, Task.status == TaskStatus.RUNNING)
        .values(**values)
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    )
    return written is not None

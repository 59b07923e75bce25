"""The outbox of tags and the blocklist: what WeChat must still hear, written with the fact, emptied by jobs.tags.

Every call to WeChat here says how a thing shall be, so it may be repeated; a row is done only if nobody changed
their mind meanwhile (``version``), and a wish that WeChat never heard of is taken back without a call.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, exists, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot import clock
from bot.fault_points import fault_point
from bot.queue import Hint, enqueue
from bot.services import tasks
from bot.wechat import limits
from models import Account, Follower, FollowerTag, PushAction, Tag, TagPush, Task, TaskStatus

KIND = "tag_push"
BATCH = {
    PushAction.TAG: limits.TAG_BATCH,
    PushAction.UNTAG: limits.TAG_BATCH,
    PushAction.BLOCK: limits.BLOCKLIST_BATCH,
    PushAction.UNBLOCK: limits.BLOCKLIST_BATCH,
}
PAUSE = timedelta(hours=1)  # after a task that gave up; a new wish or a person's "try again" does not wait for it
KEPT = timedelta(hours=1)  # done rows, for readings that began before
SKEW = timedelta(minutes=1)  # between the clocks of two processes


@dataclass(frozen=True, slots=True)
class Wish:
    """One row as it was when its call was made."""

    id: int
    version: int
    openid: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call tells: several followers alike, or one tag."""

    action: PushAction
    wishes: tuple[Wish, ...]
    tag_id: int | None = None
    wechat_id: int | None = None
    name: str = ""
    name_before: str = ""  # a call with this name may have gone out, and its answer got lost


@dataclass(frozen=True, slots=True)
class Problem:
    """Wishes that WeChat refused for the same reason."""

    action: PushAction
    error: str
    tag: str  # its name; "" for the blocklist
    count: int


# Writing -------------------------------------------------------------------------------------------------------------


def note(
    session: Session, account_id: int, action: PushAction, follower_ids: Iterable[int], tag_id: int | None = None
) -> None:
    """WeChat must hear this of some followers; the opposite, if WeChat has not heard it yet, is taken back."""
    fixed = {"account_id": account_id, "action": action, "tag_id": tag_id, "at": clock.now()}
    rows = [{**fixed, "follower_id": follower_id} for follower_id in sorted(follower_ids)]  # sorted: no deadlock
    if rows:
        where = {} if tag_id is not None else {"index_where": text("tag_id IS NULL")}
        elements = ["tag_id", "follower_id"] if tag_id is not None else ["follower_id"]
        session.connection().execute(_upsert(session, elements, where), rows)
        fault_point("K18 after outbox insert")
        hint(session, account_id)


def note_tag(session: Session, tag: Tag) -> None:
    """WeChat must hear of this tag, by the name it has when it is told."""
    row = {"account_id": tag.account_id, "action": PushAction.SAVE, "tag_id": tag.id, "at": clock.now()}
    statement = _upsert(session, ["tag_id"], {"index_where": text("follower_id IS NULL")})
    session.connection().execute(statement, [{**row, "follower_id": None}])
    hint(session, tag.account_id)


def note_deleted(session: Session, tag: Tag) -> None:
    """Before the tag goes: WeChat must hear of that, unless it never heard of the tag."""
    query = select(TagPush).where(TagPush.tag_id == tag.id, TagPush.follower_id.is_(None)).with_for_update()
    row = session.scalar(query)  # held, so that no worker makes the tag meanwhile
    session.refresh(tag)
    if tag.wechat_id is None and (row is None or not row.is_sent):
        return
    row = row or TagPush(account_id=tag.account_id, name=tag.name)
    row.action, row.tag_id, row.wechat_id = PushAction.DELETE, None, tag.wechat_id
    row.name = row.name or tag.name
    row.version, row.error, row.is_alone, row.at, row.done_at = (row.version or 0) + 1, "", False, clock.now(), None
    session.add(row)
    session.flush()
    hint(session, tag.account_id)


def note_members(session: Session, tag: Tag) -> None:
    """WeChat must hear of everybody who has this tag: it has not known it so far."""
    members = select(FollowerTag.follower_id).where(FollowerTag.tag_id == tag.id)
    note(session, tag.account_id, PushAction.TAG, session.scalars(members).all(), tag.id)


def hint(session: Session, account_id: int) -> None:
    wanted = Hint("tags.look", account_id, "work")
    if wanted not in session.info.get("hints", []):
        enqueue(session, wanted.job, account_id, wanted.queue)


def _upsert(session: Session, elements: list[str], where: dict[str, Any]) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(TagPush.__table__)
    was_done = TagPush.done_at.is_not(None)
    is_taken_back = and_(~was_done, TagPush.action != statement.excluded.action, ~TagPush.is_sent)
    return statement.on_conflict_do_update(
        index_elements=elements,
        set_={
            "action": statement.excluded.action,
            "version": TagPush.version + 1,
            "is_sent": case((was_done, False), else_=TagPush.is_sent),
            "is_alone": False,
            "error": "",
            "at": statement.excluded.at,
            "done_at": case((is_taken_back, statement.excluded.at), else_=None),
        },
        **where,
    )


# Telling -------------------------------------------------------------------------------------------------------------


def start(session: Session, account: Account) -> Task | None:
    """Have the worker tell WeChat what waits; None: nothing does."""
    if session.scalar(_open(account.id).limit(1)) is None:
        return None
    return tasks.start(session, account, KIND)


def claim(session: Session, account_id: int) -> Batch | None:
    """The next call to make; commit before making it.  Tags come before those who have them."""
    first = session.scalar(
        _open(account_id).order_by(TagPush.follower_id.is_not(None), TagPush.at, TagPush.id).limit(1)
    )
    if first is None:
        return None
    if first.action in (PushAction.SAVE, PushAction.DELETE):
        return _claim_tag(session, first) or claim(session, account_id)
    alike = _open(account_id).where(
        TagPush.action == first.action,
        TagPush.tag_id.is_(None) if first.tag_id is None else TagPush.tag_id == first.tag_id,
        TagPush.id == first.id if first.is_alone else ~TagPush.is_alone,
    )
    query = alike.order_by(TagPush.at, TagPush.id).limit(BATCH[first.action]).with_for_update(of=TagPush)
    rows = [row for row in session.scalars(query) if row.action is first.action]
    openids = dict(
        session.execute(
            select(Follower.id, Follower.openid).where(Follower.id.in_([row.follower_id for row in rows]))
        ).all()
    )
    for row in rows:
        row.is_sent = True
    session.flush()
    wishes = tuple(Wish(row.id, row.version, openids[row.follower_id or 0]) for row in rows)
    tag = session.get(Tag, first.tag_id) if first.tag_id else None
    return Batch(first.action, wishes, first.tag_id, tag.wechat_id if tag else None, tag.name if tag else "")


def _claim_tag(session: Session, found: TagPush) -> Batch | None:
    row = session.get(TagPush, found.id, with_for_update=True, populate_existing=True)
    if row is None:
        return None
    tag = session.get(Tag, row.tag_id) if row.tag_id else None
    name_before = row.name if row.is_sent else ""
    wechat_id = tag.wechat_id if tag else row.wechat_id
    if tag:
        row.name = tag.name
    row.is_sent = True
    session.flush()
    wish = Wish(row.id, row.version)
    return Batch(row.action, (wish,), row.tag_id, wechat_id, row.name, name_before)


def done(session: Session, wishes: Sequence[Wish]) -> None:
    """WeChat was told; rows that were changed meanwhile stay to be told."""
    _settle(session, wishes, done_at=clock.now())


def saved(session: Session, batch: Batch, wechat_id: int) -> None:
    """WeChat has the tag by this number, and by the name that was claimed."""
    wish = batch.wishes[0]
    row = session.get(TagPush, wish.id, with_for_update=True)
    if row is None:
        return
    if row.tag_id is None:  # deleted meanwhile: WeChat must now hear of that
        row.wechat_id = wechat_id
        return
    tag = session.get_one(Tag, row.tag_id)
    taken = select(Tag.id).where(Tag.account_id == tag.account_id, Tag.wechat_id == wechat_id, Tag.id != tag.id)
    if session.scalar(taken) is not None:  # the name belongs to another tag of ours, whose new name is not told yet
        row.at, row.error = clock.now(), "" if not row.is_alone else NAME_TAKEN
        row.is_alone = True
        return
    tag.wechat_id = wechat_id
    if row.version == wish.version:
        row.done_at = clock.now()


NAME_TAKEN = "WeChat has another tag of this name. Choose another name."


def refused(session: Session, wishes: Sequence[Wish], error: str) -> None:
    """WeChat will not, so trying again by itself would not help; it certainly did nothing."""
    _settle(session, wishes, error=error, is_sent=False)


def part(session: Session, wishes: Sequence[Wish]) -> None:
    """Refused as a whole: ask for each by itself, to hear who is meant and why."""
    _settle(session, wishes, is_alone=True)


def gone(session: Session, tag_id: int) -> None:
    """WeChat has this tag no more: it is one that only we know of, and there is nothing to tell."""
    session.execute(update(Tag).where(Tag.id == tag_id).values(wechat_id=None))
    session.execute(delete(TagPush).where(TagPush.tag_id == tag_id))


def give_up(session: Session, account_id: int) -> None:
    """The account may not keep tags at WeChat: they are here only."""
    session.execute(delete(TagPush).where(TagPush.account_id == account_id, TagPush.done_at.is_(None)))


def _settle(session: Session, wishes: Sequence[Wish], **values: Any) -> None:
    table = TagPush.__table__
    statement = (
        update(table)  # type: ignore[arg-type]
        .where(table.c.id == bindparam("row"), table.c.version == bindparam("told"))
        .values(values)
    )
    if wishes:
        session.connection().execute(statement, [{"row": wish.id, "told": wish.version} for wish in wishes])


# Looking -------------------------------------------------------------------------------------------------------------


def unsettled(asked_at: datetime) -> ColumnElement[bool]:
    """What WeChat answered to a question of ``asked_at`` may not undo this."""
    return or_(TagPush.done_at.is_(None), TagPush.done_at > asked_at - SKEW)


def waiting(session: Session, account: Account) -> int:
    """How many things WeChat has not heard yet, and will."""
    count = _open(account.id).with_only_columns(func.count(TagPush.id))
    return session.scalar(count) or 0


def problems(session: Session, account: Account) -> list[Problem]:
    """What WeChat refused, told in plain words."""
    name = func.coalesce(Tag.name, TagPush.name)
    rows = session.execute(
        select(TagPush.action, TagPush.error, name, func.count())
        .outerjoin(Tag, TagPush.tag_id == Tag.id)
        .where(TagPush.account_id == account.id, TagPush.error != "", TagPush.done_at.is_(None))
        .group_by(TagPush.action, TagPush.error, name)
        .order_by(name, TagPush.action)
    )
    return [Problem(action, error, tag, count) for action, error, tag, count in rows]


def retry(session: Session, account: Account) -> None:
    """Tell WeChat again what it refused, and what a task gave up on."""
    session.execute(update(TagPush).where(*_refused(account.id)).values(error="", is_alone=True))
    hint(session, account.id)


def dismiss(session: Session, account: Account) -> None:
    """Tell WeChat no more of what it refused; the next reading takes its word for these."""
    session.execute(delete(TagPush).where(*_refused(account.id)))


def due_accounts(session: Session, now: datetime, limit: int) -> list[int]:
    """Accounts with something to tell that no task is telling: what the clock hints again."""
    busy = exists().where(
        Task.account_id == TagPush.account_id,
        Task.kind == KIND,
        or_(Task.status.in_(tasks.OPEN), and_(Task.status == TaskStatus.FAILED, Task.finished_at > now - PAUSE)),
    )
    query = _open(None).with_only_columns(TagPush.account_id).where(~busy).distinct()
    return list(session.scalars(query.order_by(TagPush.account_id).limit(limit)))


def prune(session: Session, now: datetime) -> None:
    session.execute(delete(TagPush).where(TagPush.done_at < now - KEPT))


def _refused(account_id: int) -> tuple[ColumnElement[bool], ...]:
    return (TagPush.account_id == account_id, TagPush.error != "", TagPush.done_at.is_(None))


def _open(account_id: int | None) -> Select[TagPush]:
    """Rows that a call can be made for: WeChat tags only who follows, with tags that it knows."""
    whole = TagPush.action.not_in((PushAction.TAG, PushAction.UNTAG))
    query = (
        select(TagPush)
        .outerjoin(Follower, TagPush.follower_id == Follower.id)
        .outerjoin(Tag, TagPush.tag_id == Tag.id)
        .where(TagPush.done_at.is_(None), TagPush.error == "")
        .where(or_(whole, and_(Follower.is_subscribed, Tag.wechat_id.is_not(None))))
    )
    return query if account_id is None else query.where(TagPush.account_id == account_id)

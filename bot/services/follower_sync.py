"""Reads all followers from WeChat: first who they are, page by page, then what WeChat tells about each.

A task holds where we are.  Every step can be repeated: rows are found by openid, so nobody is there twice.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, case, delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot import clock
from bot.services import conversations, followers, name_search, tag_pushes, tasks
from models import Account, Conversation, Follower, FollowerTag, Tag, TagPush, Task

KIND = "follower_sync"
ROWS = 1000  # of one transaction, so that no writer waits long


def start(session: Session, account: Account) -> Task:
    """Have the worker read all followers, or return the reading that is under way."""
    return tasks.start(session, account, KIND, {"phase": "list", "next": "", "began": clock.now().isoformat()})


def began_at(state: dict[str, Any]) -> datetime:
    """When this reading began: whoever it has seen is marked with that time."""
    return datetime.fromisoformat(state["began"])


def note_listed(session: Session, account_id: int, openids: Sequence[str], began: datetime) -> None:
    """They follow: add whom we do not know, and mark all as seen by this reading.  At most ROWS."""
    if not openids:
        return
    # Someone who left after the page was made is not brought back.
    left_since = Follower.unsubscribed_at >= began
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [
        {"account_id": account_id, "openid": openid, "is_subscribed": True, "synced_at": began, "seen_at": began}
        for openid in dict.fromkeys(openids)
    ]
    statement = dialect.insert(Follower.__table__).on_conflict_do_update(
        index_elements=["account_id", "openid"],
        set_={
            "synced_at": began,
            "is_subscribed": case((left_since, Follower.is_subscribed), else_=True),
            "unsubscribed_at": case((left_since, Follower.unsubscribed_at), else_=None),
        },
    )
    session.connection().execute(statement, rows)  # the driver repeats one statement; no SQL grows with the rows


def mark_gone(session: Session, account_id: int, began: datetime, limit: int = ROWS) -> int:
    """Those whom WeChat no longer listed have left; returns how many were marked, at most ``limit``."""
    gone = list(
        session.scalars(
            select(Follower.id)
            .where(
                Follower.account_id == account_id,
                Follower.is_subscribed,
                or_(Follower.synced_at.is_(None), Follower.synced_at < began),
                # Came, or came back, while we were reading.
                or_(Follower.subscribed_at.is_(None), Follower.subscribed_at < began),
                Follower.seen_at < began,
                Follower.blocked_at.is_(None),  # WeChat may not list whom the account has blocked
            )
            .limit(limit)
        )
    )
    _left(session, gone, began)
    return len(gone)


def _left(session: Session, follower_ids: Sequence[int], at: datetime) -> None:
    """What the event would have done, which we missed."""
    if not follower_ids:
        return
    followers.unsubscribed(session, follower_ids, at)
    talking = select(Conversation.follower_id).where(
        Conversation.follower_id.in_(follower_ids), Conversation.closed_at.is_(None)
    )
    for follower_id in session.scalars(talking).all():  # all are held: unsubscribed wrote their rows
        conversations.close(session, follower_id, "unsubscribed", at)


def count_listed(session: Session, account_id: int, began: datetime) -> int:
    query = select(func.count()).select_from(Follower)
    return session.scalar(query.where(*_listed(account_id, began))) or 0


def next_listed(session: Session, account_id: int, began: datetime, after: int, limit: int) -> dict[str, int]:
    """The next followers to ask WeChat about: openid to id, in the order of the ids."""
    rows = session.execute(
        select(Follower.openid, Follower.id)
        .where(*_listed(account_id, began), Follower.id > after)
        .order_by(Follower.id)
        .limit(limit)
    )
    return {row.openid: row.id for row in rows}


def note_infos(
    session: Session,
    account_id: int,
    ids: dict[str, int],
    infos: Iterable[dict[str, Any]],
    asked_at: datetime | None = None,
) -> None:
    """Keep what WeChat told about some followers; those it left out stay as they are.

    ``asked_at``: when WeChat was asked, if that was not just now: it did not know what we told it since.
    """
    tags = {tag.wechat_id: tag.id for tag in session.scalars(_from_wechat(account_id))}
    tagged: set[tuple[int, int]] = set()
    left: list[int] = []
    told: list[int] = []
    told_alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for info in infos:
        follower_id = ids.get(str(info.get("openid")))
        if follower_id is None:
            continue
        if not info.get("subscribe"):
            left.append(follower_id)
            continue
        told.append(follower_id)
        wechat_ids = info.get("tagid_list") or []
        tagged |= {(follower_id, tags[each]) for each in wechat_ids if each in tags}
        values = _values(info)
        told_alike.setdefault(tuple(values), []).append({"row": follower_id, **values})
    table = Follower.__table__
    named_before = _names(session, [row["row"] for rows in told_alike.values() for row in rows])
    for names, rows in told_alike.items():
        if names:  # one statement for all of whom WeChat told the same things
            statement = update(table).where(table.c.id == bindparam("row"))  # type: ignore[arg-type]
            session.connection().execute(statement.values({name: bindparam(name) for name in names}), rows)
    renamed = {one for one in _names(session, list(named_before)).items() if named_before[one[0]] != one[1]}
    name_search.keep(session, account_id, [(follower_id, *names) for follower_id, names in sorted(renamed)])
    _left(session, left, clock.now())
    _note_tagged(session, told, set(tags.values()), tagged, asked_at or clock.now())


def _note_tagged(
    session: Session, follower_ids: Sequence[int], tag_ids: set[int], tagged: set[tuple[int, int]], asked_at: datetime
) -> None:
    """WeChat's tags are as WeChat says, but for what it has not heard yet; those that only we know of stay."""
    pair = (FollowerTag.follower_id, FollowerTag.tag_id)
    has = session.execute(select(*pair).where(FollowerTag.follower_id.in_(follower_ids))).all()
    ours = session.execute(
        select(TagPush.follower_id, TagPush.tag_id).where(
            TagPush.follower_id.in_(follower_ids), TagPush.tag_id.is_not(None), tag_pushes.unsettled(asked_at)
        )
    )
    # Only what differs is written: nothing that a person changes this very moment.
    differs = (tagged ^ {each for each in has if each[1] in tag_ids}) - set(ours)
    table = FollowerTag.__table__
    is_pair = (table.c.follower_id == bindparam("follower"), table.c.tag_id == bindparam("tag"))
    if gone := [{"follower": follower, "tag": tag} for follower, tag in sorted(differs - tagged)]:
        session.connection().execute(delete(table).where(*is_pair), gone)  # type: ignore[arg-type]
    if new := [{"follower_id": follower, "tag_id": tag} for follower, tag in sorted(differs & tagged)]:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        session.connection().execute(dialect.insert(table).on_conflict_do_nothing(), new)


def note_tags(
    session: Session, account_id: int, tags: Iterable[dict[str, Any]], asked_at: datetime | None = None
) -> None:
    """Take over WeChat's tags; one that is gone there becomes one that only we know of.

    What WeChat has not heard yet of ours stays: a new tag, a new name, and that one is deleted.
    """
    changed = session.scalars(
        select(TagPush).where(
            TagPush.account_id == account_id,
            TagPush.follower_id.is_(None),
            tag_pushes.unsettled(asked_at or clock.now()),
        )
    ).all()
    ours = {row.tag_id for row in changed if row.tag_id is not None}
    deleted = {row.wechat_id for row in changed if row.tag_id is None}
    known = {tag.name: tag for tag in session.scalars(select(Tag).where(Tag.account_id == account_id))}
    by_id = {tag.wechat_id: tag for tag in known.values() if tag.wechat_id is not None}
    seen: dict[int, str] = {int(tag["id"]): str(tag["name"])[:30] for tag in tags}
    for wechat_id, tag in by_id.items():
        if wechat_id not in seen and tag.id not in ours:
            tag_pushes.gone(session, tag.id)
    for wechat_id, name in seen.items():
        namesake, mine = known.get(name), by_id.get(wechat_id)
        if mine is None and namesake is None and wechat_id not in deleted:
            session.add(Tag(account_id=account_id, name=name, wechat_id=wechat_id))
        elif mine is None and namesake is not None and namesake.wechat_id is None:
            namesake.wechat_id = wechat_id
        elif mine is not None and namesake is None and mine.id not in ours:
            mine.name = name
        # Two of ours trade names: the next reading sorts it out, once one of the names is free.
    session.flush()


def note_blocked(session: Session, account_id: int, openids: Sequence[str], asked_at: datetime) -> None:
    """These, and nobody else, are on WeChat's blocklist, but for what it has not heard yet."""
    ours = exists().where(TagPush.follower_id == Follower.id, TagPush.tag_id.is_(None), tag_pushes.unsettled(asked_at))
    of_account = select(Follower.openid).where(Follower.account_id == account_id, ~ours)
    listed = set(openids)
    blocked = set(session.scalars(of_account.where(Follower.blocked_at.is_not(None))))
    table = Follower.__table__
    statement = update(table).where(  # type: ignore[arg-type]
        table.c.account_id == account_id, table.c.openid == bindparam("who"), ~ours
    )
    for on, who in ((False, blocked - listed), (True, listed - blocked)):
        if who:
            values = {"blocked_at": asked_at if on else None}
            session.connection().execute(statement.values(values), [{"who": openid} for openid in sorted(who)])


def _names(session: Session, follower_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    query = select(Follower.id, Follower.nickname, Follower.remark).where(Follower.id.in_(follower_ids))
    return {row.id: (row.nickname, row.remark) for row in session.execute(query)}


def _values(info: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "language": str(info.get("language") or "")[:16],
        "unionid": str(info.get("unionid") or "")[:64],
        "source": str(info.get("qr_scene_str") or info.get("subscribe_scene") or "")[:64],
    }
    if remark := str(info.get("remark") or "")[:64]:
        values["remark"] = remark
    if nickname := str(info.get("nickname") or "")[:64]:  # empty since 2021, but for some accounts
        values["nickname"] = nickname
    if seconds := info.get("subscribe_time"):
        values["subscribed_at"] = datetime.fromtimestamp(int(seconds), UTC)
    return {name: value for name, value in values.items() if value}


def _listed(account_id: int, began: datetime) -> tuple[Any, ...]:
    return (Follower.account_id == account_id, Follower.synced_at == began, Follower.is_subscribed)


def _from_wechat(account_id: int) -> Any:
    return select(Tag).where(Tag.account_id == account_id, Tag.wechat_id.is_not(None))

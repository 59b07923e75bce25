"""Followers: finding them, naming them, their stage, owner and fields, and who of them left."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session, selectinload

from bot import clock
from bot.errors import NotFound, Refused
from bot.services import access, fields, follower_events, name_search, stages, tallies, zones
from models import Account, Follower, FollowerTag, InboundMessage, NameTerm, Operator, ReplyWindow, Send, SendStatus

MOST_AT_ONCE = 200  # followers of one change of many
WINDOW = 50_000  # ids of the newest, in which a common name is looked for first
NOBODY = 0  # as stage or owner in a filter: those who have none


class Filter(TypedDict, total=False):
    """What a list is narrowed by; None or "" narrows nothing."""

    search: str  # any part of a name, in characters, pinyin or initials; or a whole openid
    tag_id: int | None
    stage_id: int | None  # NOBODY: in no stage
    owner_id: int | None  # NOBODY: nobody's
    is_subscribed: bool | None


def get(session: Session, account: Account, follower_id: int) -> Follower:
    follower = session.scalar(select(Follower).where(Follower.id == follower_id, Follower.account_id == account.id))
    if follower is None:
        raise NotFound("There is no such follower.")
    return follower


def last_said(session: Session, follower: Follower) -> str:
    """What they wrote last; "" when they never did."""
    newest = (
        select(InboundMessage.text, InboundMessage.kind)
        .where(
            InboundMessage.account_id == follower.account_id,
            InboundMessage.openid == follower.openid,
            InboundMessage.event == "",
        )
        .order_by(InboundMessage.id.desc())
        .limit(1)
    )
    found = session.execute(newest).one_or_none()
    return found.text or f"[{found.kind}]" if found else ""


def page(
    session: Session, account: Account, *, before: int | None = None, limit: int = 50, **wanted: Unpack[Filter]
) -> list[Follower]:
    """Newest first; ``before`` is the last id of the page before."""
    ids = _find(session, account, before, limit, wanted)
    found = session.scalars(select(Follower).where(Follower.id.in_(ids)).options(selectinload(Follower.tags)))
    return sorted(found, key=lambda one: -one.id)


def _find(session: Session, account: Account, before: int | None, limit: int, wanted: Filter) -> list[int]:
    search = wanted["search"] = wanted.get("search", "").strip()
    whole = select(Follower.id).where(Follower.account_id == account.id, Follower.openid == search)
    if search and (known := session.scalar(whole)):
        mine = whole.where(*_conditions(wanted))
        return list(session.scalars(mine)) if before is None or known < before else []
    if search and name_search.is_common(session, account.id, search):
        # Among the newest there are enough: looking at those one by one beats sorting all who bear the name.
        newest = before or session.scalar(select(func.max(Follower.id)).where(Follower.account_id == account.id)) or 0
        walk = _narrowed(account, {**wanted, "search": ""}, before)
        walk = walk.where(name_search.of_follower(search))
        # A stage, an owner or a tag leaves fewer than the name does: those are gone through to the end.
        leaves_few = any((wanted.get("stage_id"), wanted.get("owner_id"), wanted.get("tag_id")))
        found = list(session.scalars((walk if leaves_few else walk.where(Follower.id > newest - WINDOW)).limit(limit)))
        if leaves_few or len(found) == limit:
            return found
    return list(session.scalars(_narrowed(account, wanted, before).limit(limit)))


def _narrowed(account: Account, wanted: Filter, before: int | None) -> Select[int]:
    """The ids, newest first, read off the index that leaves fewest: of terms, of the tag, or of the rows."""
    search, tag_id = wanted.get("search"), wanted.get("tag_id")
    key: Any = NameTerm.follower_id if search else FollowerTag.follower_id if tag_id else Follower.id
    query = select(key)
    if key is not Follower.id:
        query = query.join(Follower, Follower.id == key)
    query = query.where(Follower.account_id == account.id, *_conditions(wanted))
    if search:
        query = query.where(name_search.matches(account.id, search)).distinct()
    if tag_id:
        query = query.where(FollowerTag.tag_id == tag_id)
        if search:
            query = query.join(FollowerTag, FollowerTag.follower_id == key)
    return (query if before is None else query.where(key < before)).order_by(key.desc())


def _conditions(wanted: Filter) -> Iterator[Any]:
    for column, value in ((Follower.stage_id, wanted.get("stage_id")), (Follower.owner_id, wanted.get("owner_id"))):
        if value is not None:
            yield column.is_(None) if value == NOBODY else column == value
    if (is_subscribed := wanted.get("is_subscribed")) is not None:
        yield Follower.is_subscribed.is_(is_subscribed)


def count(session: Session, account: Account) -> int:
    """Those who follow now."""
    query = select(func.count()).select_from(Follower)
    query = query.where(Follower.account_id == account.id, Follower.is_subscribed)
    return tallies.tally("followers", account.id, lambda: session.scalar(query) or 0)


def rename(session: Session, follower: Follower, remark: str) -> None:
    if len(remark.strip()) > 30:
        raise Refused("A remark takes 30 characters at most.", field="remark")
    follower.remark = remark.strip()
    session.flush()
    name_search.keep(session, follower.account_id, [(follower.id, follower.nickname, follower.remark)])


def set_stage(session: Session, account: Account, follower: Follower, stage_id: int | None, who: str) -> None:
    """None: no stage.

    Raises:
        Refused: the account has no such stage.
    """
    names = {stage.id: stage.name for stage in stages.list_all(session, account)}
    if stage_id is not None and stage_id not in names:
        raise Refused("There is no such stage.", field="stage_id")
    if follower.stage_id != stage_id:
        was, follower.stage_id = follower.stage_id, stage_id
        told = {"was": names.get(was or 0, ""), "is": names.get(stage_id or 0, "")}
        follower_events.note(session, follower, follower_events.STAGE, told, who)


def set_owner(session: Session, account: Account, follower: Follower, owner_id: int | None, who: str) -> None:
    """Whose follower this is: somebody who works on the account, or None.

    Raises:
        Refused: nobody like that works on the account.
    """
    if follower.owner_id == owner_id:
        return
    names = {each.id: each.name for each in possible_owners(session, account)}
    if owner_id is not None and owner_id not in names:
        raise Refused("Nobody like that works on this account.", field="owner_id")
    was = session.get(Operator, follower.owner_id) if follower.owner_id else None
    follower.owner_id = owner_id
    told = {"was": was.name if was else "", "is": names.get(owner_id or 0, "")}
    follower_events.note(session, follower, follower_events.OWNER, told, who)


def set_timezone(follower: Follower, timezone: str) -> None:
    """“”: the account's."""
    if timezone:
        zones.named(timezone)
    follower.timezone = timezone


def set_opted_out(session: Session, follower: Follower, on: bool, who: str, word: str = "") -> None:
    """Whether they want no campaigns; ``word``: what they wrote themselves to say so."""
    if (follower.opted_out_at is not None) == on:
        return
    follower.opted_out_at = clock.now() if on else None
    kind = follower_events.OPTED_OUT if on else follower_events.OPTED_IN
    follower_events.note(session, follower, kind, {"word": word} if word else {}, who)


def possible_owners(session: Session, account: Account) -> list[Operator]:
    """Those who work on the account and may sign in."""
    known = {each.operator_id: each.operator for each in access.list_members(session, account)}
    return [operator for operator in known.values() if operator.is_active]


def owner_names(session: Session, found: Sequence[Follower]) -> dict[int, str]:
    """Operator → name, of all who own one of these, also where they work here no more."""
    ids = {one.owner_id for one in found if one.owner_id}
    return {row.id: row.name for row in session.execute(select(Operator.id, Operator.name).where(Operator.id.in_(ids)))}


def set_fields(session: Session, account: Account, follower: Follower, given: Mapping[int, Any], who: str) -> None:
    """Field → what was typed, or None; fields that are not named stay.

    Raises:
        Refused: something is not of its field's kind; nothing is written.
    """
    known = {field.id: field for field in fields.list_all(session, account)}
    for field_id in given:
        if field_id not in known:
            raise Refused("There is no such field.", field=f"fields.{field_id}")
    read = {field_id: fields.read(known[field_id], value) for field_id, value in given.items()}
    had = fields.values(session, list(known.values()), [follower.id]).get(follower.id, {})
    for field_id, value in read.items():
        if value != had.get(field_id):
            field = known[field_id]
            fields.write(session, follower, field, value)
            told = {"field": field.name, "kind": field.kind.value}
            told |= {"was": fields.shown(had.get(field_id)), "is": fields.shown(value)}
            follower_events.note(session, follower, follower_events.FIELD, told, who)
    session.flush()


def get_many(session: Session, account: Account, follower_ids: Sequence[int]) -> list[Follower]:
    """Those to change at once.

    Raises:
        Refused: none was chosen, or more than MOST_AT_ONCE.
        NotFound: one of them is none of this account's.
    """
    wanted = set(follower_ids)
    if not wanted:
        raise Refused("Choose at least one follower.", field="ids")
    if len(wanted) > MOST_AT_ONCE:
        raise Refused("Choose {max} followers at most.", field="ids", max=MOST_AT_ONCE)
    found = session.scalars(
        select(Follower).where(Follower.id.in_(wanted), Follower.account_id == account.id).order_by(Follower.id)
    ).all()
    if len(found) < len(wanted):
        raise NotFound("There is no such follower.")
    return list(found)


def subscribed(session: Session, follower_id: int, scene: str, now: datetime) -> None:
    """They follow, perhaps again, perhaps through the code with this scene."""
    values: dict[str, object] = {"is_subscribed": True, "subscribed_at": now, "unsubscribed_at": None}
    if scene:
        values["source"] = scene[:64]
    session.execute(update(Follower).where(Follower.id == follower_id).values(**values))


def wrote(session: Session, follower_id: int, at: datetime, now: datetime) -> None:
    """Only who follows can write, tap or scan: if we think they had left before, the event of their return got lost."""
    session.execute(
        update(Follower)
        .where(Follower.id == follower_id, ~Follower.is_subscribed, Follower.unsubscribed_at < at)
        .values(is_subscribed=True, subscribed_at=now, unsubscribed_at=None)
    )


def unsubscribed(session: Session, follower_ids: Sequence[int], now: datetime) -> None:
    """They left: mark it, and stop what was about to be sent."""
    session.execute(
        update(Follower)
        .where(Follower.id.in_(follower_ids))
        .values(is_subscribed=False, unsubscribed_at=now, silent_until=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Send)
        .where(Send.follower_id.in_(follower_ids), Send.status == SendStatus.READY)
        .values(status=SendStatus.FAILED, error="The follower no longer follows the account.")
        .execution_options(synchronize_session=False)
    )
    # WeChat forgets what they were still owed; when they come back, only what they do then counts.
    session.execute(
        delete(ReplyWindow)
        .where(ReplyWindow.follower_id.in_(follower_ids))
        .execution_options(synchronize_session=False)
    )

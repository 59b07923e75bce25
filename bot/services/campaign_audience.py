"""Whom a campaign reaches, and why not the others: one query that the forecast counts and the launch freezes."""

import json
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, BigInteger, ColumnElement, Select, Text, case, cast, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Refused
from bot.services import campaign_schedule, segments
from bot.wechat import limits
from models import (
    Account,
    AccountKind,
    Campaign,
    Channel,
    Delivery,
    DeliveryStatus,
    Follower,
    FollowerTag,
    Reach,
    ReplyWindow,
    Segment,
)

CHINA = ZoneInfo("Asia/Shanghai")  # WeChat's months begin here
COUNTED = (DeliveryStatus.SENT, DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN)  # may have reached the follower
BUCKETS = 10_000
TOGETHER = 50_000  # numbers read as one text
UNDO = timedelta(seconds=30)  # between a launch and its first message
CLOSING = timedelta(seconds=2)  # a reply window that ends so soon may be closed when the message arrives

# Why somebody gets nothing.  The first that holds is kept.
REASONS = ("left", "blocked", "opted_out", "excluded", "monthly", "no_window", "capped", "held_out", "alone")


@dataclass(frozen=True, slots=True)
class Part:
    """Followers with one variant, zone and reason ("": they will get it), in ascending order."""

    reason: str
    variant: int
    zone: str
    ids: "array[int]" = field(default_factory=lambda: array("q"))


def rows(
    session: Session, account: Account, campaign: Campaign, now: datetime | None = None
) -> Select[int, str, int, str]:
    """follower id, reason, variant, zone: everybody the campaign is meant for.

    Raises:
        Refused: no audience was chosen, or its segment was deleted.
    """
    now = now or clock.now()
    follower_zone = func.coalesce(func.nullif(Follower.timezone, ""), account.timezone)
    # A tag or all is one call, so it has one hour: in two zones it would be sent to everybody twice.
    own = campaign.reach is Reach.LIST and (campaign.in_own_zone or campaign.quiet_from)
    zone = follower_zone if own else literal(account.timezone)
    gone = _gone(session, account, campaign, now, _first_at(account, campaign, now))
    columns = select(
        Follower.id,
        case(*gone, *_kept_out(session, account, campaign), else_="").label("reason"),
        variant(session, campaign).label("variant"),
        zone.label("zone"),
    )
    return columns.where(Follower.account_id == account.id, *_meant(session, account, campaign))


def forecast(session: Session, account: Account, campaign: Campaign) -> Counter[tuple[str, int, str]]:
    """(reason, variant, zone) → how many followers.

    Raises:
        Refused: as ``rows``.
    """
    inner = rows(session, account, campaign).subquery()
    columns = (inner.c.reason, inner.c.variant, inner.c.zone)
    counted = session.execute(select(*columns, func.count()).group_by(*columns))
    return Counter({(reason, variant, zone): count for reason, variant, zone, count in counted})


def parts(session: Session, account: Account, campaign: Campaign) -> list[Part]:
    """The same, each follower by number: what a launch writes into the ledger.  Ten bytes a follower.

    Raises:
        Refused: as ``rows``.
    """
    inner = rows(session, account, campaign).subquery()
    key = (inner.c.reason, inner.c.variant, inner.c.zone)
    listed = (
        func.json_group_array(inner.c.id)
        if session.get_bind().dialect.name == "sqlite"
        else cast(func.json_agg(inner.c.id), Text)
    )
    # Gathered by the database: a row each would cost more than all the rest of a launch.
    query = select(*key, listed).group_by(*key, inner.c.id // TOGETHER)
    found: dict[tuple[str, int, str], Part] = {}
    for why, of_variant, zone, ids in session.connection().execute(query):
        part = found.setdefault((why, of_variant, zone), Part(why, of_variant, zone))
        part.ids.extend(json.loads(ids))
    for part in found.values():
        part.ids[:] = array("q", sorted(part.ids))
    return sorted(found.values(), key=lambda part: (part.reason, part.zone, part.variant))


def batches(part: Part, most: int) -> Iterator["array[int]"]:
    """Cut evenly into pieces of at most ``most``: no piece is much smaller than the others."""
    count = -(-len(part.ids) // most)
    for at in range(count):
        yield part.ids[at * len(part.ids) // count : (at + 1) * len(part.ids) // count]


def changed(
    session: Session, account: Account, campaign: Campaign, follower_ids: Collection[int], now: datetime
) -> dict[int, str]:
    """Of some whose turn has come: who may no longer be written to, and why."""
    why = case(*_gone(session, account, campaign, now, now, follower_ids), else_="")
    found = select(Follower.id, why).where(Follower.id.in_(these(session, follower_ids)), why != "")
    return dict(session.execute(found).all())


def these(session: Session, ids: Iterable[int]) -> Select[int]:
    """Many numbers as one parameter: ten thousand of their own take longer to bind than to look up."""
    listed = literal(json.dumps(list(ids)))
    if session.get_bind().dialect.name == "sqlite":
        return select(func.json_each(listed).table_valued("value").c.value)
    return select(cast(func.json_array_elements_text(cast(listed, JSON)).column_valued("value"), BigInteger))


def _gone(
    session: Session,
    account: Account,
    campaign: Campaign,
    now: datetime,
    sent_at: datetime,
    among: Collection[int] | None = None,
) -> list[tuple[Any, str]]:
    """What keeps a message from a follower and may come about between the launch and their turn, at ``sent_at``."""
    gone: list[tuple[Any, str]] = [
        (Follower.is_subscribed.is_(False), "left"),
        (Follower.blocked_at.is_not(None), "blocked"),
        (Follower.opted_out_at.is_not(None), "opted_out"),
    ]
    if campaign.channel is Channel.MASS and account.kind is AccountKind.SERVICE:
        month = now.astimezone(CHINA).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        gone += _had(session, campaign, month, limits.MASS_MONTHLY_EACH, "monthly", among, Channel.MASS)
    if campaign.channel is Channel.SERVICE:
        window = exists().where(
            ReplyWindow.follower_id == Follower.id, ReplyWindow.left > 0, ReplyWindow.expires_at > sent_at + CLOSING
        )
        gone.append((~window, "no_window"))
    if account.cap_messages and not campaign.ignores_cap:
        since = now - timedelta(days=account.cap_days)
        gone += _had(session, campaign, since, account.cap_messages, "capped", among)
    return gone


def _first_at(account: Account, campaign: Campaign, now: datetime) -> datetime:
    """When the first message goes, if it is launched now."""
    return max(now + UNDO, campaign_schedule.starts_in(campaign.starts, account.timezone) if campaign.starts else now)


def _kept_out(session: Session, account: Account, campaign: Campaign) -> list[tuple[Any, str]]:
    """Whom the plan itself leaves out."""
    out: list[tuple[Any, str]] = []
    for segment_id in campaign.excluded_ids.get("segments", ()):
        excluded = segments.get(session, account, segment_id)
        out.append((Follower.id.in_(segments.query(session, account, excluded)), "excluded"))
    if campaign.held_out:
        out.append((bucket(session, campaign, "held") < campaign.held_out * BUCKETS // 100, "held_out"))
    return out


def variant(session: Session, campaign: Campaign) -> ColumnElement[int]:
    """Which variant a follower gets: always the same of one campaign, dealt out by their weights."""
    if len(campaign.variants) < 2:
        return literal(0)
    whole = sum(each["weight"] for each in campaign.variants)
    upper, cases = 0, []
    for at, each in enumerate(campaign.variants[:-1]):
        upper += each["weight"]
        cases.append((bucket(session, campaign, "variant") < upper * BUCKETS // whole, at))
    return case(*cases, else_=len(campaign.variants) - 1)


def bucket(session: Session, campaign: Campaign, use: str) -> ColumnElement[int]:
    """``bot.database.bucket`` of the follower, on either database."""
    salt = f"{campaign.salt}:{use}"
    if session.get_bind().dialect.name == "sqlite":
        return func.lobby_bucket(salt, Follower.openid)
    digest = func.substr(func.md5(literal(f"{salt}:").concat(Follower.openid)), 1, 7)
    return cast(cast(literal("x0").concat(digest), BIT(32)), BigInteger) % BUCKETS


def _meant(session: Session, account: Account, campaign: Campaign) -> list[ColumnElement[bool]]:
    if campaign.reach is Reach.TAG:
        if campaign.tag_id is None:
            raise Refused("Choose the tag whose followers get it.", field="tag_id")
        tagged = select(FollowerTag.follower_id).where(FollowerTag.tag_id == campaign.tag_id)
        return [Follower.id.in_(tagged)]
    if campaign.reach is Reach.ALL or campaign.to_everyone:
        return [Follower.is_subscribed.is_(True)]
    segment = session.get(Segment, campaign.segment_id) if campaign.segment_id else None
    if segment is None or segment.account_id != account.id:
        raise Refused("Choose who gets it: a segment, or everyone who follows.", field="segment_id")
    return [Follower.id.in_(segments.query(session, account, segment))]


def _had(
    session: Session,
    campaign: Campaign,
    since: datetime,
    most: int,
    why: str,
    among: Collection[int] | None,
    channel: Channel | None = None,
) -> list[tuple[Any, str]]:
    """Followers to whom campaigns have sent so many since then: found by campaign, as these are few."""
    recent = select(Campaign.id).where(
        Campaign.account_id == campaign.account_id,
        Campaign.launched_at.is_not(None),
        or_(Campaign.finished_at.is_(None), Campaign.finished_at >= since),
    )
    if channel is not None:
        recent = recent.where(Campaign.channel == channel)
    ids = session.scalars(recent).all()
    if len(ids) < most:
        return []
    many = select(Delivery.follower_id).where(
        Delivery.campaign_id.in_(ids), Delivery.status.in_(COUNTED), Delivery.at >= since
    )
    if among is not None:
        many = many.where(Delivery.follower_id.in_(these(session, among)))
    return [(Follower.id.in_(many.group_by(Delivery.follower_id).having(func.count() >= most)), why)]

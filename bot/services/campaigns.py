"""Campaigns as a marketer plans them; campaign_control launches and steers them, campaign_ledger sends."""

import hashlib
import json
import secrets
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.services import campaign_schedule, segments
from bot.wechat.contents import KINDS, Content
from models import (
    Account,
    Campaign,
    CampaignStatus,
    Channel,
    Reach,
    Segment,
    Tag,
    affected,
)

MOST = 10_000  # of an account
PLAN = (
    *("channel", "reach", "variants", "held_out", "to_everyone", "segment_id", "excluded_ids", "tag_id"),
    *("in_own_zone", "quiet_from", "quiet_until", "ignores_cap"),
)

Hour = Annotated[str, StringConstraints(pattern=r"^(|([01]\d|2[0-3]):[0-5]\d)$")]


class Variant(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32)] = "A"
    weight: Annotated[int, Field(ge=1, le=100)] = 1
    content: Content


class Goal(BaseModel):
    """What counts as a conversion, and within how many days of the message."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["", "click", "reply", "key", "scene", "tag"] = ""
    of: Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)] = ""  # a menu key, a scene, a tag's id
    days: Annotated[int, Field(ge=1, le=30)] = 3


class CampaignDraft(BaseModel):
    """A campaign as a marketer writes it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    channel: Channel
    reach: Reach = Reach.LIST
    variants: Annotated[list[Variant], Field(min_length=1, max_length=5)]
    held_out: Annotated[int, Field(ge=0, le=50)] = 0
    to_everyone: bool = False
    segment_id: int | None = None
    excluded_segments: Annotated[list[int], Field(max_length=10)] = []
    tag_id: int | None = None
    starts: Annotated[str, StringConstraints(max_length=16)] = ""
    in_own_zone: bool = False
    quiet_from: Hour = ""
    quiet_until: Hour = ""
    missed_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    pace: Annotated[int, Field(ge=1, le=10_000)] | None = None
    ignores_cap: bool = False
    goal: Goal = Goal()


# Looking --------------------------------------------------------------------------------------------------------------


def page(
    session: Session,
    account: Account,
    *,
    status: CampaignStatus | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Campaign]:
    """Newest first."""
    query = select(Campaign).where(Campaign.account_id == account.id).order_by(Campaign.id.desc()).limit(limit)
    if status is not None:
        query = query.where(Campaign.status == status)
    if before is not None:
        query = query.where(Campaign.id < before)
    return list(session.scalars(query))


def get(session: Session, account: Account, campaign_id: int) -> Campaign:
    campaign = session.scalar(select(Campaign).where(Campaign.id == campaign_id, Campaign.account_id == account.id))
    if campaign is None:
        raise NotFound("There is no such campaign.")
    return campaign


def anywhere(session: Session, campaign_id: int) -> tuple[Account, Campaign]:
    """One of whichever account, for whoever owns the server."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise NotFound("There is no such campaign.")
    return session.get_one(Account, campaign.account_id), campaign


def fingerprint(session: Session, campaign: Campaign) -> str:
    """Of what a second person approves: what is said, and to whom, its segments as they are now.

    When is not in it: that may still be moved.
    """
    plan = {name: getattr(campaign, name) for name in PLAN}
    ids = [campaign.segment_id, *campaign.excluded_ids.get("segments", ())]
    found = select(Segment).where(Segment.id.in_(ids)).order_by(Segment.id)
    plan["conditions"] = [(segment.id, segment.conditions) for segment in session.scalars(found)]
    return hashlib.sha256(json.dumps(plan, sort_keys=True, default=str).encode()).hexdigest()


# Planning -------------------------------------------------------------------------------------------------------------


def save(
    session: Session,
    account: Account,
    draft: CampaignDraft,
    campaign: Campaign | None = None,
    *,
    seen: int | None = None,
    who: str = "",
) -> Campaign:
    """Add a campaign, or change one that was not launched yet.

    ``seen``: the version that whoever saves has looked at.

    Raises:
        Refused: a field is wrong.
        Conflict: it was launched, or somebody else has changed it since.
    """
    _check(session, account, draft)
    if campaign is None:
        count = session.scalar(select(func.count()).where(Campaign.account_id == account.id)) or 0
        if count >= MOST:
            raise Refused("An account holds {max} campaigns at most; delete some first.", max=MOST)
        campaign = Campaign(account_id=account.id, channel=draft.channel, name=draft.name, salt=secrets.token_hex(8))
        session.add(campaign)
    else:
        claimed = session.execute(
            update(Campaign)
            .where(Campaign.id == campaign.id, Campaign.status == CampaignStatus.DRAFT)
            .where(Campaign.version == (campaign.version if seen is None else seen))
            .values(version=Campaign.version + 1)
            .execution_options(synchronize_session=False)
        )
        session.refresh(campaign)
        if affected(claimed) == 0:
            if campaign.status is not CampaignStatus.DRAFT:
                raise Conflict("“{name}” was launched; take the launch back to change it.", name=campaign.name)
            raise Conflict("{who} has changed “{name}” meanwhile.", who=campaign.who, name=campaign.name)
    for name, value in draft.model_dump(mode="json", exclude={"excluded_segments", "channel", "reach"}).items():
        setattr(campaign, name, value)
    campaign.channel, campaign.reach = draft.channel, draft.reach
    campaign.excluded_ids = {"segments": draft.excluded_segments} if draft.excluded_segments else {}
    campaign.who, campaign.updated_at = who[:64], clock.now()
    session.flush()
    return campaign


def draft_of(campaign: Campaign) -> CampaignDraft:
    """The plan, to change it or to begin another with it."""
    given = {name: getattr(campaign, name) for name in CampaignDraft.model_fields if hasattr(campaign, name)}
    return CampaignDraft.model_validate({**given, "excluded_segments": campaign.excluded_ids.get("segments", [])})


def copy(session: Session, account: Account, campaign: Campaign, *, name: str = "", who: str = "") -> Campaign:
    """Begin another with the same plan; when it starts is to be chosen anew.

    Raises:
        Refused: a segment or tag of its plan was deleted.
    """
    draft = draft_of(campaign).model_copy(update={"starts": "", "name": name or campaign.name})
    return save(session, account, draft, who=who)


def remove(session: Session, campaign: Campaign) -> None:
    """Delete a draft.

    Raises:
        Conflict: it was launched: what was sent stays on record.
    """
    if campaign.status is not CampaignStatus.DRAFT:
        raise Conflict("Only a draft can be deleted; what was launched stays on record.")
    session.delete(campaign)


def _check(session: Session, account: Account, draft: CampaignDraft) -> None:
    for at, variant in enumerate(draft.variants):
        if variant.content.kind not in KINDS[draft.channel]:
            raise Refused("This channel cannot carry this kind of content.", field=f"variants.{at}.content")
    if len({variant.name for variant in draft.variants}) < len(draft.variants):
        raise Refused("Give each variant a name of its own.", field="variants")
    if draft.reach is not Reach.LIST:
        if draft.channel is not Channel.MASS:
            raise Refused("Only a mass message goes to a tag or to all.", field="reach")
        if draft.held_out or len(draft.variants) > 1 or draft.excluded_segments or draft.in_own_zone:
            raise Refused(
                "WeChat sends to everyone in a tag or to all alike: exclusions, experiments and followers' own time "
                "zones need a list.",
                field="reach",
            )
        if draft.reach is Reach.TAG:
            tag = session.get(Tag, draft.tag_id) if draft.tag_id else None
            if tag is None or tag.account_id != account.id:
                raise Refused("Choose the tag whose followers get it.", field="tag_id")
            if tag.wechat_id is None:
                raise Refused("WeChat does not know this tag yet.", field="tag_id")
    for segment_id in [*([draft.segment_id] if draft.segment_id else []), *draft.excluded_segments]:
        try:
            segments.get(session, account, segment_id)
        except NotFound as error:
            field = "segment_id" if segment_id == draft.segment_id else "excluded_segments"
            raise Refused(error.template, field=field) from None
    if draft.starts:
        campaign_schedule.starts_in(draft.starts, account.timezone)
    if bool(draft.quiet_from) != bool(draft.quiet_until):
        raise Refused("Give both ends of the quiet hours, or none.", field="quiet_from")

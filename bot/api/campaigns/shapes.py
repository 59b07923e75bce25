"""How a campaign reads, whichever address tells it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

import models
from bot.api.contract import LARGEST, In, Out
from bot.services import campaign_progress
from bot.services.campaigns import CampaignDraft
from models import CampaignStatus, Channel, Reach


class CampaignLine(Out):
    """A campaign in a list."""

    id: int
    name: str
    channel: Channel
    reach: Reach
    status: CampaignStatus
    why: Annotated[str, Field(description="it stopped: breaker, configuration, token, secret, refused or person")]
    errcode: Annotated[int | None, Field(description="WeChat's, where that is why")]
    audience: Annotated[int | None, Field(description="followers, those who get nothing included; null: not frozen")]
    starts: Annotated[str, Field(description="on the wall, such as 2026-11-25T09:00; empty: once launched")]
    starts_at: datetime | None
    version: Annotated[int, Field(description="of the plan: each change adds one")]
    who: Annotated[str, Field(description="wrote the plan last")]
    launched_by: str
    created_at: datetime
    updated_at: datetime
    launched_at: datetime | None
    finished_at: datetime | None


class Campaign(CampaignLine):
    """A campaign with its plan; `advice` says what `errcode` means."""

    variants: Annotated[list[dict[str, Any]], Field(description="name, weight, content; one: no experiment")]
    held_out: Annotated[int, Field(description="per cent of the audience that get nothing, to compare with")]
    to_everyone: bool
    segment_id: int | None
    excluded_segments: list[int]
    tag_id: int | None
    in_own_zone: bool
    quiet_from: str
    quiet_until: str
    missed_minutes: Annotated[int, Field(description="later than that it asks instead of starting")]
    pace: Annotated[int | None, Field(description="messages a second; null: as fast as WeChat allows")]
    ignores_cap: bool
    goal: dict[str, Any]
    approved_by: str
    parked_until: Annotated[datetime | None, Field(description="WeChat's quota is used up until then")]
    advice: str


class Campaigns(Out):
    items: list[CampaignLine]
    next: int | None


Version = Annotated[int, Field(ge=1, le=LARGEST, description="the one you looked at: 409 when it was changed since")]


class CampaignReplacement(CampaignDraft):
    version: Version


class Seen(In):
    version: Version


def shown(campaign: models.Campaign) -> dict[str, Any]:
    row = {name: getattr(campaign, name) for name in Campaign.model_fields if hasattr(campaign, name)}
    excluded = campaign.excluded_ids.get("segments", [])
    return {**row, "excluded_segments": excluded, "advice": campaign_progress.advice(campaign.errcode)}


def who(token: models.ApiToken) -> str:
    """A token is a person of its own: whoever launches with one does not approve with it."""
    return token.name or f"token {token.id}"

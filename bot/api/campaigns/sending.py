"""Launching a campaign, steering it, and how it stands."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.campaigns.shapes import Campaign, Seen, shown, who
from bot.api.contract import In, Out, endpoint
from bot.services import campaign_control, campaign_progress, campaigns
from models import CampaignStatus


class Pace(In):
    pace: Annotated[int | None, Field(ge=1, le=10_000, description="messages a second; null: as WeChat allows")]


class Start(In):
    starts: Annotated[str, Field(max_length=16, description="such as 2026-11-25T09:00; empty: at once")]


class CampaignProgress(Out):
    """In followers: `total` = `sent` + `left` + `failed` + `unknown` + `skipped`."""

    status: CampaignStatus
    why: str
    errcode: int | None
    advice: Annotated[str, Field(description="what errcode means and what to do")]
    total: Annotated[int, Field(description="to whom it was to go when it was launched")]
    sent: int
    left: int
    failed: int
    unknown: Annotated[int, Field(description="not confirmed: no answer came, and it is not sent again by itself")]
    skipped: Annotated[int, Field(description="excluded or cancelled since the launch")]
    excluded: Annotated[dict[str, int], Field(description="at the launch, by reason")]
    waiting: Annotated[int, Field(description="batches that WeChat has and has not reported on")]
    review: Annotated[int, Field(description="batches that a person must look at")]
    speed: Annotated[float, Field(description="messages a second just now")]
    ends_at: datetime | None


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/launch",
    scope="campaigns:write",
    summary="Freeze the audience and send when its time comes; for 30 seconds it can be undone",
    body=Seen,
    returns=Campaign,
    status=202,
)
def launch_campaign(
    session: Session, account: models.Account, token: models.ApiToken, campaign_id: int, body: Seen
) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    campaign_control.launch(session, account, campaign, seen=body.version, who=who(token))
    return shown(campaign)


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/approve",
    scope="campaigns:write",
    summary="Let a campaign go that needs a second person: not with the token that launched it",
    body=Seen,
    returns=Campaign,
)
def approve_campaign(
    session: Session, account: models.Account, token: models.ApiToken, campaign_id: int, body: Seen
) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    campaign_control.approve(session, account, campaign, seen=body.version, who=who(token))
    return shown(campaign)


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/undo",
    scope="campaigns:write",
    summary="Take a launch back before its first message: it is a draft again",
    returns=Campaign,
)
def undo_campaign(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    return _steered(campaign_control.undo, session, account, campaign_id)


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/begin-now",
    scope="campaigns:write",
    summary="Start one whose start was missed",
    returns=Campaign,
)
def begin_campaign(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    return _steered(campaign_control.begin_now, session, account, campaign_id)


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/pause",
    scope="campaigns:write",
    summary="Within a second nothing more goes out; what WeChat has taken it has",
    returns=Campaign,
)
def pause_campaign(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    return _steered(campaign_control.pause, session, account, campaign_id)


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/resume",
    scope="campaigns:write",
    summary="Go on where it stopped; nobody is written to twice",
    returns=Campaign,
)
def resume_campaign(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    return _steered(campaign_control.resume, session, account, campaign_id)


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/cancel",
    scope="campaigns:write",
    summary="End it: who has not been written to gets nothing",
    returns=Campaign,
)
def cancel_campaign(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    return _steered(campaign_control.cancel, session, account, campaign_id)


@endpoint(
    "PUT",
    "/accounts/<slug>/campaigns/<int:campaign_id>/pace",
    scope="campaigns:write",
    summary="Change the pace from the next second on, of all workers together",
    body=Pace,
    returns=Campaign,
)
def set_campaign_pace(session: Session, account: models.Account, campaign_id: int, body: Pace) -> dict[str, Any]:
    return _steered(campaign_control.set_pace, session, account, campaign_id, body.pace)


@endpoint(
    "PUT",
    "/accounts/<slug>/campaigns/<int:campaign_id>/start",
    scope="campaigns:write",
    summary="Move a campaign that has not begun to another start",
    body=Start,
    returns=Campaign,
)
def move_campaign(session: Session, account: models.Account, campaign_id: int, body: Start) -> dict[str, Any]:
    return _steered(campaign_control.move, session, account, campaign_id, body.starts)


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>/progress",
    scope="campaigns:read",
    summary="Get how far a campaign is",
    returns=CampaignProgress,
)
def get_campaign_progress(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    stands = campaign_progress.of(session, campaign)
    counted = {name: getattr(stands, name) for name in CampaignProgress.model_fields if hasattr(stands, name)}
    row = {"status": campaign.status, "why": campaign.why, "errcode": campaign.errcode}
    return {**row, "advice": campaign_progress.advice(campaign.errcode), **counted}


def _steered(
    act: Callable[..., None], session: Session, account: models.Account, campaign_id: int, *values: Any
) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    act(session, account, campaign, *values)
    return shown(campaign)

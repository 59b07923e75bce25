"""What became of each recipient, and what a person decides about those who failed or are not known."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, endpoint
from bot.api.followers import Changed
from bot.api.tasks import Task
from bot.services import campaign_progress, campaign_review, campaigns, followers
from bot.services.campaign_progress import Recipient
from models import DeliveryStatus

CODES = 2**31


class CampaignRecipient(Out):
    """One follower in a campaign's ledger; `sentence` says why they got it or not."""

    follower_id: int
    openid: str
    nickname: str
    status: Annotated[DeliveryStatus | None, Field(description="null: it was not meant for them")]
    reason: Annotated[str, Field(description="why excluded: opted_out, blocked, capped, monthly, no_window …")]
    errcode: int | None
    advice: Annotated[str, Field(description="what errcode means and what to do")]
    variant: Annotated[int | None, Field(description="counted from 0")]
    batch: Annotated[int | None, Field(description="0: excluded at the launch")]
    at: datetime | None
    sentence: str


class CampaignRecipients(Out):
    items: list[CampaignRecipient]
    next: int | None


class RecipientQuery(In):
    status: DeliveryStatus | None = None
    reason: Annotated[str, Field(max_length=16, description="why excluded")] = ""
    errcode: Annotated[int | None, Field(ge=-CODES, lt=CODES, description="WeChat's")] = None
    after: Annotated[int, Field(ge=0, le=LARGEST, description="`next` of the page before")] = 0
    limit: Annotated[int, Field(ge=1, le=200, description="how many at most")] = 50


class CampaignError(Out):
    errcode: Annotated[int | None, Field(description="null: WeChat reported the failure without a code")]
    count: int
    advice: str


class CampaignErrors(Out):
    items: list[CampaignError]


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>/recipients",
    scope="campaigns:read",
    summary="List a campaign's ledger by follower",
    query=RecipientQuery,
    returns=CampaignRecipients,
)
def list_campaign_recipients(
    session: Session, account: models.Account, campaign_id: int, query: RecipientQuery
) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    found = campaign_progress.recipients(session, campaign, **query.model_dump())  # its names are the filter's
    items = [_told(campaign, each.follower, each) for each in found]
    return {"items": items, "next": found[-1].follower.id if len(found) == query.limit else None}


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>/recipients/<int:follower_id>",
    scope="campaigns:read",
    summary="Say why a follower got a campaign, or not",
    returns=CampaignRecipient,
)
def explain_campaign_recipient(
    session: Session, account: models.Account, campaign_id: int, follower_id: int
) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    follower = followers.get(session, account, follower_id)
    return _told(campaign, follower, campaign_progress.find(session, campaign, follower_id))


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>/errors",
    scope="campaigns:read",
    summary="Count what failed by WeChat's code, most first",
    returns=CampaignErrors,
)
def list_campaign_errors(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    found = campaign_progress.errors(session, campaigns.get(session, account, campaign_id))
    items = [
        {"errcode": errcode, "count": count, "advice": campaign_progress.advice(errcode)} for errcode, count in found
    ]
    return {"items": items}


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/retry-failed",
    scope="campaigns:write",
    summary="Send again to those who certainly did not get it",
    returns=Changed,
)
def retry_failed(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    return {"changed": campaign_review.retry_failed(session, account, campaign)}


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/unknown/send-again",
    scope="campaigns:write",
    summary="Send again to those of whom it is not known: some may get it twice",
    returns=Changed,
)
def send_unknown_again(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    return {"changed": campaign_review.send_unknown_again(session, account, campaign)}


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/unknown/count-as-sent",
    scope="campaigns:write",
    summary="Leave those of whom it is not known as they are, and count them as sent",
    returns=Changed,
)
def count_unknown_as_sent(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    return {"changed": campaign_review.count_unknown_as_sent(session, account, campaign)}


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/recall",
    scope="campaigns:write",
    summary="Take back articles or a video of a mass message: they open to “deleted”, for who has not read them",
    returns=Task,
    status=202,
)
def recall_campaign(session: Session, account: models.Account, campaign_id: int) -> models.Task:
    return campaign_review.recall(session, account, campaigns.get(session, account, campaign_id))


def _told(campaign: models.Campaign, follower: models.Follower, found: Recipient | None) -> dict[str, Any]:
    delivery = found.delivery if found else None
    return {
        "follower_id": follower.id,
        "openid": follower.openid,
        "nickname": follower.nickname,
        "status": delivery and delivery.status,
        "reason": delivery.reason if delivery else "",
        "errcode": delivery and delivery.errcode,
        "advice": campaign_progress.advice(delivery.errcode) if delivery else "",
        "variant": delivery and delivery.variant,
        "batch": delivery and delivery.batch,
        "at": delivery and delivery.at,
        "sentence": campaign_progress.explain(campaign, found),
    }

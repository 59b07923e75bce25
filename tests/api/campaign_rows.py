"""Campaigns in every state, one for each endpoint that needs its own."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot import clock
from models import Account, Batch, BatchStatus, Campaign, CampaignStatus, Channel, Delivery, DeliveryStatus, Follower

TEXT = {"kind": "text", "text": "秋茶上新。"}
STORY = {"kind": "articles", "articles": [{"title": "秋茶", "content": "<p>新</p>", "thumb_media_id": "m"}]}
PLAN: dict[str, Any] = {"name": "秋茶上新", "channel": "mass", "to_everyone": True, "variants": [{"content": TEXT}]}
BODIES: dict[str, dict[str, Any]] = {
    "create_campaign": PLAN,
    "replace_campaign": {**PLAN, "version": 1},
    "launch_campaign": {"version": 1},
    "approve_campaign": {"version": 1},
    "set_campaign_pace": {"pace": 50},
    "move_campaign": {"starts": "2099-11-25T09:00"},
    "send_campaign_test": {"variant": 0, "follower_id": 1},
}
# Endpoint → the state in which it has something to do, and what became of the one delivery.
STATES: dict[str, tuple[CampaignStatus, DeliveryStatus | None]] = {
    "replace_campaign": (CampaignStatus.DRAFT, None),
    "delete_campaign": (CampaignStatus.DRAFT, None),
    "launch_campaign": (CampaignStatus.DRAFT, None),
    "undo_campaign": (CampaignStatus.SCHEDULED, DeliveryStatus.PENDING),
    "approve_campaign": (CampaignStatus.WAITING, DeliveryStatus.PENDING),
    "begin_campaign": (CampaignStatus.MISSED, DeliveryStatus.PENDING),
    "pause_campaign": (CampaignStatus.SENDING, DeliveryStatus.PENDING),
    "resume_campaign": (CampaignStatus.PAUSED, DeliveryStatus.PENDING),
    "cancel_campaign": (CampaignStatus.SENDING, DeliveryStatus.PENDING),
    "retry_failed": (CampaignStatus.FINISHED, DeliveryStatus.FAILED),
    "send_unknown_again": (CampaignStatus.FINISHED, DeliveryStatus.UNKNOWN),
    "count_unknown_as_sent": (CampaignStatus.FINISHED, DeliveryStatus.UNKNOWN),
    "recall_campaign": (CampaignStatus.FINISHED, DeliveryStatus.SENT),
    "list_campaign_recipients": (CampaignStatus.FINISHED, DeliveryStatus.FAILED),
    "list_campaign_errors": (CampaignStatus.FINISHED, DeliveryStatus.FAILED),
    "explain_campaign_recipient": (CampaignStatus.FINISHED, DeliveryStatus.FAILED),
}


def draft(session: Session, account: Account) -> Campaign:
    campaign = Campaign(account_id=account.id, name="秋茶上新", channel=Channel.MASS, to_everyone=True)
    campaign.variants = [{"name": "A", "weight": 1, "content": TEXT}]
    session.add(campaign)
    session.flush()
    return campaign


def campaigns_of(session: Session, account: Account, follower: Follower) -> dict[str, int]:
    """A draft under "campaign_id"; under "launch_campaign campaign_id" … what that endpoint alone is to use."""
    found = {"campaign_id": draft(session, account).id}
    for at, (name, (status, delivery)) in enumerate(STATES.items()):
        campaign = draft(session, account)
        campaign.status = status
        if name == "recall_campaign":
            campaign.variants = [{"name": "A", "weight": 1, "content": STORY}]
        if delivery is not None:
            _sent(session, campaign, follower, delivery, msg_id=1000 + at)
        found[f"{name} campaign_id"] = campaign.id
    return found


def _sent(session: Session, campaign: Campaign, follower: Follower, status: DeliveryStatus, msg_id: int) -> None:
    now = clock.now()
    campaign.launched_at = campaign.starts_at = now - timedelta(hours=1)
    campaign.launched_by, campaign.audience = "小美", 1
    is_over = status in (DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)
    errcode = 40003 if status is DeliveryStatus.FAILED else None
    batch = Batch(
        account_id=campaign.account_id,
        campaign_id=campaign.id,
        number=1,
        zone="Asia/Shanghai",
        size=1,
        status=BatchStatus.DONE if is_over else BatchStatus.READY,
        due_at=now,
        client_id=f"{msg_id}",
        msg_id=msg_id if is_over else None,
    )
    if is_over:
        setattr(batch, status.value, 1)
    ids = {"campaign_id": campaign.id, "follower_id": follower.id}
    session.add_all([batch, Delivery(**ids, batch=1, status=status, errcode=errcode, at=now)])

"""The tea house's campaigns, one in each state that has a page of its own."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.services import campaigns
from bot.services.campaigns import CampaignDraft
from models import (
    Account,
    Batch,
    BatchStatus,
    Campaign,
    CampaignStatus,
    Click,
    Delivery,
    DeliveryStatus,
    Follower,
    TrackedLink,
)

TEXT = "秋茶上新：桂花乌龙、凤凰单丛到店。\n\n本周到店试饮免费，回复“预留”为您留一份：https://tea.example.com/autumn"
SERVICE = "{{nickname|茶友}}，您预约的包间今晚七点为您留好。"


def campaigns_of(session: Session, account: Account, people: list[Follower]) -> list[Campaign]:
    """Draft, paused by the breaker, finished, being sent, scheduled, waiting for approval, missed; another draft."""
    now = clock.now()

    def plan(name: str, text: str = TEXT, **values: Any) -> Campaign:
        variants = values.pop("variants", [{"content": {"kind": "text", "text": text}}])
        given = {"name": name, "channel": "mass", "to_everyone": True, "variants": variants, **values}
        return campaigns.save(session, account, CampaignDraft.model_validate(given), who="小美")

    def launched(campaign: Campaign, status: CampaignStatus, **values: Any) -> None:
        campaign.status, campaign.launched_by, campaign.audience = status, "小美", 48_200
        campaign.launched_at, campaign.starts_at = now - timedelta(minutes=9), now - timedelta(minutes=8)
        campaign.excluded = {"opted_out": 312, "monthly": 1480, "capped": 96}
        for name, value in values.items():
            setattr(campaign, name, value)

    tomorrow = (now + timedelta(days=1)).strftime("%Y-%m-%dT10:00")
    both = [
        {"name": "A", "content": {"kind": "text", "text": TEXT}},
        {"name": "B", "content": {"kind": "text", "text": TEXT.replace("秋茶上新", "今天开始，秋茶到店")}},
    ]
    found = [
        plan("秋茶上新", starts=tomorrow, variants=both, held_out=30, quiet_from="22:00", quiet_until="08:00"),
        plan("包间提醒", SERVICE, channel="service", pace=20),
        plan("国庆回顾", variants=both, goal={"kind": "click", "days": 3}, held_out=5),
        plan("周末试饮会"),
        plan("会员日", starts=tomorrow),
        plan("双十二预告"),
        plan("早安茶"),
        plan("冬至问候", "冬至快乐。今晚到店，汤圆免费。"),
    ]
    paused, finished, sending = found[1:4]
    launched(paused, CampaignStatus.PAUSED, why="breaker", errcode=45015, excluded={"no_window": 2110, "left": 12})
    launched(finished, CampaignStatus.FINISHED, finished_at=now - timedelta(days=2))
    finished.launched_at = finished.starts_at = now - timedelta(days=2, hours=1)
    finished.excluded = {"held_out": 2400, "opted_out": 312}
    launched(sending, CampaignStatus.SENDING)
    launched(found[4], CampaignStatus.SCHEDULED, starts_at=now + timedelta(days=1))
    launched(found[5], CampaignStatus.WAITING, launched_by="小林")
    launched(found[6], CampaignStatus.MISSED, starts_at=now - timedelta(hours=5))
    _ledger(session, account, paused, people, size=6200, sent=1480, failed=1507, unknown=3)
    _ledger(session, account, finished, people, size=22_900, sent=22_862, failed=0, ended=22_731)
    _ledger(session, account, finished, [], size=22_890, sent=22_851, failed=0, ended=22_702, number=2, variant=1)
    _ledger(session, account, sending, people[:4], size=46_312, sent=15_104, failed=0)
    for each in found[4:7]:
        _ledger(session, account, each, [], size=46_312, sent=0, failed=0)
    for variant in (0, 1):
        url = "https://tea.example.com/autumn"
        session.add(
            TrackedLink(
                account_id=account.id, campaign_id=finished.id, variant=variant, number=0, code=f"abc{variant}", url=url
            )
        )
    _clicks(session, finished)
    session.commit()
    return found


def _clicks(session: Session, campaign: Campaign) -> None:
    """More in the first hours, and more of the second variant."""
    session.flush()
    links = session.scalars(select(TrackedLink).where(TrackedLink.campaign_id == campaign.id).order_by(TrackedLink.id))
    for number, link in enumerate(links):
        for at in range(60 + 45 * number):
            when = (campaign.starts_at or clock.now()) + timedelta(minutes=at * at // 9)
            session.add(Click(link_id=link.id, visitor=f"v{at}", at=when, times=1 + at % 3 // 2))


def _ledger(
    session: Session,
    account: Account,
    campaign: Campaign,
    people: list[Follower],
    *,
    size: int,
    sent: int,
    failed: int,
    unknown: int = 0,
    ended: int | None = None,
    number: int = 1,
    variant: int = 0,
) -> None:
    done = size == sent + failed + unknown or ended is not None
    session.add(
        Batch(
            account_id=account.id,
            campaign_id=campaign.id,
            number=number,
            variant=variant,
            zone=account.timezone,
            size=size if ended is None else sent,
            sent=sent,
            failed=failed,
            unknown=unknown,
            status=BatchStatus.DONE if done else BatchStatus.READY,
            due_at=campaign.starts_at or clock.now(),
            client_id=f"sample{campaign.id}-{number}",
            accepted_at=campaign.starts_at if sent and campaign.channel == "mass" else None,
            ended=ended and {"status": "send success", "total": sent, "filtered": sent - ended, "sent": ended},
        )
    )
    states = [
        (DeliveryStatus.SENT, "", None),
        (DeliveryStatus.FAILED, "", 45015),
        (DeliveryStatus.UNKNOWN, "", None),
        (DeliveryStatus.EXCLUDED, "opted_out", None),
        (DeliveryStatus.PENDING, "", None),
    ]
    for at, person in enumerate(people):
        status, reason, errcode = states[at % len(states)] if failed else states[0]
        session.add(
            Delivery(
                campaign_id=campaign.id,
                follower_id=person.id,
                batch=0 if reason else number,
                variant=variant,
                status=status,
                reason=reason,
                errcode=errcode,
                at=None if status is DeliveryStatus.PENDING else campaign.starts_at,
            )
        )

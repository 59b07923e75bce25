"""Moves a campaign on for some 20 seconds: freezes its audience, sends, asks WeChat what became of what it took."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from redis.exceptions import RedisError

from bot import clock, queue
from bot.database import reading, transaction
from bot.fault_points import fault_point
from bot.jobs import campaign_sending, tasks
from bot.services import (
    campaign_audience,
    campaign_control,
    campaign_launches,
    campaign_ledger,
    campaign_reports,
    tokens,
)
from bot.wechat import broadcasts
from bot.wechat.errors import WeChatError
from models import Account, Batch, Campaign, CampaignStatus

TURN_SECONDS = 20.0

log = structlog.get_logger()


def advance(campaign_id: int) -> None:
    """Do what can be done for it now; what is left is hinted again, behind other campaigns."""
    fault_point("K4 after hint pop")
    ends = time.monotonic() + TURN_SECONDS
    with reading() as session:
        campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        return
    if campaign.status is CampaignStatus.PREPARING:
        prepare(campaign_id)
    with transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        if campaign.status is CampaignStatus.SCHEDULED:
            campaign_control.begin(session, campaign)
    if campaign.status is CampaignStatus.CANCELLED:
        _until(ends, lambda: _cancel_some(campaign_id))
    elif campaign.status is CampaignStatus.SENDING:
        _bring_help(campaign_id)
        if campaign_sending.send(campaign_id, lambda: time.monotonic() < ends and not tasks.stopping.is_set()):
            queue.send([queue.Hint("campaigns.advance", campaign_id, "broadcasts")])
    _ask(campaign_id)


def prepare(campaign_id: int) -> None:
    """Freeze the audience, some thousand rows in each transaction; what a dead worker left is thrown away first."""
    with transaction() as session:
        fence = campaign_launches.take(session, campaign_id)
    if fence is None:
        return
    cleared = True
    while cleared:
        with transaction() as session:
            if not campaign_launches.holds(session, campaign_id, fence):
                return
            cleared = campaign_launches.clear(session, campaign_id)
    with reading() as session:
        campaign = session.get_one(Campaign, campaign_id)
        account = session.get_one(Account, campaign.account_id)
        parts = campaign_audience.parts(session, account, campaign)
    total = sum(len(part.ids) for part in parts)
    excluded: Counter[str] = Counter()
    number = written = 0
    pieces = [(part, ids) for part in parts for ids in campaign_audience.batches(part, _most(campaign, part))]
    while pieces:
        with transaction() as session:
            if not campaign_launches.holds(session, campaign_id, fence, audience=total):
                return
            room = campaign_launches.WRITE
            while pieces and room > 0:
                part, ids = pieces.pop(0)
                if not part.reason and len(ids) == 1 and _needs_two(campaign):
                    part = campaign_audience.Part("alone", part.variant, part.zone)
                if part.reason:
                    excluded[part.reason] += len(ids)
                else:
                    number += 1
                due_at = campaign_control.due_in(account, campaign, part.zone)
                campaign_launches.freeze(session, campaign, part, ids, 0 if part.reason else number, due_at)
                room -= len(ids)
                written += len(ids)
    fault_point("K2 after plan commit")
    with transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        campaign_launches.keep_links(session, campaign)
        if not campaign_launches.ready(session, account, campaign, fence, dict(excluded)):
            session.rollback()
    log.info("campaign.prepared", campaign_id=campaign_id, rows=written)


def _most(campaign: Campaign, part: campaign_audience.Part) -> int:
    return campaign_launches.WRITE if part.reason else campaign_launches.most_of(campaign, len(part.ids))


def _needs_two(campaign: Campaign) -> bool:
    return campaign.channel == "mass" and campaign.reach == "list"


def _bring_help(campaign_id: int) -> None:
    """Keep one hint waiting while there is work, for a worker that has none: so all of them join."""
    try:
        waiting = int(queue.connection().llen(queue.queue("broadcasts").key))
    except RedisError:
        return
    if waiting == 0:
        with reading() as session:
            more = campaign_ledger.has_more(session, campaign_id)
        if more:
            queue.send([queue.Hint("campaigns.advance", campaign_id, "broadcasts")])
            fault_point("K3 after hint push")


def _cancel_some(campaign_id: int) -> bool:
    with transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        return campaign.status is CampaignStatus.CANCELLED and campaign_launches.cancel_some(session, campaign)


def _until(ends: float, step: Callable[[], bool]) -> None:
    while time.monotonic() < ends and step():
        pass


def _ask(campaign_id: int) -> None:
    """Of mass messages whose end nobody told us, ask WeChat."""
    now: datetime = clock.now()
    with reading() as session:
        due = campaign_reports.unreported(session, campaign_id, now)
        account = session.get_one(Account, session.get_one(Campaign, campaign_id).account_id)
    if not due:
        return
    client = tokens.client_for(account)
    try:
        for batch_id, msg_id in due:
            try:
                status: str = broadcasts.mass_status(client, msg_id)
            except WeChatError as error:
                log.warning("campaign.check_refused", batch_id=batch_id, error=str(error))
                with transaction() as session:
                    session.get_one(Batch, batch_id).check_at = now + timedelta(minutes=5)
                if error.retry:
                    return
                status = "unknown"
            fault_point("K17 after mass/get")
            with transaction() as session:
                campaign_reports.asked(session, batch_id, status)
    finally:
        client.close()


JOBS = (advance,)

"""Compares our ledger with what WeChat put on the phones: what was lost, sent twice, or is not in a final state."""

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select

from bot.database import reading
from bot.services.campaign_ledger import FINAL
from models import (
    Batch,
    BatchStatus,
    Campaign,
    CampaignStatus,
    Channel,
    Delivery,
    DeliveryStatus,
    Follower,
    InboundMessage,
)
from tests.factories import Sim

ENDED = (CampaignStatus.FINISHED, CampaignStatus.CANCELLED)
OPEN = (DeliveryStatus.PENDING, DeliveryStatus.SENDING)


@dataclass
class Verdict:
    """What a campaign came to; ``problems`` is empty when every promise was kept."""

    recipients: int = 0
    lost: int = 0
    twice: int = 0
    unknown: int = 0
    in_doubt: int = 0  # calls without a known end: a mass message's list is one, however many are on it
    problems: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Verdict") -> "Verdict":
        for name in ("recipients", "lost", "twice", "unknown", "in_doubt"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems
        return self


def judge(sim: Sim, account: str, campaign_id: int, said: str) -> Verdict:
    """One campaign that has ended; ``said``: a text that only its messages hold."""
    with reading() as session:
        campaign = session.get_one(Campaign, campaign_id)
        batches = list(session.scalars(select(Batch).where(Batch.campaign_id == campaign_id)))
        rows = session.execute(
            select(Follower.openid, Delivery.status, Delivery.batch)
            .join(Follower, Follower.id == Delivery.follower_id)
            .where(Delivery.campaign_id == campaign_id)
        ).all()
    received = receipts(sim, account, said)
    verdict = Verdict(recipients=sum(1 for _openid, _status, batch in rows if batch))

    def wrong(what: str) -> None:
        verdict.problems.append(f"{campaign.channel.value} campaign {campaign_id}: {what}")

    if campaign.status not in ENDED:
        wrong(f"is {campaign.status.value}")
    for openid, status, _batch in rows:
        times = received.pop(openid, 0)
        if times > 1:
            verdict.twice += 1
            wrong(f"{openid} received it {times} times")
        if status in OPEN:
            verdict.lost += times == 0
            wrong(f"{openid} is still {status.value}, and received it {times} times")
        elif status is DeliveryStatus.SENT and times == 0:
            verdict.lost += 1
            wrong(f"{openid} is sent, and received nothing")
        elif status is DeliveryStatus.UNKNOWN:
            verdict.unknown += 1
        elif status is not DeliveryStatus.SENT and times:
            wrong(f"{openid} is {status.value}, and received it")
    for openid, times in received.items():
        wrong(f"{openid} is not in the ledger, and received it {times} times")
    if campaign.channel is Channel.MASS:
        verdict.in_doubt = len({batch for _openid, status, batch in rows if status is DeliveryStatus.UNKNOWN})
    else:
        verdict.in_doubt = verdict.unknown
    _check_batches(batches, Counter((batch, status) for _openid, status, batch in rows if batch), wrong)
    return verdict


def _check_batches(batches: list[Batch], stand: Counter[tuple[int, DeliveryStatus]], wrong) -> None:
    """I1, I3, I4: each planned recipient in one batch, the counts sum to the plan, nobody holds anything."""
    known = {batch.number for batch in batches}
    if stray := {number for number, _status in stand} - known:
        wrong(f"deliveries in batches {stray} that are not there")
    for batch in batches:
        counted = {name: stand[batch.number, DeliveryStatus(name)] for name in ("sent", "failed", "unknown")}
        kept = {name: getattr(batch, name) for name in counted}
        if kept != counted:
            wrong(f"batch {batch.number} counts {kept}, its deliveries {counted}")
        if batch.left or batch.status not in FINAL:
            wrong(f"batch {batch.number} is {batch.status.value} with {batch.left} left")
        if batch.size != sum(count for (number, _status), count in stand.items() if number == batch.number):
            wrong(f"batch {batch.number} was planned for {batch.size}")
        if batch.leased_until is not None and batch.status is BatchStatus.SENDING:
            wrong(f"batch {batch.number} is leased")


def judge_jobs(sim: Sim, account: str, account_id: int) -> list[str]:
    """I2, I5, I6: one job for each client id, one batch for each job, one row for each report, and it was applied."""
    jobs = sim.get("jobs", account=account)["masses"]
    problems = [f"client id {id_} was taken on {n} times" for id_, n in times(job["client_id"] for job in jobs)]
    with reading() as session:
        batches = session.scalars(select(Batch).where(Batch.account_id == account_id, Batch.msg_id.is_not(None))).all()
        reports = session.scalars(
            select(InboundMessage.fields).where(
                InboundMessage.account_id == account_id, InboundMessage.event == "masssendjobfinish"
            )
        ).all()
    problems += [f"msg_id {id_} belongs to {n} batches" for id_, n in times(batch.msg_id for batch in batches)]
    problems += [f"the report on {id_} has {n} rows" for id_, n in times(each["MsgID"] for each in reports)]
    of_job = {job["msg_id"]: job["client_id"] for job in jobs}
    told = {int(each["MsgID"]) for each in reports}
    for batch in batches:
        if of_job.get(batch.msg_id) != batch.client_id:
            problems.append(f"batch {batch.id} has msg_id {batch.msg_id}, which is another's")
        if batch.msg_id in told and batch.status is BatchStatus.ACCEPTED:
            problems.append(f"the report on batch {batch.id} was never applied")
    return problems


def times(values) -> list[tuple[object, int]]:
    return [(value, count) for value, count in Counter(values).items() if count > 1]


def receipts(sim: Sim, account: str, said: str) -> dict[str, int]:
    """openid → how often their phone received it."""
    response = sim.http.get(
        f"{sim.address}/sim/receipts/lines", params={"account": account, "contains": said}, timeout=120
    )
    assert response.ok, response.text
    return {openid: int(count) for openid, count in (line.split() for line in response.text.splitlines())}


def rows_of(campaign_ids: list[int]) -> int:
    with reading() as session:
        query = select(func.count()).select_from(Delivery).where(Delivery.campaign_id.in_(campaign_ids))
        return session.scalar(query) or 0

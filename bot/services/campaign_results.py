"""What came of a campaign: sent → delivered → clicked, replied, converted; counted in the database, a few queries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot import clock
from bot.services import campaign_outcomes, proportions
from bot.services.campaign_outcomes import HELD_OUT, NOBODY
from models import Account, Batch, Campaign, Channel, Click, Delivery, DeliveryStatus, TrackedLink

DAYS = 3  # for a reply or a conversion, where the goal says nothing else
HOURS = 168  # of clicks that are told hour by hour


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One variant's way down, or (``variant`` None) the group that got nothing.

    recipients ≥ sent ≥ delivered, and out of these each clicked, replied or converted, or not.
    """

    variant: int | None  # its place in campaign.variants
    name: str
    recipients: int  # frozen at the launch
    sent: int  # WeChat took it on
    delivered: int | None  # None: WeChat has not reported on all of it, or never says
    clicked: int  # followers; of a mass message, which is the same for all, browsers
    visitors: int  # whoever opened a link of it, also those it was forwarded to
    replied: int
    converted: int | None  # None: the campaign has no goal, or one that they cannot reach

    @property
    def out_of(self) -> int:
        """Whom its shares are counted of."""
        if self.variant is None:
            return self.recipients
        return self.sent if self.delivered is None else self.delivered

    @property
    def hits(self) -> int:
        """Who did what it was for."""
        return self.clicked if self.converted is None else self.converted

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share of hits lies, 95 times of 100."""
        return proportions.interval_of(self.hits, self.out_of)


@dataclass(frozen=True, slots=True)
class LinkResult:
    variant: int
    number: int  # its place in the content, from 0
    url: str
    clicks: int
    people: int  # followers and, where nobody knows whose click it was, browsers


class Hour(NamedTuple):
    at: datetime  # its beginning, UTC
    people: int  # who opened a link for the first time


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence in plain words, with {named} gaps."""

    sentence: str
    values: Mapping[str, object]
    leader: int | None = None  # the variant that is better; None: nobody can tell
    p: float | None = None  # how often chance alone would bring the leader so far ahead, all comparisons allowed for


def funnel(session: Session, account: Account, campaign: Campaign) -> list[VariantResult]:
    """One for each variant, in their order, and one more for the group that got nothing, if there is one."""
    sums = _sums(session, campaign)
    days = timedelta(days=int(campaign.goal.get("days") or DAYS))
    first = sums.first or clock.now()
    period = (first, (campaign.finished_at or max(first, clock.now())) + days)
    visitors = _visitors(session, campaign)
    replied = Counter(campaign_outcomes.replied(session, account, campaign, period, days))
    is_mass = campaign.channel is Channel.MASS
    clicked = visitors if is_mass else Counter(campaign_outcomes.clicked(session, campaign))
    reached = campaign_outcomes.converted(session, account, campaign, period, days)
    if is_mass and campaign.goal.get("kind") == "click":
        reached = _visitors(session, campaign, (sums.last or first) + days)  # nobody's in particular
    converted = None if reached is None else Counter(reached)
    found = []
    for at, variant in enumerate(campaign.variants):
        sent, delivered = sums.sent[at], sums.delivered[at]
        most = sent if delivered is None else delivered
        found.append(
            VariantResult(
                variant=at,
                name=str(variant.get("name", "")),
                recipients=sums.recipients[at],
                sent=sent,
                delivered=delivered,
                clicked=min(clicked[at], most),  # what was forwarded may be opened by more people than got it
                visitors=visitors[at],
                replied=min(replied[at], most),
                converted=None if converted is None else min(converted[at], most),
            )
        )
    if campaign.held_out:
        if campaign.goal.get("kind") == "click":
            converted = None  # they have no link to open
        count, did = int(campaign.excluded.get(HELD_OUT, 0)), None if converted is None else converted[NOBODY]
        found.append(VariantResult(None, "", count, 0, 0, 0, 0, replied[NOBODY], did))
    return found


def clicks_by_hour(session: Session, campaign: Campaign) -> list[Hour]:
    """Every hour from the first click on to the last, of at most a week."""
    if session.get_bind().dialect.name == "sqlite":
        hour: ColumnElement[Any] = func.strftime("%s", func.substr(Click.at, 1, 13).concat(":00"))
    else:
        hour = func.extract("epoch", func.date_trunc("hour", Click.at))
    query = select(hour, func.count()).join(TrackedLink).where(TrackedLink.campaign_id == campaign.id).group_by(hour)
    counted = {int(at): count for at, count in session.execute(query)}
    if not counted:
        return []
    first, last = min(counted), max(counted)
    hours = range(first, min(last, first + (HOURS - 1) * 3600) + 1, 3600)
    return [Hour(datetime.fromtimestamp(at, clock.now().tzinfo), counted.get(at, 0)) for at in hours]


def links(session: Session, campaign: Campaign) -> list[LinkResult]:
    """Each link of each variant, also those that nobody opened."""
    query = (
        select(TrackedLink, func.coalesce(func.sum(Click.times), 0), func.count(Click.id))
        .outerjoin(Click)
        .where(TrackedLink.campaign_id == campaign.id)
        .group_by(TrackedLink.id)
        .order_by(TrackedLink.variant, TrackedLink.number)
    )
    return [
        LinkResult(link.variant, link.number, link.url, int(clicks), people)
        for link, clicks, people in session.execute(query)
    ]


# Sent and delivered: off the batches, which count their own -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sums:
    recipients: Counter[int]
    sent: Counter[int]
    delivered: dict[int, int | None]
    first: datetime | None  # when the first was sent
    last: datetime | None  # when WeChat took the last mass message on


def _sums(session: Session, campaign: Campaign) -> _Sums:
    recipients, sent = Counter[int](), Counter[int]()
    delivered: dict[int, int | None] = dict.fromkeys(range(len(campaign.variants)), 0)
    columns = (Batch.variant, Batch.size, Batch.sent, Batch.failed, Batch.ended, Batch.accepted_at)
    query = select(*columns).where(Batch.campaign_id == campaign.id)
    last, any_failed = None, False
    for variant, size, arrived, failed, ended, accepted_at in session.execute(query):
        any_failed = any_failed or failed > 0
        recipients[variant] += size
        sent[variant] += arrived
        if campaign.channel is not Channel.MASS:
            _add(delivered, variant, arrived)
        elif accepted_at is not None:
            last = max(last or accepted_at, accepted_at)
            sent[variant] += failed  # WeChat took them on, and let its check stop them
            told = (ended or {}).get("sent")
            _add(delivered, variant, 0 if arrived == 0 else told if told is None else min(told, arrived))
    if campaign.channel is Channel.TEMPLATE and any_failed:
        sent.update(_reported_failed(session, campaign))
    first = session.scalar(select(func.min(Batch.first_tried_at)).where(Batch.campaign_id == campaign.id))
    return _Sums(recipients, sent, delivered, first, last)


def _add(delivered: dict[int, int | None], variant: int, count: int | None) -> None:
    known = delivered.get(variant)
    delivered[variant] = None if known is None or count is None else known + count


def _reported_failed(session: Session, campaign: Campaign) -> dict[int, int]:
    """Template messages that WeChat numbered, and reported on as not delivered."""
    troubled = select(Batch.number).where(Batch.campaign_id == campaign.id, Batch.failed > 0)
    query = select(Delivery.variant, func.count()).where(
        Delivery.campaign_id == campaign.id,
        Delivery.batch.in_(troubled),
        Delivery.status == DeliveryStatus.FAILED,
        Delivery.msg_id.is_not(None),
    )
    return dict(session.execute(query.group_by(Delivery.variant)).all())


# Clicks ---------------------------------------------------------------------------------------------------------------


def _visitors(session: Session, campaign: Campaign, until: datetime | None = None) -> Counter[int]:
    query = select(TrackedLink.variant, func.count(Click.visitor.distinct())).join(Click)
    query = query.where(TrackedLink.campaign_id == campaign.id)
    if until is not None:
        query = query.where(Click.at < until)
    return Counter(dict(session.execute(query.group_by(TrackedLink.variant)).all()))


# Verdicts -------------------------------------------------------------------------------------------------------------

LEADS = (
    "“{name}” is ahead: {share} % against {other_share} % of “{other}”. If the two were equally good, a difference "
    "this large would appear in about {n} of 100 campaigns."
)
LEADS_CLEARLY = (
    "“{name}” is ahead: {share} % against {other_share} % of “{other}”. If the two were equally good, a difference "
    "this large would appear in fewer than 1 of {n} campaigns."
)
TOO_SMALL = (
    "The difference is too small to tell: {share} % for “{name}”, {other_share} % for “{other}”. About {more} more "
    "followers a variant would be needed."
)
FAR_TOO_SMALL = (
    "The difference is too small to tell: {share} % for “{name}”, {other_share} % for “{other}”. More than a million "
    "followers a variant would be needed."
)
EQUAL = "“{name}” and “{other}” do equally well so far: {share} % each."
NOTHING_YET = "Nobody has done it yet, so the variants cannot be compared."
ONLY_ONE = "There is only one variant, so there is nothing to compare."
BRINGS_MORE = (
    "Of those who got it {share} % reached the goal, of those who were to get nothing {other_share} %. The campaign "
    "brings between {low} and {high} percentage points more, with 95 % certainty."
)
BRINGS_LESS = (
    "Of those who got it {share} % reached the goal, of those who were to get nothing {other_share} %. The campaign "
    "brings between {low} and {high} percentage points less, with 95 % certainty."
)
MAY_BE_CHANCE = (
    "Of those who got it {share} % reached the goal, of those who were to get nothing {other_share} %. That may be "
    "chance: the campaign may bring as much as {low} percentage points less or {high} more."
)
MILLION = 1_000_000


def winner(results: Sequence[VariantResult]) -> Verdict:
    """Which variant did better at what the campaign was for, and how sure that is.

    Of equal variants one is called better in at most 5 of 100 campaigns, however many they are.  That holds for one
    look, once the goal's days are over: whoever looks every hour will see more of chance.
    """
    variants = [each for each in results if each.variant is not None]
    if len(variants) < 2:
        return Verdict(ONLY_ONE, {})
    is_reported = all(each.delivered is not None for each in variants)
    counts = {each: (each.hits, each.out_of if is_reported else each.sent) for each in variants}
    counts = {each: (hits, of) for each, (hits, of) in counts.items() if of}
    if len(counts) < 2 or not any(hits for hits, _of in counts.values()):
        return Verdict(NOTHING_YET, {})
    pairs = list(combinations(counts, 2))
    adjusted = proportions.holm([proportions.p_value(*counts[one], *counts[two]) for one, two in pairs])
    chances = {frozenset(pair): p for pair, p in zip(pairs, adjusted, strict=True)}
    leader = max(counts, key=lambda each: counts[each][0] / counts[each][1])
    other = max((each for each in counts if each is not leader), key=lambda each: chances[frozenset((leader, each))])
    p = chances[frozenset((leader, other))]
    share, other_share = (counts[each][0] / counts[each][1] for each in (leader, other))
    shown, other_shown = _percent(share, other_share)
    values = {"name": leader.name, "other": other.name, "share": shown, "other_share": other_shown}
    if p <= proportions.CHANCE:
        clearly = next((each for each in (1_000, 100) if p < 1 / each), None)
        sentence = LEADS_CLEARLY if clearly else LEADS
        return Verdict(sentence, {**values, "n": f"{clearly or round(100 * p):,}"}, leader.variant, p)
    if share == other_share:
        return Verdict(EQUAL, values, p=p)
    more = proportions.needed(share, other_share, len(pairs)) - min(counts[leader][1], counts[other][1])
    if more > MILLION:
        return Verdict(FAR_TOO_SMALL, values, p=p)
    return Verdict(TOO_SMALL, {**values, "more": f"{_roughly(max(more, 10)):,}"}, p=p)


def lift(results: Sequence[VariantResult]) -> Verdict | None:
    """What the campaign brought, against those who were to get nothing; None: there are none, or no goal for them."""
    held = next((each for each in results if each.variant is None), None)
    got = [each for each in results if each.variant is not None]
    sent, hits = sum(each.sent for each in got), sum(each.converted or 0 for each in got)
    if held is None or held.converted is None or not held.recipients or not sent:
        return None
    low, high = proportions.interval(hits, sent, held.converted, held.recipients)
    shown, other_shown = _percent(hits / sent, held.converted / held.recipients)
    sentence = BRINGS_MORE if low > 0 else BRINGS_LESS if high < 0 else MAY_BE_CHANCE
    ends = sorted((abs(low), abs(high))) if low * high > 0 else (-low, high)
    least, most = (f"{100 * each:.1f}" for each in ends)
    return Verdict(sentence, {"share": shown, "other_share": other_shown, "low": least, "high": most})


def _percent(share: float, other: float) -> tuple[str, str]:
    """With as many digits as tell them apart."""
    for digits in (1, 2, 3):
        shown, other_shown = f"{100 * share:.{digits}f}", f"{100 * other:.{digits}f}"
        if shown != other_shown or share == other:
            break
    return shown, other_shown


def _roughly(count: int) -> int:
    """Rounded up to its first digit: nobody knows it better."""
    unit: int = 10 ** (len(str(count)) - 1)
    return -(-count // unit) * unit

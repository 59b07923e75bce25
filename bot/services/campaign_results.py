"""What came of a campaign: sent → delivered → clicked, replied, converted; and whether one variant did better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Interval, Select, and_, case, func, literal, literal_column, or_, select
from sqlalchemy.orm import Session

from bot import clock
from bot.services import follower_events, proportions
from bot.services.segment_sql import SCANS, TAPS
from models import (
    Account,
    Batch,
    Campaign,
    Channel,
    Click,
    Delivery,
    DeliveryStatus,
    FollowerEvent,
    InboundMessage,
    Tag,
    TrackedLink,
)

HELD_OUT = "held_out"
DAYS = 3  # for a reply or a conversion, where the goal says nothing else
HOURS = 168  # of clicks that are drawn hour by hour


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One variant's way down, or (``variant`` None) the group that got nothing.

    No number is larger than the one before it, but that replies, clicks and conversions are each out of ``delivered``.
    """

    variant: int | None  # its place in campaign.variants
    name: str
    recipients: int  # frozen at the launch
    sent: int  # WeChat took it on
    delivered: int | None  # None: WeChat has not reported on all of it, or never says
    clicked: int  # followers; of a mass message, which is the same for all, browsers
    visitors: int  # everybody who opened a link of it, also those it was forwarded to
    replied: int
    converted: int | None  # None: the campaign has no goal, or one that no longer exists

    @property
    def out_of(self) -> int:
        """Whom its shares are counted of."""
        return self.sent if self.delivered is None else self.delivered


@dataclass(frozen=True, slots=True)
class LinkResult:
    variant: int
    number: int  # its place in the content, from 0
    url: str
    clicks: int
    people: int


class Hour(NamedTuple):
    at: datetime  # its beginning, UTC
    people: int  # who opened a link for the first time


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence in plain words, with {named} gaps."""

    sentence: str
    values: Mapping[str, object]
    leader: int | None = None  # the variant that is better; None: nobody can tell
    p: float | None = None  # of the leader against the next, all comparisons allowed for


def funnel(session: Session, account: Account, campaign: Campaign) -> list[VariantResult]:
    """One for each variant, in their order, and one more for the group that got nothing, if there is one."""
    raise NotImplementedError


def clicks_by_hour(session: Session, campaign: Campaign) -> list[Hour]:
    """Every hour from the first click to the last, at most a week."""
    raise NotImplementedError


def links(session: Session, campaign: Campaign) -> list[LinkResult]:
    """Each link of each variant, also those that nobody opened."""
    raise NotImplementedError


def winner(results: Sequence[VariantResult]) -> Verdict:
    """Which variant reached the goal (without a goal: got clicks) more often, and how sure that is."""
    raise NotImplementedError


def lift(results: Sequence[VariantResult]) -> Verdict | None:
    """How much more often whoever got it reached the goal than whoever got nothing; None: there is no such group,
    or no goal that they could reach."""
    raise NotImplementedError

"""``lobby campaign watch``: a campaign as it goes, on a terminal, as lines, or for a script."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from bot import clock
from bot.cli.base import Failed, Sentence
from bot.database import reading
from bot.services import campaign_progress, campaigns
from models import Campaign, CampaignStatus

if TYPE_CHECKING:
    from rich.console import RenderableType

LOOK_SECONDS = 0.5
LEFT = 130  # the exit code of whoever was interrupted
STOPPED = {
    "breaker": "more than half of the last messages failed",
    "configuration": "the account is not set up for it",
    "token": "WeChat refuses our token",
    "secret": "the AppSecret cannot be read",
    "refused": "WeChat refused the message",
}


@dataclass(frozen=True, slots=True)
class Look:
    """A campaign at one moment; in followers."""

    id: int
    name: str
    status: CampaignStatus
    why: str
    errcode: int | None
    total: int
    sent: int
    left: int
    failed: int
    unknown: int
    skipped: int
    speed: float  # messages a second
    starts_at: datetime | None
    parked_until: datetime | None
    ends_at: datetime | None
    zone: str  # in which times are told

    @property
    def is_over(self) -> bool:
        return self.status in (CampaignStatus.FINISHED, CampaignStatus.CANCELLED, CampaignStatus.DRAFT)

    def facts(self) -> dict[str, Any]:
        """For scripts."""
        kept = {name: value for name, value in asdict(self).items() if name != "zone"}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in kept.items()}

    def numbers(self) -> str:
        return f"{self.sent:,} done · {self.left:,} left · {self.failed:,} failed · {self.unknown:,} not confirmed" + (
            f" · {self.skipped:,} left out" if self.skipped else ""
        )

    def state(self) -> str:
        match self.status:
            case CampaignStatus.DRAFT:
                return "a draft"
            case CampaignStatus.PREPARING:
                return "writing down who gets it"
            case CampaignStatus.WAITING:
                return "waits for a second person to approve it"
            case CampaignStatus.SCHEDULED:
                return f"begins {self._clock(self.starts_at)}"
            case CampaignStatus.MISSED:
                return (
                    f"was due {self._clock(self.starts_at)}, and nothing ran then: send it now, move it, or cancel it"
                )
            case CampaignStatus.PAUSED:
                return f"paused: {STOPPED[self.why]}{self._means()}" if self.why in STOPPED else "paused"
            case CampaignStatus.SENDING if self.parked_until is not None:
                return f"WeChat's quota is used up; goes on {self._clock(self.parked_until)}"
            case CampaignStatus.SENDING if not self.left:
                return "waits for WeChat's report"
            case CampaignStatus.SENDING if not self.speed:
                return "waits for its next messages"
            case CampaignStatus.SENDING:
                ends = f" · ends about {self._clock(self.ends_at)}" if self.ends_at else ""
                return f"{self.speed:,.{0 if self.speed >= 10 else 1}f} a second{ends}"
            case _:
                return str(self.status.value)

    def _means(self) -> str:
        return f" ({self.errcode}: {campaign_progress.advice(self.errcode)})" if self.errcode is not None else ""

    def _clock(self, at: datetime | None) -> str:
        return at.astimezone(ZoneInfo(self.zone)).strftime("%m-%d %H:%M:%S") if at else "soon"


def look(campaign_id: int) -> Look:
    with reading() as session:
        account, found = campaigns.anywhere(session, campaign_id)
        stands = campaign_progress.of(session, found)
    names = ("total", "sent", "left", "failed", "unknown", "skipped", "speed", "ends_at")
    plan = ("id", "name", "status", "why", "errcode", "starts_at")
    values = {name: getattr(stands, name) for name in names} | {name: getattr(found, name) for name in plan}
    return Look(**values, parked_until=_parked(found), zone=account.timezone)


def watch(campaign_id: int, *, as_json: bool) -> None:
    """Show it until it is over."""
    first = look(campaign_id)
    if first.status is CampaignStatus.DRAFT:
        raise Sentence(f"“{first.name}” was not launched; there is nothing to watch.")
    try:
        if as_json:
            last = _lines(campaign_id, lambda seen: json.dumps(seen.facts(), ensure_ascii=False))
        elif sys.stdout.isatty():
            last = _bar(campaign_id)
        else:
            last = _lines(campaign_id, lambda seen: f"{seen.numbers()} · {seen.state()}")
    except KeyboardInterrupt:
        click.echo("Left; it goes on.", err=True)
        raise click.exceptions.Exit(LEFT) from None
    if last.status is not CampaignStatus.FINISHED:
        raise Failed(f"“{last.name}” is {last.state()}.")


def _looks(campaign_id: int) -> Iterator[Look]:
    while True:
        seen = look(campaign_id)
        yield seen
        if seen.is_over:
            return
        time.sleep(LOOK_SECONDS)


def _lines(campaign_id: int, worded: Callable[[Look], str]) -> Look:
    """A line whenever something changed; returns how it ended."""
    before: tuple[object, ...] = ()
    for seen in _looks(campaign_id):
        now = (seen.status, seen.why, seen.sent, seen.left, seen.failed, seen.unknown, seen.parked_until)
        if now != before:
            click.echo(worded(seen))
        before = now
    return seen


def _bar(campaign_id: int) -> Look:
    from rich.live import Live

    with Live(refresh_per_second=4) as live:
        for seen in _looks(campaign_id):
            live.update(drawn(seen))
    return seen


def drawn(seen: Look) -> "RenderableType":
    """The bar, and below it the numbers and what is going on."""
    from rich.console import Group
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.text import Text

    bar = Progress(
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=None), TaskProgressColumn(), expand=True
    )
    bar.add_task(seen.name, total=max(1, seen.total), completed=seen.total - seen.left if seen.total else seen.is_over)
    state = "yellow" if seen.status in (CampaignStatus.PAUSED, CampaignStatus.MISSED) else ""
    return Group(bar, Text(seen.numbers()), Text(seen.state(), style=state))


def _parked(found: Campaign) -> datetime | None:
    """Until when WeChat's quota keeps it waiting; None: it does not."""
    return found.parked_until if found.parked_until and found.parked_until > clock.now() else None

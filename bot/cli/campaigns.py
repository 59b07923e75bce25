"""``lobby campaign``: how campaigns stand, watched live, and the three levers that must work without a browser."""

from collections.abc import Callable
from typing import Any

import click

from bot.cli.base import Group, as_json, prepared, table, tell_json
from models import CampaignStatus

STATUSES = click.Choice([status.value for status in CampaignStatus])


@click.group("campaign", cls=Group)
def campaign() -> None:
    """List, show and watch campaigns; pause, resume and cancel them."""


@campaign.command("list")
@click.option("--account", help="Only this account's.")
@click.option("--status", type=STATUSES, help="Only those that stand so.")
@as_json
def list_campaigns(account: str | None, status: str | None, as_json: bool) -> None:
    """The last 50 campaigns of each account, newest first."""
    prepared()
    from bot.database import reading
    from bot.services import accounts, campaigns

    wanted = CampaignStatus(status) if status else None
    with reading() as session:
        known = [accounts.get(session, account)] if account else accounts.list_all(session)
        found = [(each, one) for each in known for one in campaigns.page(session, each, status=wanted)]
    if as_json:
        tell_json([_line(slug.slug, one) for slug, one in found])
    elif not found:
        click.echo("There is no such campaign yet; write one in the console, under Campaigns.")
    else:
        rows = [
            (one.id, each.slug, one.name, one.channel.value, one.status.value, one.audience, _start(one))
            for each, one in found
        ]
        table(("ID", "ACCOUNT", "NAME", "CHANNEL", "STATUS", "AUDIENCE", "STARTS"), rows)


@campaign.command("show")
@click.argument("campaign_id", metavar="ID", type=int)
@as_json
def show(campaign_id: int, as_json: bool) -> None:
    """One campaign, how far it is, and what failed."""
    prepared()
    from bot.cli import campaign_watch
    from bot.database import reading
    from bot.services import campaign_progress, campaigns

    with reading() as session:
        account, one = campaigns.anywhere(session, campaign_id)
        errors = campaign_progress.errors(session, one)
    seen = campaign_watch.look(campaign_id)
    told = [{"errcode": code, "count": count, "advice": campaign_progress.advice(code)} for code, count in errors]
    if as_json:
        tell_json(_line(account.slug, one) | seen.facts() | {"excluded": one.excluded, "errors": told})
        return
    facts = _line(account.slug, one) | {"starts": _start(one), "stands": seen.state(), "so far": seen.numbers()}
    for name in ("id", "account", "name", "channel", "audience", "starts", "stands", "so far"):
        click.echo(f"{name:18} {'' if facts[name] is None else facts[name]}")
    for reason, count in sorted(one.excluded.items()):
        click.echo(f"{'got nothing':18} {count:,} {reason}")
    for error in told:
        click.echo(f"{'failed':18} {error['count']:,} with {error['errcode'] or 'no code'}: {error['advice']}")


@campaign.command("watch")
@click.argument("campaign_id", metavar="ID", type=int)
@click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON document a line, whenever it changes.")
def watch(campaign_id: int, as_json: bool) -> None:
    """Follow a campaign until it ends; Ctrl-C leaves it, and it goes on.

    Exit code 1 when it was cancelled or taken back.
    """
    prepared()
    from bot.cli import campaign_watch

    campaign_watch.watch(campaign_id, as_json=as_json)


@campaign.command("pause")
@click.argument("campaign_id", metavar="ID", type=int)
def pause(campaign_id: int) -> None:
    """Send nothing more, within a second, until it is resumed."""
    prepared()
    from bot.services import campaign_control

    name = _steer(campaign_id, "campaigns.pause", campaign_control.pause)
    click.echo(f"“{name}” is paused; `lobby campaign resume {campaign_id}` goes on.")


@campaign.command("resume")
@click.argument("campaign_id", metavar="ID", type=int)
def resume(campaign_id: int) -> None:
    """Go on where it stopped; nobody is written to twice."""
    prepared()
    from bot.services import campaign_control

    name = _steer(campaign_id, "campaigns.resume", campaign_control.resume)
    click.echo(f"“{name}” goes on; `lobby campaign watch {campaign_id}` shows it.")


@campaign.command("cancel")
@click.argument("campaign_id", metavar="ID", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
def cancel(campaign_id: int, yes: bool) -> None:
    """End it for good: who has not been written to gets nothing."""
    prepared()
    from bot.cli import campaign_watch
    from bot.services import campaign_control

    seen = campaign_watch.look(campaign_id)
    if not yes:
        click.confirm(f"End “{seen.name}”? {seen.left:,} followers would get nothing", abort=True)
    name = _steer(campaign_id, "campaigns.cancel", campaign_control.cancel)
    click.echo(f"“{name}” is cancelled.")


def _steer(campaign_id: int, action: str, act: Callable[..., None]) -> str:
    from bot.database import transaction
    from bot.services import audit, campaigns

    with transaction() as session:
        account, one = campaigns.anywhere(session, campaign_id)
        act(session, account, one)
        audit.record(session, action, f"campaign {one.id}, on the command line", account_id=account.id)
        return one.name


def _line(slug: str, one: Any) -> dict[str, Any]:
    return {
        "id": one.id,
        "account": slug,
        "name": one.name,
        "channel": one.channel.value,
        "status": one.status.value,
        "audience": one.audience,
        "starts": one.starts,
        "starts_at": one.starts_at.isoformat() if one.starts_at else None,
        "finished_at": one.finished_at.isoformat() if one.finished_at else None,
    }


def _start(one: Any) -> str:
    return one.starts or (f"{one.starts_at:%Y-%m-%dT%H:%MZ}" if one.starts_at else "once launched")

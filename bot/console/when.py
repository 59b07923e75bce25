"""Times as an operator says them, in the account's time zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import g
from markupsafe import Markup

from bot import clock
from bot.console.language import _, language

ZONES = (  # to choose from; any other may be typed
    "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "Europe/London", "Europe/Berlin",
    "America/New_York", "America/Los_Angeles", "Australia/Sydney", "UTC",
)  # fmt: skip


def zone() -> ZoneInfo:
    account = g.get("account")
    return ZoneInfo(account.timezone if account else "Asia/Shanghai")


def moment(at: datetime | None) -> str:
    """“14:03” today, else “20 Nov 14:03”, with the year when it is another one."""
    if at is None:
        return "—"
    local, today = at.astimezone(zone()), clock.now().astimezone(zone())
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{day(local)} {local:%H:%M}"


def day(local: datetime) -> str:
    this_year = local.year == clock.now().astimezone(zone()).year
    if language() == "zh":
        return f"{local.month}月{local.day}日" if this_year else f"{local.year}年{local.month}月{local.day}日"
    return f"{local.day} {local:%b}" if this_year else f"{local.day} {local:%b %Y}"


def time_tag(at: datetime | None) -> str:
    """The moment as HTML, with the exact time for machines and on hover."""
    if at is None:
        return "—"
    local = at.astimezone(zone())
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        local.isoformat(timespec="seconds"), f"{local:%Y-%m-%d %H:%M:%S}", moment(at)
    )


def span(length: timedelta) -> str:
    """“under a minute”, “9 min”, “31 h”, “4 days”."""
    minutes = int(length.total_seconds() // 60)
    if minutes < 1:
        return _("under a minute")
    if minutes < 60:
        return _("{n} min", n=minutes)
    if minutes < 72 * 60:
        return _("{n} h", n=minutes // 60)
    return _("{n} days", n=minutes // (24 * 60))


def since(at: datetime) -> str:
    return span(max(clock.now() - at, timedelta()))


def until(at: datetime) -> str:
    return span(max(at - clock.now(), timedelta()))

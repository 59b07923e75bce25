"""Times as friends say them.  The server writes them for China; a script puts the browser's own zone in their place."""

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from markupsafe import Markup

from bot import clock
from bot.errors import Refused
from bot.moments.pages.language import _, language

ZONE = ZoneInfo("Asia/Shanghai")


def moment(at: datetime) -> str:
    """“just now”, “9 min ago”, “3 h ago”, else “20 Nov 14:03”, with the year when it is another one."""
    minutes = int((clock.now() - at).total_seconds() // 60)
    if 0 <= minutes < 24 * 60:
        if minutes < 1:
            return _("just now")
        return _("{n} min ago", n=minutes) if minutes < 60 else _("{n} h ago", n=minutes // 60)
    local = at.astimezone(ZONE)
    return f"{day(local)} {local:%H:%M}"


def day(local: datetime) -> str:
    this_year = local.year == clock.now().astimezone(ZONE).year
    if language() == "zh":
        return f"{local.month}月{local.day}日" if this_year else f"{local.year}年{local.month}月{local.day}日"
    return f"{local.day} {local:%b}" if this_year else f"{local.day} {local:%b %Y}"


def month(local: datetime) -> str:
    return f"{local.year}年{local.month}月" if language() == "zh" else f"{local:%B %Y}"


def typed(at: str, offset: str) -> datetime:
    """What a browser's field for a moment says; ``offset``: its zone's, in minutes from UTC, China's when it is none.

    Raises:
        Refused: no day and time.
    """
    minutes = int(offset) if re.fullmatch(r"-?[0-9]{1,3}", offset) else 480
    try:
        local = datetime.fromisoformat(at)
        return local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    except ValueError:
        raise Refused("Choose a day and a time.", field="at") from None


def input_time(at: datetime) -> str:
    """As that field takes it, in China's time."""
    return f"{at.astimezone(ZONE):%Y-%m-%dT%H:%M}"


def time_tag(at: datetime) -> str:
    """The moment as HTML, with the exact time for machines and on hover."""
    local = at.astimezone(ZONE)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        local.isoformat(timespec="seconds"), f"{local:%Y-%m-%d %H:%M}", moment(at)
    )

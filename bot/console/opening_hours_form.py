"""Opening hours as fields of a form: a line for each day, the dates one on each line."""

from typing import Any

from bot.services import opening_hours
from bot.services.opening_hours import DAYS


def shown(hours: dict[str, Any]) -> dict[str, str]:
    week = hours.get("days", {})
    return {
        "hours": "some" if hours else "always",
        **{f"hours_{day}": opening_hours.shown_spans(week.get(day, [])) for day in DAYS},
        "holidays": "\n".join(hours.get("holidays", [])),
        "workdays": "\n".join(
            f"{day} {opening_hours.shown_spans(spans)}" for day, spans in hours.get("workdays", {}).items()
        ),
    }


def typed(given: dict[str, str]) -> dict[str, Any]:
    """
    Raises:
        Refused: at the line that is not understood.
    """
    if given.get("hours") != "some":
        return {}
    days = {day: opening_hours.read_spans(given.get(f"hours_{day}", ""), f"hours_{day}") for day in DAYS}
    workdays = {}
    for line in filter(str.strip, given.get("workdays", "").splitlines()):
        day, _space, spans = line.strip().partition(" ")
        workdays[opening_hours.read_date(day, "workdays")] = opening_hours.read_spans(spans, "workdays")
    return {
        "days": {day: spans for day, spans in days.items() if spans},
        "holidays": [
            opening_hours.read_date(day, "holidays") for day in given.get("holidays", "").split() if day.strip()
        ],
        "workdays": workdays,
    }

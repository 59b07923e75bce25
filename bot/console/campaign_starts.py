"""What a campaign is begun with: an example for each goal, so that nobody faces an empty page."""

from dataclasses import dataclass

from bot.console.campaign_form import Row, new_variant
from bot.console.forms import Form
from bot.console.language import _


@dataclass(frozen=True, slots=True)
class Start:
    name: str
    what: str  # in one line, for the card
    symbol: str
    text: str
    goal: str = ""


def starts() -> dict[str, Start]:
    """By goal, in the order in which they are offered."""
    return {
        "news": Start(
            _("News"),
            _("Something new, in a few lines."),
            "newspaper",
            _("Something new is here:\n\n· What it is\n· Why it is worth a visit\n· From when\n\n"
              "Questions? Just write to us here."),
            "reply",
        ),
        "sale": Start(
            _("Sale"),
            _("An offer with its end, and one thing to do."),
            "badge-percent",
            _("This week only: 20% off everything.\n\nUntil Sunday evening, in the shop and online.\n\n"
              "Write “want” and we keep one for you."),
            "reply",
        ),
        "event": Start(
            _("Event"),
            _("When, where, and how to sign up."),
            "calendar-heart",
            _("You are invited.\n\nWhen: Saturday, 3 pm\nWhere: our shop\nSeats: 20\n\n"
              "Write “join” and your seat is kept."),
            "reply",
        ),
        "survey": Start(
            _("Survey"),
            _("One question that takes ten seconds."),
            "clipboard-list",
            _("How was your last visit?\n\nAnswer with a number: 5 is very good, 1 is not good at all. "
              "We read each answer."),
            "reply",
        ),
    }  # fmt: skip


def form_for(goal: str, channel: str) -> Form:
    """The composer's fields for a new campaign."""
    start = starts().get(goal)
    variant = new_variant()
    values: Row = {
        "name": start.name if start else "",
        "channel": channel,
        "whom": "everyone",
        "when": "now",
        "missed_minutes": 60,
        "quiet_from": "22:00",
        "quiet_until": "08:00",
        "goal": {"kind": start.goal if start else "", "days": 3},
        "variants": [variant],
        "excluded_segments": [],
    }
    if start:
        variant["content"] = {"kind": "text", "text": start.text}
    return Form(values)

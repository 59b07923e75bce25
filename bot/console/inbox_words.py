"""The inbox in the operator's words: its lists, times to snooze until, and what was done in a conversation."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot import clock
from bot.console import words
from bot.console.language import _
from bot.console.when import moment, zone
from bot.services import journal
from bot.services.conversation_queues import Queue

# Entries that the thread tells; what was said stands there itself.
TOLD = (
    journal.OPENED, journal.TAKEN, journal.ASSIGNED, journal.RETURNED, journal.SNOOZED, journal.WOKEN, journal.CLOSED,
    journal.REOPENED, journal.LABELLED, journal.UNLABELLED, journal.NOTED,
)  # fmt: skip


def queues() -> dict[str, str]:
    """List → its name, in the order of the page."""
    return {
        Queue.MINE: _("Mine"),
        Queue.UNASSIGNED: _("Unassigned"),
        Queue.OPEN: _("Open"),
        Queue.BOT: _("With the bot"),
        Queue.SNOOZED: _("Snoozed"),
        Queue.CLOSED: _("Closed"),
    }


def empty(queue: str) -> tuple[str, str]:
    return {
        Queue.MINE: (_("Nothing of yours is open"), _("Take a conversation from the unassigned ones.")),
        Queue.UNASSIGNED: (_("Everybody has somebody"), _("Conversations that nobody has taken wait here.")),
        Queue.BOT: (_("Nobody writes to the bot"), _("Whoever wrote to it in the last 48 hours is here.")),
        Queue.SNOOZED: (
            _("Nothing sleeps"),
            _("What you put off comes back at its time, or when the follower writes."),
        ),
        Queue.CLOSED: (_("Nothing closed yet"), _("Conversations come here when they are handed back to the bot.")),
    }[Queue(queue)]


def times() -> dict[str, str]:
    return {"hour": _("in 1 hour"), "evening": _("this evening, 18:00"), "tomorrow": _("tomorrow, 9:00")}


def time_of(chosen: str, at: str) -> datetime | None:
    """When a snooze ends; ``at``: a time of the account's zone, as the browser's field gives it.  None: no time."""
    now = clock.now().astimezone(zone())
    if chosen == "hour":
        return now + timedelta(hours=1)
    if chosen == "evening":
        evening = now.replace(hour=18, minute=0, second=0, microsecond=0)
        return evening if evening > now else evening + timedelta(days=1)
    if chosen == "tomorrow":
        return (now + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    try:
        return datetime.fromisoformat(at).replace(tzinfo=zone())
    except ValueError:
        return None


def state(status: str) -> str:
    return {
        "queued": _("Nobody has it yet"),
        "assigned": _("Assigned"),
        "snoozed": _("Snoozed"),
        "closed": _("Closed"),
    }[status]


def done(kind: str, who: str, detail: Mapping[str, Any]) -> str:
    """One entry of the journal, for the thread."""
    match kind:
        case journal.OPENED:
            return _("Conversation opened")
        case journal.TAKEN:
            return _("{who} took over", who=who)
        case journal.ASSIGNED if who:
            return _("{who} assigned it to {name}", who=who, name=detail.get("to", ""))
        case journal.ASSIGNED:
            return _("Assigned to {name} by the account's rule", name=detail.get("to", ""))
        case journal.RETURNED if detail.get("why") == "offline":
            return _("Back in the queue: {name} has gone offline", name=detail.get("was", ""))
        case journal.RETURNED:
            return _("{who} gave it back to the queue", who=who)
        case journal.SNOOZED:
            until = datetime.fromisoformat(detail["until"])
            return _("{who} snoozed it until {when}", who=who, when=moment(until))
        case journal.WOKEN if detail.get("why") == "wrote":
            return _("Awake again: the follower wrote")
        case journal.WOKEN:
            return _("{who} woke it", who=who) if who else _("Awake again: its time has come")
        case journal.CLOSED:
            why = words.closed_why(detail.get("why", ""))
            return f"{who} · {why}" if who else _("Conversation closed: {why}", why=why)
        case journal.REOPENED:
            return _("{who} took the closing back", who=who)
        case journal.LABELLED:
            return _("{who} put the label “{label}” on it", who=who, label=detail.get("label", ""))
        case journal.UNLABELLED:
            return _("{who} took the label “{label}” off", who=who, label=detail.get("label", ""))
        case journal.NOTED:
            return _("{who} wrote a note", who=who)
    return kind


def strings() -> dict[str, str]:
    """What inbox.js says."""
    return {
        "min": _("{n} min"),
        "h": _("{n} h"),
        "days": _("{n} days"),
        "now": _("under a minute"),
        "answered": _("answered"),
        "writes": _("{name} writes…"),
        "looks": _("{name} is looking"),
        "follower": _("Follower {end}"),
        "empty": _("Empty for this follower: {names}. Look before you send."),
        "saved": _("Draft saved"),
        "unsaved": _("Not saved yet; trying again"),
        "offline": _("No connection: trying again"),
        "chosen": _("{n} chosen"),
        "first": _("no first reply yet"),
        "silent": _("Nothing said yet"),
        "you": _("You: {text}"),
        "press": _("Press a key"),
        "double": _("This key is taken."),
    }

"""What runs by the clock, in one process of the install at a time."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from bot.jobs import inbox, moments, upkeep
from bot.moments.media import upkeep as media


class Entry(NamedTuple):
    """Something to do again and again; it must not matter if it is done twice, or late."""

    name: str
    every: timedelta
    run: Callable[[], None]


SCHEDULE = (
    Entry("sends", timedelta(seconds=15), upkeep.hint_sends),
    Entry("tasks", timedelta(seconds=15), upkeep.hint_tasks),
    Entry("tags", timedelta(seconds=15), upkeep.hint_tags),
    Entry("campaigns", timedelta(seconds=3), upkeep.hint_campaigns),
    Entry("answers", timedelta(seconds=1), upkeep.tend_answers),
    Entry("conversations", timedelta(seconds=15), upkeep.close_conversations),
    Entry("inbox", timedelta(seconds=15), inbox.look_after),
    Entry("search", timedelta(seconds=5), upkeep.hint_search),
    Entry("reports", timedelta(minutes=5), upkeep.hint_reports),
    Entry("moments", timedelta(minutes=5), moments.erase),
    Entry("scheduled posts", timedelta(seconds=5), moments.publish),
    Entry("link cards", timedelta(seconds=30), upkeep.hint_link_cards),
    Entry("media", media.EVERY, media.tidy),
    Entry("prune", timedelta(minutes=5), upkeep.prune),
)

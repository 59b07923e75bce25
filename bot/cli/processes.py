"""``lobby worker`` and ``lobby clock``: the background processes, one by one, as production runs them."""

import sys

import click

from bot import queue
from bot.cli.base import command
from bot.settings import settings


@command("worker")
@click.argument("queues", nargs=-1, metavar="[QUEUE]...", type=click.Choice(queue.QUEUES))
def worker(queues: tuple[str, ...]) -> None:
    """Work on queues until told to stop; one process for each of several, all of them when none is named."""
    settings()
    import worker as process  # the production entry point of the same name

    sys.exit(process.main(list(queues)))


@command("clock")
def clock() -> None:
    """Look after due work until told to stop; of several clocks one leads and the others stand by."""
    settings()
    import worker as process

    sys.exit(process.main(["clock"]))

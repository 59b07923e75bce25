"""``lobby up``: everything at once, on one machine."""

import os
import sys

import click

from bot.cli.base import Sentence, command
from bot.errors import Refused
from bot.settings import settings
from bot.supervisor.children import Say

PORT = click.IntRange(1, 65535)


@command("up")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; 0.0.0.0 is everywhere.")
@click.option("--port", default=8000, show_default=True, type=PORT, help="Of the web process.")
@click.option("--sim-port", default=8001, show_default=True, type=PORT, help="Of the simulator.")
@click.option("--no-sim", is_flag=True, help="No simulator and no practice account: WeChat itself.")
@click.option("--no-demo", is_flag=True, help="No sample rules and menu in the practice account.")
def up(host: str, port: int, sim_port: int, no_sim: bool, no_demo: bool) -> None:
    """Start Redis, the database, web, workers, clock and simulator, and keep them running.

    Ctrl-C ends all of it.  The line “Lobby is ready” says when it can be used.
    """
    from bot.supervisor.stack import Options, run

    # Before the settings are read: they may be wrong in the same way for every child.
    os.environ.setdefault("LOBBY_SIM_PORT", str(sim_port))
    known = settings()
    options = Options(host, port, sim_port, with_simulator=not no_sim, with_demo=not no_demo)
    try:
        run(known, options, _teller())
    except Refused as refusal:
        raise Sentence(str(refusal)) from None


def _teller() -> Say:
    if not sys.stdout.isatty():
        return _say_plainly
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)

    def say(line: str) -> None:
        style = "bold green" if line == "Lobby is ready" else "yellow" if "starting it again" in line else ""
        text = Text(line, style=style)
        text.highlight_regex(r"https?://\S+", "cyan underline")
        console.print(text)

    return say


def _say_plainly(line: str) -> None:
    try:
        click.echo(line)
    except BrokenPipeError:
        # Whoever read us is gone; that is no reason to stop answering followers.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

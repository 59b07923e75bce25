"""The ``lobby`` command."""

from importlib.metadata import version

import click

from bot.cli.base import LazyGroup

COMMANDS = {
    "up": "bot.cli.up:up",
    "say": "bot.cli.say:say",
    "doctor": "bot.cli.doctor:doctor",
    "account": "bot.cli.accounts:account",
    "operator": "bot.cli.operators:operator",
    "token": "bot.cli.api_tokens:token",
    "campaign": "bot.cli.campaigns:campaign",
    "migrate": "bot.cli.migrate:migrate",
    "backup": "bot.cli.backup:backup",
    "restore": "bot.cli.backup:restore",
    "openapi": "bot.cli.openapi:openapi",
    "worker": "bot.cli.processes:worker",
    "clock": "bot.cli.processes:clock",
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("lobby"), prog_name="lobby", message="%(prog)s %(version)s")
def main() -> None:
    """Lobby: the front desk of a WeChat Official Account.

    Start everything with `lobby up`, then write to it: `lobby say hello`.
    """

"""``lobby migrate``: the tables of this version."""

import click

from bot.cli.base import Failed, command, prepared


@command("migrate")
@click.option("--check", is_flag=True, help="Only say whether there is something to do; exit code 1 if there is.")
def migrate(check: bool) -> None:
    """Bring the database's tables to this version.  Harmless when they are; several may call it at once."""
    known = prepared()
    from bot import migrations
    from bot.services import health

    failures = [each for each in health.essentials() if each.is_failure]
    if check:
        if failures:
            raise Failed(" ".join(each.sentence() for each in failures))
        click.echo("The tables are of this version.")
        return
    migrations.upgrade(known)
    click.echo("The tables are now of this version." if failures else "The tables were of this version already.")

"""``lobby doctor``: what is wrong, in plain words, and what to do about it."""

import click

from bot.cli.base import Failed, as_json, command, prepared, tell_json

MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


@command("doctor")
@click.argument("account", default="")
@as_json
def doctor(account: str, as_json: bool) -> None:
    """Check the settings, data folder, database, Redis, workers and clock, and one ACCOUNT's connection to WeChat.

    Exit code 1 when something does not work.
    """
    prepared()
    from bot.services import health

    checks = health.report(account)
    failures = sum(check.is_failure for check in checks)
    if as_json:
        tell_json(
            {
                "ok": not failures,
                "checks": [
                    {"name": check.name(), "state": check.state, "sentence": check.sentence(), "fix": check.fix()}
                    for check in checks
                ],
            }
        )
    else:
        for check in checks:
            mark, color = MARKS[check.state]
            click.echo(f"{click.style(mark, fg=color)} {check.name()}: {check.sentence()}")
            if fix := check.fix():
                click.echo(f"    → {fix}")
    if failures:
        raise Failed(f"{failures} of {len(checks)} checks failed." if failures > 1 else "One check failed.")

"""``lobby operator``: the people in the console."""

from pathlib import Path

import click

from bot.cli import secrets
from bot.cli.base import Group, as_json, prepared, table, tell_json
from models import Role

VARIABLE = "LOBBY_OPERATOR_PASSWORD"


@click.group("operator", cls=Group)
def operator() -> None:
    """List and add the people in the console, and let them in."""


@operator.command("list")
@as_json
def list_operators(as_json: bool) -> None:
    """Everyone who may sign in."""
    prepared()
    from bot.database import reading
    from bot.services import operators

    with reading() as session:
        known = operators.list_all(session)
    if as_json:
        tell_json(
            [
                {"name": each.name, "is_active": each.is_active, "has_password": bool(each.password_hash)}
                for each in known
            ]
        )
    elif not known:
        click.echo("There is nobody yet; add an operator with `lobby operator add`.")
    else:
        rows = [
            (each.name, "yes" if each.is_active else "no", "yes" if each.password_hash else "links only")
            for each in known
        ]
        table(("NAME", "ACTIVE", "PASSWORD"), rows)


@operator.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.OWNER.value, show_default=True)
@click.option("--account", help="The role is for this account only; else for all of them.")
@click.option("--ask-password", is_flag=True, help="Ask for a password; without one they sign in by links.")
@click.option("--password-file", type=secrets.FILE, help=f"Holds the password; - is stdin. Or {VARIABLE}.")
@as_json
def add(
    name: str, role: str, account: str | None, ask_password: bool, password_file: Path | None, as_json: bool
) -> None:
    """Add a person and print a link that signs them in once."""
    known = prepared()
    from bot.database import transaction
    from bot.services import access, accounts, audit, operators

    password = secrets.given(password_file, VARIABLE, "Password" if ask_password else "", twice=True)
    with transaction() as session:
        made = operators.create(session, name, password or "")
        place = accounts.get(session, account) if account else None
        access.give(session, made, Role(role), place)
        audit.record(session, "people.invite", f"{name}, on the command line", account_id=place.id if place else None)
        secret = operators.sign_in_link(session, made)
    _tell_link(known.base_url, secret, as_json)


@operator.command("link")
@click.argument("name")
@as_json
def link(name: str, as_json: bool) -> None:
    """Print a link that signs a person in, once and soon."""
    known = prepared()
    from bot.database import transaction
    from bot.services import operators

    with transaction() as session:
        secret = operators.sign_in_link(session, operators.get(session, name))
    _tell_link(known.base_url, secret, as_json)


@operator.command("password")
@click.argument("name")
@click.option("--password-file", type=secrets.FILE, help=f"Holds the password; - is stdin. Or {VARIABLE}.")
def password(name: str, password_file: Path | None) -> None:
    """Set a person's password; an empty one leaves sign-in links only.  Ends their other sign-ins."""
    prepared()
    from bot.database import reading, transaction
    from bot.services import audit, operators

    with reading() as session:  # hashing takes a while: nobody should wait for it
        known = operators.get(session, name)
    chosen = secrets.given(password_file, VARIABLE, "New password", twice=True) or ""
    with transaction() as session:
        operators.set_password(session, known, chosen)
        audit.record(session, "operators.password", f"{name}, on the command line")
    click.echo("The password is set." if chosen else "The password is gone; sign-in links still work.")


def _tell_link(base_url: str, secret: str, as_json: bool) -> None:
    url = f"{base_url}/console/sign-in/{secret}"
    if as_json:
        tell_json({"url": url})
    else:
        click.echo(url)

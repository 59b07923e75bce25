"""``lobby token``: programs' keys to the API."""

import click

from bot.cli.base import Group, as_json, prepared, table, tell_json
from models import ApiToken


@click.group("token", cls=Group)
def token() -> None:
    """Make, list and revoke programs' keys to the API."""


@token.command("create")
@click.option("--account", help="Good for this account only; else for all of them.")
@click.option("--scope", "scopes", multiple=True, required=True, help="Such as rules:read; all opens everything.")
@click.option("--name", default="", help="Which program it is for.")
@as_json
def create(account: str | None, scopes: tuple[str, ...], name: str, as_json: bool) -> None:
    """Make a token and print it; it cannot be shown again."""
    prepared()
    from bot.database import transaction
    from bot.services import accounts, api_tokens, audit

    with transaction() as session:
        found = accounts.get(session, account) if account else None
        plain = api_tokens.create(session, account=found, name=name, scopes=list(scopes))
        detail = f"{name or 'unnamed'}: {', '.join(scopes)}, on the command line"
        audit.record(session, "tokens.create", detail, account_id=found.id if found else None)
    if as_json:
        tell_json({"token": plain})
    else:
        click.echo(plain)


@token.command("list")
@click.option("--account", help="Only this account's.")
@as_json
def list_tokens(account: str | None, as_json: bool) -> None:
    """All tokens, newest first, without their secret."""
    prepared()
    from bot.database import reading
    from bot.services import accounts, api_tokens

    with reading() as session:
        slugs = {each.id: each.slug for each in accounts.list_all(session)}
        found = accounts.get(session, account) if account else None
        known = api_tokens.list_all(session, found)
    if as_json:
        tell_json(
            [
                {
                    "id": each.id,
                    "account": slugs.get(each.account_id) if each.account_id else None,
                    "name": each.name,
                    "scopes": each.scopes,
                    "created_at": each.created_at.isoformat(),
                    "revoked_at": each.revoked_at.isoformat() if each.revoked_at else None,
                }
                for each in known
            ]
        )
    elif not known:
        click.echo("There is no token yet; make one with `lobby token create`.")
    else:
        rows = [
            (each.id, slugs.get(each.account_id or 0, "(all)"), each.name, ", ".join(each.scopes), _state(each))
            for each in known
        ]
        table(("ID", "ACCOUNT", "NAME", "SCOPES", "STATE"), rows)


@token.command("revoke")
@click.argument("token_id", type=int)
def revoke(token_id: int) -> None:
    """End a token, by the number that `lobby token list` shows."""
    prepared()
    from bot.database import transaction
    from bot.services import api_tokens, audit

    with transaction() as session:
        api_tokens.revoke(session, token_id)
        audit.record(session, "tokens.revoke", f"{token_id}, on the command line")
    click.echo("Revoked: it opens nothing from now on.")


def _state(token: ApiToken) -> str:
    return f"revoked {token.revoked_at:%Y-%m-%d}" if token.revoked_at else f"since {token.created_at:%Y-%m-%d}"

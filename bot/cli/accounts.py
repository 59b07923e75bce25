"""``lobby account``: the official accounts."""

from collections.abc import Callable
from typing import Any

import click

from bot.cli import secrets
from bot.cli.base import Group, Sentence, as_json, prepared, table, tell_json
from models import Account, AccountKind, CallbackMode

KINDS = click.Choice([kind.value for kind in AccountKind])
MODES = click.Choice([mode.value for mode in CallbackMode])


@click.group("account", cls=Group)
def account() -> None:
    """List, add and change official accounts, and seal their secrets anew."""


@account.command("list")
@as_json
def list_accounts(as_json: bool) -> None:
    """All accounts."""
    prepared()
    from bot.database import reading
    from bot.services import accounts

    with reading() as session:
        known = accounts.list_all(session)
    if as_json:
        tell_json([_facts(each) for each in known])
    elif not known:
        click.echo("There is no account yet; add one with `lobby account add`.")
    else:
        rows = [(each.slug, each.title, each.appid, each.kind.value, each.mode.value) for each in known]
        table(("ACCOUNT", "NAME", "APPID", "KIND", "MODE"), rows)


@account.command("show")
@click.argument("slug")
@click.option("--callback", is_flag=True, help="Also the token and key that WeChat's console asks for.")
@as_json
def show(slug: str, callback: bool, as_json: bool) -> None:
    """One account; its AppSecret is never shown."""
    known = prepared()
    from bot.database import reading
    from bot.services import accounts

    with reading() as session:
        found = accounts.get(session, slug)
        facts = _facts(found) | {"callback_url": f"{known.base_url}/wechat/{slug}"}
        if callback:
            credentials = accounts.credentials(found)
            facts |= {"token": credentials.token, "encoding_aes_key": credentials.encoding_aes_key}
    if as_json:
        tell_json(facts)
    else:
        for name, value in facts.items():
            click.echo(f"{name:18} {value}")


def _fields(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that adding and changing share."""
    for option in reversed(
        [
            click.option("--title", help="What operators see."),
            click.option("--appid", help="From WeChat's console; begins with wx."),
            click.option("--original-id", help="From WeChat's console; begins with gh_."),
            click.option("--kind", type=KINDS, help="Subscription or service account."),
            click.option("--verified/--unverified", "is_verified", default=None, help="Verified by WeChat."),
            click.option("--mode", type=MODES, help="How WeChat writes to us; safe is encrypted."),
            click.option("--timezone", help="For hours and days in rules, such as Asia/Shanghai."),
            click.option(
                "--secret-file", type=secrets.FILE, help="Holds the AppSecret; - is stdin. Or LOBBY_APPSECRET."
            ),
            click.option("--token-file", type=secrets.FILE, help="Holds the callback token. Or LOBBY_CALLBACK_TOKEN."),
            click.option("--aes-key-file", type=secrets.FILE, help="Holds the EncodingAESKey. Or LOBBY_AES_KEY."),
            click.option("--ask-secret", is_flag=True, help="Ask for the AppSecret, without showing it."),
        ]
    ):
        function = option(function)
    return function


@account.command("add")
@click.argument("slug")
@_fields
@as_json
def add(slug: str, as_json: bool, **given: Any) -> None:
    """Add an account under the address /wechat/SLUG; callback token and key are made unless given."""
    known = prepared()
    from bot.database import transaction
    from bot.services import accounts, audit

    values = _values(given)
    with transaction() as session:
        made = accounts.create(session, slug, values.pop("title", ""), **values)
        audit.record(session, "accounts.create", f"{slug}, on the command line", account_id=made.id)
    if as_json:
        tell_json(_facts(made) | {"callback_url": f"{known.base_url}/wechat/{slug}"})
    else:
        click.echo(f"Added. In WeChat's console enter the address {known.base_url}/wechat/{slug}")
        click.echo(f"with the token and key that `lobby account show {slug} --callback` prints.")


@account.command("edit")
@click.argument("slug")
@_fields
def edit(slug: str, **given: Any) -> None:
    """Change some of an account's fields."""
    prepared()
    from bot.database import transaction
    from bot.services import accounts, audit, tokens

    values = _values(given)
    if not values:
        raise Sentence("Say what to change; `lobby account edit --help` lists the fields.")
    with transaction() as session:
        found = accounts.get(session, slug)
        accounts.update(session, found, values)
        if "appid" in values or "secret" in values:
            tokens.forget(session, found.id)
        audit.record(session, "accounts.edit", f"{', '.join(sorted(values))}, on the command line", account_id=found.id)
    click.echo(f"Changed: {', '.join(sorted(values))}.")


@account.command("reseal")
def reseal() -> None:
    """Seal all secrets with the newest LOBBY_SECRET_KEY; then LOBBY_OLD_SECRET_KEYS can be emptied.

    Lobby may go on running: start it with both variables first.
    """
    prepared()
    from bot.database import transaction
    from bot.services import accounts, assistant, second_factor

    with transaction() as session:
        people = second_factor.reseal(session)
        assistant.reseal(session)
    count = 0
    while True:
        with transaction() as session:  # short ones: messages go on being answered
            touched = accounts.reseal(session)
        count += touched
        if not touched:
            break
    if people:
        click.echo(f"{people} second factors were sealed anew.")
    if count or not people:
        click.echo(
            f"{count} accounts were sealed anew." if count else "All secrets were sealed with the newest key already."
        )


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """What was given, secrets read from where they are."""
    ask = "AppSecret" if given.pop("ask_secret") else ""
    found = {
        "secret": secrets.given(given.pop("secret_file"), "LOBBY_APPSECRET", ask),
        "token": secrets.given(given.pop("token_file"), "LOBBY_CALLBACK_TOKEN"),
        "aes_key": secrets.given(given.pop("aes_key_file"), "LOBBY_AES_KEY"),
    }
    return {name: value for name, value in (given | found).items() if value is not None}


def _facts(account: Account) -> dict[str, Any]:
    return {
        "slug": account.slug,
        "title": account.title,
        "appid": account.appid,
        "original_id": account.original_id,
        "kind": account.kind.value,
        "is_verified": account.is_verified,
        "mode": account.mode.value,
        "timezone": account.timezone,
        "has_secret": bool(account.sealed_secret),
    }

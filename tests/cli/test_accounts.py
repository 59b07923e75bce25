"""Accounts, operators and tokens on the command line."""

import json
import re

import pytest

from bot.database import reading
from bot.services import accounts, api_tokens, operators, vault
from tests.cli.conftest import Lobby

SECRET = "0123456789abcdef0123456789abcdef"
APPID = "wx0123456789abcdef"

pytestmark = pytest.mark.usefixtures("database_url")


def test_an_account_is_added_with_its_secret_from_a_file(lobby: Lobby, tmp_path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")

    added = lobby(
        "account", "add", "shop", "--title", "小店", "--appid", APPID, "--secret-file", str(tmp_path / "secret")
    )

    assert added.exit_code == 0
    assert "http://127.0.0.1:8000/wechat/shop" in added.stdout
    with reading() as session:
        account = accounts.get(session, "shop")
        assert (account.title, account.appid, accounts.secret(account)) == ("小店", APPID, SECRET)
    shown = lobby("account", "show", "shop", "--json")
    assert json.loads(shown.stdout)["has_secret"] is True
    assert SECRET not in shown.stdout
    assert "小店" in lobby("account", "list").stdout


@pytest.mark.parametrize("way", ["environment", "stdin", "prompt"])
def test_a_secret_never_stands_on_the_command_line(lobby: Lobby, monkeypatch, way) -> None:
    lobby("account", "add", "shop")
    if way == "environment":
        monkeypatch.setenv("LOBBY_APPSECRET", SECRET)
        done = lobby("account", "edit", "shop", "--appid", APPID)
    elif way == "stdin":
        done = lobby("account", "edit", "shop", "--secret-file", "-", input=SECRET + "\n")
    else:
        done = lobby("account", "edit", "shop", "--ask-secret", input=SECRET + "\n")

    assert done.exit_code == 0
    assert SECRET not in done.output
    with reading() as session:
        assert accounts.secret(accounts.get(session, "shop")) == SECRET


def test_what_wechats_console_asks_for_is_shown_on_request_only(lobby: Lobby) -> None:
    lobby("account", "add", "shop")

    assert "token" not in json.loads(lobby("account", "show", "shop", "--json").stdout)
    shown = json.loads(lobby("account", "show", "shop", "--callback", "--json").stdout)
    assert re.fullmatch(r"\w{32}", shown["token"])
    assert re.fullmatch(r"\w{43}", shown["encoding_aes_key"])


def test_a_value_that_wechat_would_not_take_is_refused(lobby: Lobby) -> None:
    done = lobby("account", "add", "shop", "--appid", "12345")

    assert done.exit_code == 2
    assert done.stderr.startswith("An AppID begins with “wx”")
    assert json.loads(lobby("account", "list", "--json").stdout) == []


def test_secrets_are_sealed_anew_with_the_newest_key(lobby: Lobby, monkeypatch) -> None:
    lobby("account", "add", "shop")
    monkeypatch.setenv("LOBBY_OLD_SECRET_KEYS", "0123456789abcdef" * 4)
    monkeypatch.setenv("LOBBY_SECRET_KEY", "f" * 64)

    assert lobby("account", "reseal").stdout == "1 accounts were sealed anew.\n"
    assert lobby("account", "reseal").stdout == "All secrets were sealed with the newest key already.\n"
    with reading() as session:
        assert vault.is_current(accounts.get(session, "shop").sealed_token)


def test_an_operator_gets_a_link_that_works_once(lobby: Lobby) -> None:
    done = lobby("operator", "add", "Mei", "--json")

    url = json.loads(done.stdout)["url"]
    assert url.startswith("http://127.0.0.1:8000/console/sign-in/")
    with reading() as session:
        found = operators.find_link(session, url.rpartition("/")[2])
    assert found is not None
    assert found.name == "Mei"
    assert lobby("operator", "link", "Mei").stdout != done.stdout
    assert json.loads(lobby("operator", "list", "--json").stdout) == [
        {"name": "Mei", "is_active": True, "has_password": False}
    ]


def test_a_password_is_asked_for_twice_and_not_shown(lobby: Lobby) -> None:
    lobby("operator", "add", "Mei")

    done = lobby("operator", "password", "Mei", input="a short sentence\na short sentence\n")

    assert done.exit_code == 0
    assert "sentence" not in done.output
    with reading() as session:
        assert operators.password_fits(operators.get(session, "Mei"), "a short sentence")


def test_a_short_password_is_refused(lobby: Lobby, monkeypatch) -> None:
    monkeypatch.setenv("LOBBY_OPERATOR_PASSWORD", "short")

    done = lobby("operator", "add", "Mei")

    assert (done.exit_code, done.stderr) == (
        2,
        "Use a password of 10 to 200 characters; a short sentence is a good one.\n",
    )


def test_a_token_is_made_shown_once_and_revoked(lobby: Lobby) -> None:
    lobby("account", "add", "shop")

    made = json.loads(
        lobby("token", "create", "--account", "shop", "--scope", "all", "--name", "till", "--json").stdout
    )

    assert list(made) == ["token"]
    with reading() as session:
        assert api_tokens.find(session, made["token"]) is not None
    (listed,) = json.loads(lobby("token", "list", "--json").stdout)
    assert (listed["account"], listed["name"], listed["scopes"]) == ("shop", "till", ["all"])
    assert made["token"] not in json.dumps(listed)
    assert lobby("token", "revoke", str(listed["id"])).exit_code == 0
    with reading() as session:
        assert api_tokens.find(session, made["token"]) is None


def test_an_unknown_scope_is_refused(lobby: Lobby) -> None:
    done = lobby("token", "create", "--scope", "everything")

    assert done.exit_code == 2
    assert done.stderr.startswith("“everything” is not one of all, ")

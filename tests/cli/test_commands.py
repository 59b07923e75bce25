"""What all commands have in common: help, one sentence for a refusal, JSON for scripts."""

import json

import pytest

from bot.cli import COMMANDS
from tests.cli.conftest import Lobby

GROUPS = {"account": ["list", "show", "add", "edit", "reseal"], "operator": ["list", "add", "link", "password"]}
GROUPS |= {"token": ["create", "list", "revoke"], "campaign": ["list", "show", "watch", "pause", "resume", "cancel"]}
ALL = [[name] for name in COMMANDS] + [[group, each] for group, names in GROUPS.items() for each in names]


@pytest.mark.parametrize("words", [[], *ALL], ids=" ".join)
def test_help_is_everywhere(lobby: Lobby, words: list[str]) -> None:
    done = lobby(*words, "--help")

    assert done.exit_code == 0
    assert done.stdout.startswith("Usage: ")


def test_tells_its_version(lobby: Lobby) -> None:
    assert lobby("--version").stdout.startswith("lobby 0.")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["say", "hello"], "Lobby is not running in {folder}/; start it with `lobby up`."),
        (["account", "show", "nobody"], "There is no account “nobody”."),
        (["account", "edit", "nobody"], "Say what to change; `lobby account edit --help` lists the fields."),
        (["operator", "link", "nobody"], "There is no operator “nobody”."),
        (["token", "create", "--account", "nobody", "--scope", "all"], "There is no account “nobody”."),
        (["token", "revoke", "7"], "There is no such token."),
        (["doctor", "nobody"], "There is no account “nobody”."),
        (["campaign", "watch", "7"], "There is no such campaign."),
        (["campaign", "pause", "7"], "There is no such campaign."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_refusal_is_one_sentence(lobby: Lobby, database_url, tmp_path, words, sentence) -> None:
    done = lobby(*words)

    assert done.exit_code == 2
    assert done.stderr == sentence.format(folder=tmp_path / "data") + "\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("variable", "value", "advice"),
    [
        ("LOBBY_BASE_URL", "lobby.example.com", "use a full address such as https://lobby.example.com."),
        (
            "LOBBY_REDIS_URL",
            "redis://127.0.0.1:port/0",
            "use redis://:PASSWORD@HOST:6379/0 or unix:///path/redis.sock.",
        ),
        (
            "LOBBY_DATABASE_URL",
            "sqlite:////nowhere/lobby.db",
            "there is no folder /nowhere; make it, or choose another.",
        ),
        ("LOBBY_WECHAT_TIMEOUT", "0", "Input should be greater than 0."),
    ],
)
def test_a_bad_setting_is_one_sentence(lobby: Lobby, monkeypatch, variable, value, advice) -> None:
    monkeypatch.setenv(variable, value)

    done = lobby("account", "list")

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"{variable}: {advice}\n"


def test_a_folder_that_is_not_there_was_mistyped(lobby: Lobby, tmp_path) -> None:
    done = lobby("account", "list", "--data-dir", str(tmp_path / "vra"))

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"There is no folder {tmp_path}/vra; `lobby up --data-dir {tmp_path}/vra` would make it.\n"
    assert not (tmp_path / "vra").exists()


def test_a_file_is_no_data_folder(lobby: Lobby, tmp_path) -> None:
    file = tmp_path / "notes.txt"
    file.touch()

    done = lobby("up", "--data-dir", str(file))

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        f"LOBBY_DATA_DIR: {file} is not a folder we may write to; choose another or change its rights.\n"
    )


def test_without_tables_it_says_what_to_run(lobby: Lobby) -> None:
    done = lobby("account", "list")

    assert done.exit_code == 2
    assert done.stderr == "The database lacks tables of this version; run `lobby migrate`.\n"


@pytest.mark.parametrize("noun", ["account", "operator", "token", "campaign"])
def test_lists_are_json_for_scripts_and_words_for_people(lobby: Lobby, database_url, noun) -> None:
    assert json.loads(lobby(noun, "list", "--json").stdout) == []
    assert lobby(noun, "list").stdout.startswith("There is no")

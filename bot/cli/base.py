"""What all commands share: one sentence for what went wrong, and the running stack's settings."""

import json
import logging
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from bot.errors import Refused
from bot.settings import BadSettings, Settings, settings


class Sentence(click.ClickException):
    """Ends the command with one plain sentence on stderr: it cannot do what was asked."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


MAKE_A_FOLDER = ("up", "migrate", "restore")  # for the others a folder that is not there was mistyped


class Failed(Sentence):
    """It did what was asked, and the answer is no."""

    exit_code = 1


class Command(click.Command):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--data-dir"],
                type=click.Path(path_type=Path),
                metavar="DIR",
                expose_value=False,
                is_eager=True,
                callback=_choose_data_dir,
                help="The data folder; else LOBBY_DATA_DIR, else var/.",
            )
        )

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (Refused, BadSettings) as refusal:
            raise Sentence(str(refusal)) from None
        except Exception as error:  # noqa: BLE001 - raised again unless it is one that a person can put right
            _explain(error)


class LazyGroup(click.Group):
    """Imports a command's module when it is called: `lobby say` need not load what `lobby backup` needs."""

    def __init__(self, *args: Any, lazy: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy or {}

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self._lazy)  # in the order of a newcomer's needs, not of the alphabet

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self._lazy:
            return None
        module, _, attribute = self._lazy[name].partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found


def command(name: str, **options: Any) -> Callable[[Callable[..., Any]], Command]:
    return click.command(name, cls=Command, **options)


class Group(click.Group):
    command_class = Command


def as_json(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON document.")(function)


def tell_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(headings: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Columns for people; scripts use --json."""
    from rich.cells import cell_len  # Chinese characters are two columns wide

    lines = [headings, *[tuple("" if cell is None else str(cell) for cell in row) for row in rows]]
    widths = [max(cell_len(line[at]) for line in lines) for at in range(len(headings))]
    for line in lines:
        cells = [cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def prepared() -> Settings:
    """The settings, joined to the stack that runs in the data folder: its simulator, its clock, its address."""
    from bot import clock, logs
    from bot.supervisor import running

    stack = running.find(data_dir())
    if stack is not None:
        os.environ.setdefault("LOBBY_BASE_URL", stack.url)
        if stack.sim_url:
            os.environ.setdefault("LOBBY_WECHAT_URL", stack.sim_url)
            os.environ.setdefault("LOBBY_CLOCK_FILE", str(data_dir().resolve() / "sim-clock"))
    known = settings()
    clock.follow(known.clock_file)
    logs.setup(known.log_format)
    logging.getLogger().setLevel(logging.WARNING)  # the command's own words are on stdout
    return known


def data_dir() -> Path:
    return Path(os.environ.get("LOBBY_DATA_DIR") or "var")


def _choose_data_dir(context: click.Context, option: click.Parameter, value: Path | None) -> None:
    if value is not None:
        if not value.exists() and context.command.name not in MAKE_A_FOLDER:
            raise Sentence(f"There is no folder {value}; `lobby up --data-dir {value}` would make it.")
        os.environ["LOBBY_DATA_DIR"] = str(value)
        settings.cache_clear()


def _explain(error: Exception) -> NoReturn:
    """Word the failures that a person can put right; raise the others as they are."""
    kinds = {f"{kind.__module__}.{kind.__name__}" for kind in type(error).__mro__}
    if kinds & {"sqlalchemy.exc.OperationalError", "sqlalchemy.exc.ProgrammingError"}:
        words = str(getattr(error, "orig", error)).strip().splitlines()[0]
        if "no such table" in words or "does not exist" in words or "no such column" in words:
            raise Sentence("The database lacks tables of this version; run `lobby migrate`.") from None
        raise Sentence(f"The database cannot be used: {words}.") from None
    if "redis.exceptions.RedisError" in kinds:
        raise Sentence(f"Redis does not answer ({type(error).__name__}); start it, or start `lobby up`.") from None
    if "bot.services.vault.Unreadable" in kinds:
        raise Sentence(str(error)) from None
    if isinstance(error, OSError) and error.filename:
        raise Sentence(f"{error.filename}: {(error.strerror or 'cannot be used').lower()}.") from None
    raise error

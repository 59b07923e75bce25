"""Commands in this process, on the test's own folder and database."""

import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from click.testing import CliRunner, Result

from bot.cli import main
from tests.conftest import forget

Lobby = Callable[..., Result]


@pytest.fixture
def lobby() -> Iterator[Lobby]:
    """Run a command; each call begins as a new process would."""
    root = logging.getLogger()
    handlers, level, configured = root.handlers[:], root.level, structlog.get_config()

    def run(*arguments: str, input: str | None = None) -> Result:
        forget()
        done = CliRunner().invoke(main, list(arguments), input=input)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    yield run
    root.handlers[:], root.level = handlers, level
    structlog.configure(**configured)

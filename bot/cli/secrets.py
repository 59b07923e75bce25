"""How secrets come in: from a file, a variable or a prompt, never from the command line, which every user can read."""

import os
import sys
from pathlib import Path

import click

from bot.cli.base import Sentence

FILE = click.Path(path_type=Path, allow_dash=True, dir_okay=False)


def given(file: Path | None, variable: str, ask: str = "", *, twice: bool = False) -> str | None:
    """The first of file ("-" is stdin), environment variable, and a prompt when ``ask`` names one; None: not given."""
    if file is not None:
        try:
            text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise Sentence(f"{file} cannot be read.") from None
        return text.strip()
    if os.environ.get(variable):
        return os.environ[variable].strip()
    if ask:
        text = click.prompt(ask, hide_input=True, default="", show_default=False, confirmation_prompt=twice)
        return str(text).strip()
    return None

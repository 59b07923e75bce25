from collections.abc import Callable
from pathlib import Path

import pytest

from bot import settings


@pytest.fixture
def advance(tmp_path: Path) -> Callable[[float], None]:
    """Move our clock."""
    moved = 0.0

    def advance(seconds: float) -> None:
        nonlocal moved
        moved += seconds
        draft = tmp_path / "clock.new"
        draft.write_text(str(moved))
        draft.replace(tmp_path / "clock")

    return advance


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBBY_MOMENTS_LIMIT_FACTOR", "100000")
    settings.settings.cache_clear()

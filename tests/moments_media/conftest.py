import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest

from bot.moments.media import files, photos, uploads, videos
from models import Media, MediaKind

# What is asked of files asks nothing of a database: once is enough.
once = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def upload(database_url: str) -> Callable[..., Media]:
    """As a member's request does."""

    def upload(content: bytes, owner_id: int = 1, **options: Any) -> Media:
        return uploads.take(owner_id, BytesIO(content), **options)

    return upload


@pytest.fixture
def parts() -> Callable[[Media], dict[str, bytes]]:
    """The files of an upload."""

    def parts(media: Media) -> dict[str, bytes]:
        found = {part: files.path(media.key, part) for part in files.PARTS}
        return {part: path.read_bytes() for part, path in found.items() if path.exists()}

    return parts


@pytest.fixture(scope="session")
def take_apart() -> Callable[..., tuple[Any, dict[str, bytes]]]:
    """What the decoder's process does, without the process: what it says, and what it has made."""

    def take_apart(content: bytes, turns: int = 0) -> tuple[Any, dict[str, bytes]]:
        is_video = uploads.kind_of(content[: uploads.HEAD_BYTES]) is MediaKind.VIDEO
        names = uploads.VIDEO if is_video else uploads.PHOTO
        with ExitStack() as stack:
            source, *made = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(len(names) + 1))
            source.write(content)
            source.seek(0)
            if is_video:
                said: Any = videos.take_apart(source.fileno(), made[0].fileno())
            else:
                said = photos.take_apart(source, [os.dup(file.fileno()) for file in made], turns)
            return said, {name: os.pread(file.fileno(), 1 << 26, 0) for name, file in zip(names, made, strict=True)}

    return take_apart

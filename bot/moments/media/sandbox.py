"""Starts the decoder's process, one for each upload, and ends it when it is late."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import Refused
from bot.moments.media.limits import Cost
from bot.moments.media.refusals import Untakable

AT_ONCE = 2  # of one web process: each may take Cost.memory
WAIT_SECONDS = 20.0
ANSWER_BYTES = 4096
DECODER = (sys.executable, "-P", "-m", "bot.moments.media.decoder")
ROOT = str(Path(__file__).parents[3])

log = structlog.get_logger()
_seats = threading.BoundedSemaphore(AT_ONCE)


class TooBusy(Refused):
    status = 503


class Said(BaseModel):
    """The decoder's answer, which is believed no more than the file it read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    refused: str = ""
    width: int = Field(0, ge=0, le=65_535)
    height: int = Field(0, ge=0, le=65_535)
    duration_ms: int | None = Field(None, ge=0, le=3_600_000)
    blurhash: str = Field("", max_length=32)


def take_apart(what: str, source: int, outputs: Sequence[int], cost: Cost, turns: int = 0) -> Said:
    """What the decoder says of an upload; it has written its parts to ``outputs``.

    Args:
        what: "photo" or "video".
        source: a regular file, open for reading.

    Raises:
        Untakable: as the decoder says; too_hard when it needed more than its limits.
        TooBusy: others are being taken apart.
    """
    answer, code = run(what, source, outputs, cost, turns)
    try:
        said = Said.model_validate_json(answer)
    except ValidationError:
        log.warning("decoder.ended", what=what, code=code)
        raise Untakable("too_hard" if code < 0 else "broken") from None
    if said.refused:
        raise Untakable(said.refused)
    return said


def run(what: str, source: int, outputs: Sequence[int], cost: Cost, turns: int = 0) -> tuple[bytes, int]:
    """A decoder's answer and exit code; "frame" (a video's first, by ffmpeg) answers nothing.

    Raises:
        TooBusy: others are being taken apart.
    """
    arguments = [str(cost.memory), str(cost.cpu_seconds), what, ",".join(map(str, outputs)), str(turns)]
    if not _seats.acquire(timeout=WAIT_SECONDS):
        raise TooBusy("Many people upload at this moment. Try again in a minute.")
    try:
        return _run([*DECODER, *arguments], source, outputs, cost.seconds)
    finally:
        _seats.release()


def _run(command: list[str], source: int, outputs: Sequence[int], seconds: float) -> tuple[bytes, int]:
    os.lseek(source, 0, os.SEEK_SET)
    child = subprocess.Popen(  # noqa: S603 - our own module, no shell
        command,
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback may quote the file
        pass_fds=outputs,
        # Nothing of ours: no key, no address.
        env={"PYTHONPATH": ROOT, "LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath)},
        start_new_session=True,
    )
    late = threading.Timer(seconds, child.kill)
    late.start()
    try:
        with child:
            assert child.stdout is not None
            answer = child.stdout.read(ANSWER_BYTES)
            if len(answer) == ANSWER_BYTES:  # it has lost its mind
                child.kill()
            return answer, child.wait()
    finally:
        late.cancel()

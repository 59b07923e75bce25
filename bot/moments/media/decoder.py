"""The process that looks into one upload: `python -m bot.moments.media.decoder LIMITS WHAT FD… [TURNS]`.

It gets the upload as its standard input and the files to write as open descriptors, so it needs no path, no
environment, no network and no shell.  Before it imports anything that decodes it gives away what it does not need: a
file that breaks a decoder finds little memory, little time and nothing of ours.  Its answer is one line of JSON.
"""

import json
import os
import resource
import shutil
import sys
from typing import NoReturn

from bot.moments.media.limits import VIDEO_BYTES
from bot.moments.media.refusals import Untakable


def main(memory: int, cpu_seconds: int, what: str, outputs: list[int], turns: int) -> dict[str, object]:
    confine(memory, cpu_seconds, VIDEO_BYTES, may_thread=what == "frame")
    try:
        if what == "photo":
            from bot.moments.media import photos

            return dict(photos.take_apart(sys.stdin.buffer, outputs, turns))
        if what == "video":
            from bot.moments.media import videos

            return dict(videos.take_apart(0, outputs[0]))
        become_ffmpeg(outputs[0])
    except Untakable as refusal:
        return {"refused": refusal.code}
    except MemoryError:
        return {"refused": "too_hard"}


def confine(memory: int, cpu_seconds: int, file_bytes: int, may_thread: bool) -> None:
    """Give away what decoding does not need; nothing gives it back."""
    os.nice(10)  # WeChat's callbacks go first
    if sys.platform == "linux":  # macOS lets nobody set it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not may_thread:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # for root it means nothing


def become_ffmpeg(output: int) -> NoReturn:
    """Write a video's first frame as PNG; the limits stay."""
    program = shutil.which("ffmpeg") or "ffmpeg"
    source = ["-protocol_whitelist", "file,pipe", "-f", "mov", "-i", "/dev/fd/0"]
    target = ["-an", "-sn", "-dn", "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", f"pipe:{output}"]
    os.execv(program, [program, "-nostdin", "-v", "quiet", "-threads", "1", *source, *target])  # noqa: S606 - no shell


if __name__ == "__main__":
    memory, cpu_seconds, what, outputs, turns = sys.argv[1:]
    answer = main(int(memory), int(cpu_seconds), what, [int(fd) for fd in outputs.split(",")], int(turns))
    sys.stdout.write(json.dumps(answer))

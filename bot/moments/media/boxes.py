"""The boxes an MP4 or MOV is made of, and a copy in which nothing is that was not put there."""

import mmap
import os
from collections.abc import Iterator
from typing import NamedTuple

from bot.moments.media.refusals import Untakable

CHUNK = 1 << 20


class Box(NamedTuple):
    """Positions in the whole file."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes(data: mmap.mmap, start: int, end: int) -> Iterator[Box]:
    """The boxes of one level; zeros may end it.

    Raises:
        Untakable: broken, where a box is larger than what it lies in.
    """
    while start < end:
        if end - start < 8:
            if any(data[start:end]):
                raise Untakable("broken")
            return
        size, kind, header = number(data, start, 4), data[start + 4 : start + 8], 8
        if size == 1 and end - start >= 16:
            size, header = number(data, start + 8, 8), 16
        elif size == 0 and end == len(data):  # up to the file's end
            size = end - start
        if size < header or start + size > end:
            raise Untakable("broken")
        yield Box(kind, start, start + header, start + size)
        start += size


def number(data: mmap.mmap, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "big")


class Copy:
    """A file of the same length, all zeros at first: so what stays keeps its place, and nothing stays unseen."""

    def __init__(self, data: mmap.mmap, output: int) -> None:
        self.data = data
        self._view = memoryview(data)
        self._output = output
        os.ftruncate(output, len(data))

    def close(self) -> None:
        self._view.release()

    def keep(self, start: int, end: int) -> None:
        while start < end:
            start += os.pwrite(self._output, self._view[start : min(end, start + CHUNK)], start)

    def put(self, at: int, content: bytes) -> None:
        os.pwrite(self._output, content, at)

    def frame(self, box: Box) -> None:
        """Its size and kind."""
        self.keep(box.start, box.body)

    def whole(self, box: Box) -> None:
        self.keep(box.start, box.end)

    def blank(self, box: Box) -> None:
        """A box of the same size in which players look for nothing."""
        self.frame(box)
        if box.body - box.start == 8:  # one that runs to the file's end gets its size
            self.put(box.start, (box.end - box.start).to_bytes(4, "big"))
        self.put(box.start + 4, b"free")

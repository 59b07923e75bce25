"""What a camera says between the pictures of H.264 and H.265 ("supplemental enhancement information").

Some write the place of each second there.  No picture needs it to be drawn, so each such unit becomes one of the same
length that the standard calls filler.
"""

import mmap

from bot.moments.media.boxes import Box, Copy, boxes, number
from bot.moments.media.refusals import Untakable

FILLER = 3  # the kind of message that says nothing
# By coding: the box with its settings, where in it the size of a length is, and how long a unit's heading is.
CODINGS = {
    b"avc1": (b"avcC", 4, 1),
    b"avc3": (b"avcC", 4, 1),
    b"hvc1": (b"hvcC", 21, 2),
    b"hev1": (b"hvcC", 21, 2),
}


def silence(copy: Copy, entry: Box, fields: int, start: int, end: int) -> None:
    """Overwrite what is said in a chunk of samples.

    Args:
        entry: the description of the samples, with its boxes after so many bytes of fields.

    Raises:
        Untakable: broken, where a unit is longer than the chunk.
    """
    if entry.kind not in CODINGS:
        return
    name, place, heading = CODINGS[entry.kind]
    settings = next((box for box in boxes(copy.data, entry.body + fields, entry.end) if box.kind == name), None)
    if settings is None:
        raise Untakable("broken")
    length = (number(copy.data, settings.body + place, 1) & 3) + 1
    while start < end:
        unit = start + length
        start = unit + number(copy.data, start, length)
        if start > end:
            raise Untakable("broken")
        if _is_said(copy.data, unit, heading) and start - unit > heading + 2:
            copy.put(unit + heading, _nothing(start - unit - heading))


def silence_settings(copy: Copy, box: Box) -> None:
    """Copy H.265's settings, in which encoders say who they are."""
    copy.whole(box)
    at = box.body + 23
    for _ in range(number(copy.data, box.body + 22, 1)):
        units, at = number(copy.data, at + 1, 2), at + 3
        for _ in range(units):
            unit = at + 2
            at = unit + number(copy.data, at, 2)
            if at > box.end:
                raise Untakable("broken")
            if _is_said(copy.data, unit, 2) and at - unit > 4:
                copy.put(unit + 2, _nothing(at - unit - 2))


def _is_said(data: mmap.mmap, unit: int, heading: int) -> bool:
    first = number(data, unit, 1)
    return first & 31 == 6 if heading == 1 else first >> 1 & 63 in (39, 40)


def _nothing(length: int) -> bytes:
    """Messages of filler and the bit that ends a unit."""
    messages, left = b"", length - 1
    while left:
        taken = min(left, 256)
        taken -= left - taken == 1  # a message has at least a kind and a size
        messages += bytes([FILLER, taken - 2]) + b"\xff" * (taken - 2)
        left -= taken
    return messages + b"\x80"

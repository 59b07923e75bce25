"""A video without what its file says besides: only sound, picture and the tables to play them are copied.

There is a list of what stays, none of what goes: an atom nobody thought of (udta, meta, uuid, a track of positions, a
camera's own) is zeros in the copy, as is every byte of the samples that no kept track plays.  The copy has the
original's length, so no table of positions needs to be written anew.  Runs in the decoder's process.
"""

import mmap
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import pairwise
from typing import TypeAlias, TypedDict

from bot.moments.media import sei
from bot.moments.media.boxes import Box, Copy, boxes, number
from bot.moments.media.limits import MOOV_BYTES, VIDEO_SECONDS
from bot.moments.media.refusals import Untakable

PICTURES = (b"avc1", b"avc3", b"hvc1", b"hev1", b"av01", b"vp09")  # that browsers play
SOUNDS = (b"mp4a", b"Opus")
PLAYED = {b"vide": PICTURES, b"soun": SOUNDS}
IN_PIECES = (b"moof", b"sidx", b"styp", b"mvex")
COLOURS = (b"nclc", b"nclx")  # numbers; the others are ICC profiles, with their makers' words

Rule: TypeAlias = "Callable[[Copy, Box], None] | Mapping[bytes, Rule]"


class Video(TypedDict):
    """As it is shown, upright."""

    width: int
    height: int
    duration_ms: int


def take_apart(source: int, output: int) -> Video:
    """Copy what plays from one open file to another.

    Raises:
        Untakable: broken, fragmented, codec or video_length.
    """
    with mmap.mmap(source, 0, access=mmap.ACCESS_READ) as data:
        top = list(boxes(data, 0, len(data)))
        if not top or top[0].kind != b"ftyp":
            raise Untakable("broken")
        if any(box.kind in IN_PIECES for box in top):
            raise Untakable("fragmented")
        films = [box for box in top if box.kind == b"moov"]
        if len(films) != 1 or films[0].end - films[0].start > MOOV_BYTES:
            raise Untakable("broken")
        tracks = _tracks(data, films[0])
        described = _described(data, tracks)
        stores = [box for box in top if box.kind == b"mdat"]
        with closing(Copy(data, output)) as copy:
            _apply(copy, top, {b"ftyp": _brand, b"mdat": Copy.frame, b"moov": MOOV})
            for start, end in _joined(part for track in tracks for part in _samples(data, track)):
                if not any(store.body <= start and end <= store.end for store in stores):
                    raise Untakable("broken")  # a "sample" in the middle of what we leave out
                copy.keep(start, end)
            for track in tracks:
                entry = _entries(data, track)[0]
                for start, end in _samples(data, track):
                    sei.silence(copy, entry, _fields(data, entry), start, end)
        return described


# What stays -----------------------------------------------------------------------------------------------------------


def _apply(copy: Copy, level: list[Box], rules: Mapping[bytes, Rule]) -> None:
    for box in level:
        rule = rules.get(box.kind)
        if rule is None:
            copy.blank(box)
        elif callable(rule):
            rule(copy, box)
        else:
            copy.frame(box)
            _apply(copy, list(boxes(copy.data, box.body, box.end)), rule)


def _brand(copy: Copy, box: Box) -> None:
    """Some name the camera's maker."""
    brand = b"qt  " if copy.data[box.body : box.body + 4] == b"qt  " else b"isom"
    places = (box.end - box.body) // 4
    copy.frame(box)
    copy.put(box.body, brand + bytes(4) + brand * max(0, places - 2))


def _track(copy: Copy, box: Box) -> None:
    if not _plays(copy.data, box):
        copy.blank(box)
        return
    copy.frame(box)
    _apply(copy, list(boxes(copy.data, box.body, box.end)), TRAK)


def _without_times(copy: Copy, box: Box) -> None:
    """When it was made and changed."""
    _check(box, 20)
    copy.whole(box)
    copy.put(box.body + 4, bytes(16 if number(copy.data, box.body, 1) == 1 else 8))


def _without_name(copy: Copy, box: Box) -> None:
    """Of a handler: its kind stays, its maker and its own name go."""
    _check(box, 12)
    copy.frame(box)
    copy.keep(box.body, box.body + 12)


def _own_data(copy: Copy, box: Box) -> None:
    """Where the samples are: in this file, or we do not want to know."""
    _check(box, 8)
    copy.frame(box)
    copy.keep(box.body, box.body + 8)
    for place in boxes(copy.data, box.body + 8, box.end):
        _check(place, 4)
        if not number(copy.data, place.body, 4) & 1:
            raise Untakable("broken")
        copy.keep(place.start, place.body + 4)


def _descriptions(copy: Copy, box: Box) -> None:
    _check(box, 8)
    copy.frame(box)
    copy.keep(box.body, box.body + 8)
    for entry in boxes(copy.data, box.body + 8, box.end):
        fields = _fields(copy.data, entry)
        copy.keep(entry.start, entry.body + fields)
        if entry.kind in PICTURES:
            copy.put(entry.body + 8, bytes(16))  # the maker
            copy.put(entry.body + 42, bytes(32))  # the encoder's name
        _apply(copy, list(boxes(copy.data, entry.body + fields, entry.end)), ENTRY)


def _fields(data: mmap.mmap, entry: Box) -> int:
    """How many bytes lie before the boxes in a description of samples."""
    length = 78 if entry.kind in PICTURES else {0: 28, 1: 44, 2: 64}.get(number(data, entry.body + 8, 2))
    if length is None:
        raise Untakable("broken")
    _check(entry, length)
    return length


def _check(box: Box, length: int) -> None:
    if box.end - box.body < length:
        raise Untakable("broken")


def _colour(copy: Copy, box: Box) -> None:
    (Copy.whole if copy.data[box.body : box.body + 4] in COLOURS else Copy.blank)(copy, box)


_CONFIGURATION = (b"avcC", b"av1C", b"vpcC", b"pasp", b"clap", b"fiel", b"esds", b"dOps", b"frma", b"chan")
_TABLES = (b"stts", b"ctts", b"cslg", b"stsc", b"stsz", b"stco", b"co64", b"stss", b"stps", b"sdtp")
_WAVE: Mapping[bytes, Rule] = {b"frma": Copy.whole, b"esds": Copy.whole, b"mp4a": Copy.frame, bytes(4): Copy.frame}
ENTRY: Mapping[bytes, Rule] = dict.fromkeys(_CONFIGURATION, Copy.whole) | {
    b"hvcC": sei.silence_settings,
    b"colr": _colour,
    b"wave": _WAVE,
}
STBL: Mapping[bytes, Rule] = dict.fromkeys(_TABLES, Copy.whole) | {b"stsd": _descriptions}
MINF: Mapping[bytes, Rule] = {
    b"vmhd": Copy.whole,
    b"smhd": Copy.whole,
    b"hdlr": _without_name,
    b"dinf": {b"dref": _own_data},
    b"stbl": STBL,
}
MDIA: Mapping[bytes, Rule] = {b"mdhd": _without_times, b"hdlr": _without_name, b"minf": MINF}
TRAK: Mapping[bytes, Rule] = {b"tkhd": _without_times, b"edts": {b"elst": Copy.whole}, b"mdia": MDIA}
MOOV: Mapping[bytes, Rule] = {b"mvhd": _without_times, b"trak": _track}


# What the tables say --------------------------------------------------------------------------------------------------


def _tracks(data: mmap.mmap, film: Box) -> list[Box]:
    inside = list(boxes(data, film.body, film.end))
    if any(box.kind in IN_PIECES for box in inside):
        raise Untakable("fragmented")
    tracks = [box for box in inside if box.kind == b"trak"]
    playing = [track for track in tracks if _plays(data, track)]
    present, played = ({_handler(data, track) for track in some} for some in (tracks, playing))
    if b"vide" not in present:
        raise Untakable("broken")
    if present & set(PLAYED) - played:  # a film without its sound is not what was meant
        raise Untakable("codec")
    return playing


def _plays(data: mmap.mmap, track: Box) -> bool:
    known = PLAYED.get(_handler(data, track))
    if known is None:
        return False
    entries = {entry.kind for entry in _entries(data, track)}
    return bool(entries) and entries <= set(known)


def _entries(data: mmap.mmap, track: Box) -> list[Box]:
    """The descriptions of its samples."""
    table = _box(data, track, b"mdia", b"minf", b"stbl", b"stsd")
    return list(boxes(data, table.body + 8, table.end))


def _handler(data: mmap.mmap, track: Box) -> bytes:
    box = _box(data, track, b"mdia", b"hdlr")
    return data[box.body + 8 : box.body + 12]


def _box(data: mmap.mmap, inside: Box, *path: bytes) -> Box:
    found = _find(data, inside, *path)
    if found is None:
        raise Untakable("broken")
    return found


def _find(data: mmap.mmap, inside: Box, *path: bytes) -> Box | None:
    found: Box | None = inside
    for kind in path:
        found = found and next((box for box in boxes(data, found.body, found.end) if box.kind == kind), None)
    return found


def _numbers(data: mmap.mmap, table: Box, skip: int, letter: str = "I") -> tuple[int, ...]:
    """A table's numbers after so many bytes; how many there are is said right before them."""
    count = number(data, table.body + skip - 4, 4)
    size = struct.calcsize(">" + letter)
    if table.body + skip + count * size > table.end:
        raise Untakable("broken")
    start = table.body + skip
    return tuple(value for row in struct.iter_unpack(">" + letter, data[start : start + count * size]) for value in row)


def _samples(data: mmap.mmap, track: Box) -> Iterator[tuple[int, int]]:
    """Where in the file the track's chunks of samples lie."""
    table = _box(data, track, b"mdia", b"minf", b"stbl")
    places = _find(data, table, b"stco")
    offsets = _numbers(data, places, 8) if places else _numbers(data, _box(data, table, b"co64"), 8, "Q")
    sizes = _box(data, table, b"stsz")
    same = number(data, sizes.body + 4, 4)
    single = () if same else _numbers(data, sizes, 12)
    count = number(data, sizes.body + 8, 4)
    runs = _numbers(data, _box(data, table, b"stsc"), 8, "III")
    firsts, lengths = [*runs[::3], len(offsets) + 1], runs[1::3]
    if firsts[0] != 1 or any(one >= next_ for one, next_ in pairwise(firsts)):
        raise Untakable("broken")
    done = 0
    for first, end, length in zip(firsts, firsts[1:], lengths, strict=False):
        for chunk in range(first, end):
            taken = min(length, count - done)
            size = taken * same if same else sum(single[done : done + taken])
            yield offsets[chunk - 1], offsets[chunk - 1] + size
            done += taken


def _joined(parts: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(parts):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        elif end > start:
            joined.append((start, end))
    return joined


def _described(data: mmap.mmap, tracks: list[Box]) -> Video:
    seconds = max(_seconds(data, track) for track in tracks)
    if seconds <= 0:
        raise Untakable("broken")
    if seconds > VIDEO_SECONDS + 1:
        raise Untakable("video_length")
    picture = next(track for track in tracks if _handler(data, track) == b"vide")
    head = _box(data, picture, b"tkhd")
    matrix = head.body + (52 if number(data, head.body, 1) == 1 else 40)
    width, height = number(data, matrix + 36, 4) >> 16, number(data, matrix + 40, 4) >> 16
    if not (0 < width <= 8192 and 0 < height <= 8192):
        raise Untakable("broken")
    if number(data, matrix, 4) == 0:  # turned by a quarter
        width, height = height, width
    return {"width": width, "height": height, "duration_ms": round(seconds * 1000)}


def _seconds(data: mmap.mmap, track: Box) -> float:
    """As long as its samples last, whatever its heading claims."""
    head = _box(data, track, b"mdia", b"mdhd")
    scale = number(data, head.body + (20 if number(data, head.body, 1) == 1 else 12), 4)
    times = _numbers(data, _box(data, track, b"mdia", b"minf", b"stbl", b"stts"), 8, "II")
    return sum(count * each for count, each in zip(times[::2], times[1::2], strict=True)) / (scale or 1)

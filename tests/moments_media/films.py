"""Videos that say where they were made, in every place that an MP4 or MOV has for it."""

import struct
from collections.abc import Iterator

from tests.moments_media.photos import CANARY, XMP

WHEN = 3_900_000_000  # seconds since 1904
PICTURE_SAMPLES = [b"\0\0\0\x0a\x65PICTURE-%d" % number for number in range(6)]
SAID = b"\x06\x05" + bytes([16 + len(CANARY)]) + bytes(16) + CANARY + b"\x80"  # of H.264, between the pictures
SOUND_SAMPLES = [b"SOUND-%d" % number for number in range(6)]
PLACE_SAMPLES = [b"\0\0\0\x21where" + CANARY for _ in range(6)]


def box(kind: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I", len(body) + 8) + kind + body


def full(kind: bytes, *bodies: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *bodies)


def _apple_place() -> bytes:
    name = b"mdtacom.apple.quicktime.location.ISO6709"
    keys = full(b"keys", struct.pack(">I", 1), struct.pack(">I", len(name) + 4), name)
    value = box(b"data", struct.pack(">II", 1, 0), CANARY)
    return box(b"meta", full(b"hdlr", bytes(4), b"mdta", bytes(13)), keys, box(b"ilst", box(b"\0\0\0\1", value)))


UDTA = box(
    b"udta",
    box(b"\xa9xyz", struct.pack(">HH", len(CANARY), 0x15C7), CANARY),
    full(b"loci", struct.pack(">H", 0x15C7), CANARY, b"\0\0", struct.pack(">iii", 116 << 16, 39 << 16, 0), b"earth\0"),
    box(b"XMP_", XMP),
    full(b"meta", full(b"hdlr", bytes(4), b"mdir", bytes(13)), box(b"ilst", box(b"\xa9cmt", CANARY))),
)
UUID = box(b"uuid", bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC"), XMP)


def handler(kind: bytes) -> bytes:
    return full(b"hdlr", b"mhlr", kind, b"appl", bytes(8), bytes([len(CANARY)]), CANARY)


def track(kind: bytes, entry: bytes, samples: list[bytes], first: int, seconds: int, turned: bool) -> bytes:
    matrix = (
        (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000) if turned else (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 1 << 30)
    )
    table = box(
        b"stbl",
        full(b"stsd", struct.pack(">I", 1), entry),
        full(b"stts", struct.pack(">III", 1, len(samples), seconds * 100 // len(samples))),
        full(b"stsc", struct.pack(">IIII", 1, 1, len(samples), 1)),
        full(b"stsz", struct.pack(f">II{len(samples)}I", 0, len(samples), *map(len, samples))),
        full(b"stco", struct.pack(">II", 1, first)),
        full(b"sgpd", b"maker" + CANARY),
    )
    place = full(b"dref", struct.pack(">I", 1), full(b"alis", CANARY, flags=1))
    size = struct.pack(">II", 640 << 16, 360 << 16)
    return box(
        b"trak",
        full(b"tkhd", struct.pack(">IIIII", WHEN, WHEN, 1, 0, 600), bytes(16), struct.pack(">9i", *matrix), size),
        box(b"tref", box(b"cdsc", CANARY[:24])),
        box(b"edts", full(b"elst", struct.pack(">IIiI", 1, seconds * 100, 0, 1 << 16))),
        box(
            b"mdia",
            full(b"mdhd", struct.pack(">IIIII", WHEN, WHEN, 100, seconds * 100, 0x15C70000)),
            handler(kind),
            box(b"minf", full(b"vmhd", bytes(8)), handler(b"url "), box(b"dinf", place), table),
        ),
        UDTA,
        _apple_place(),
    )


def picture_entry(codec: bytes = b"avc1") -> bytes:
    name = bytes([len(CANARY)]) + CANARY
    fields = (
        bytes(6) + b"\0\1" + bytes(4) + b"appl" + bytes(8) + struct.pack(">HHIIIH", 640, 360, 0x480000, 0x480000, 0, 1)
    )
    configuration = box(b"avcC", bytes.fromhex("0142c01effe1000467428c1e01000468ce3c80"))
    colour = box(b"colr", b"prof", CANARY) + box(b"colr", b"nclx", bytes(7)) + box(b"mkr ", CANARY)
    return box(codec, fields, name.ljust(32, b"\0"), b"\0\x18\xff\xff", configuration, colour)


def sound_entry(codec: bytes = b"mp4a") -> bytes:
    esds = full(b"esds", bytes.fromhex("03190000000411401500000000000000000000000502121006010 2".replace(" ", "")))
    return box(codec, bytes(6) + b"\0\1", bytes(8), struct.pack(">HHIHH", 2, 16, 0, 0, 0), esds, UUID)


def film(
    brand: bytes = b"qt  ",
    *,
    seconds: int = 12,
    turned: bool = False,
    picture: bytes = b"avc1",
    sound: bytes = b"mp4a",
    at_end: bool = True,
    extra: bytes = b"",
) -> bytes:
    """Picture, sound and a track of places; tables after the samples or before them."""
    start = box(b"ftyp", brand, CANARY[:4], brand, CANARY[4:8]) + box(b"wide") + UUID + box(b"GPRO", CANARY)
    first = len(start) + 8 if at_end else 0
    kinds = (
        (b"vide", picture_entry(picture), [struct.pack(">I", len(SAID)) + SAID + one for one in PICTURE_SAMPLES]),
        (b"soun", sound_entry(sound), SOUND_SAMPLES),
    )
    kinds += ((b"meta", box(b"mebx", bytes(6), b"\0\1", box(b"keys", CANARY)), PLACE_SAMPLES),)

    def moov(first: int) -> bytes:
        tracks, at = [], first + len(CANARY)  # a camera's own words before the first sample
        for kind, entry, samples in kinds:
            tracks.append(track(kind, entry, samples, at, seconds, turned))
            at += sum(map(len, samples))
        head = full(b"mvhd", struct.pack(">IIII", WHEN, WHEN, 100, seconds * 100), bytes(76), struct.pack(">I", 4))
        return box(b"moov", head, *tracks, UDTA, _apple_place(), UUID, box(b"free", CANARY), extra)

    data = box(b"mdat", CANARY, *(sample for _, _, samples in kinds for sample in samples), CANARY)
    end = box(b"free", CANARY) + box(b"skip", CANARY) + UDTA
    if at_end:
        return start + data + moov(first) + end
    return start + moov(len(start) + len(moov(0)) + 8) + data + end


INSIDE = {
    b"moov": 0,
    b"trak": 0,
    b"mdia": 0,
    b"minf": 0,
    b"dinf": 0,
    b"stbl": 0,
    b"edts": 0,
    b"stsd": 8,
    b"avc1": 78,
    b"mp4a": 28,
}
NEEDED = {b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"vmhd", b"smhd", b"dref", b"elst", b"avcC", b"esds", b"colr"}
NEEDED |= {b"stts", b"stsc", b"stsz", b"stco", b"co64", b"ctts", b"stss"}


def walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, bytes]]:
    """All boxes with what is in them, those inside others too."""
    end = len(data) if end is None else end
    while start < end:
        size, kind = struct.unpack_from(">I4s", data, start)
        assert 8 <= size <= end - start, (kind, size)
        yield kind, data[start + 8 : start + size]
        if kind in INSIDE:
            yield from walk(data, start + 8 + INSIDE[kind], start + size)
        start += size


def strange_parts(data: bytes) -> list[str]:
    """All that an MP4 holds besides what is needed to play it; written without a look at what makes ours."""
    strange = []
    for kind, body in walk(data):
        if kind in (b"mvhd", b"tkhd", b"mdhd") and any(body[4:12]):
            strange.append(f"{kind!r} tells when")
        if kind == b"hdlr" and any(body[12:]):
            strange.append("hdlr has a name")
        if kind == b"avc1" and (any(body[8:24]) or any(body[42:74])):
            strange.append("avc1 names its maker")
        if kind == b"colr" and body[:4] == b"prof":
            strange.append("a profile")
        if kind == b"free" and any(body):
            strange.append("something in free")
        if kind not in {*INSIDE, *NEEDED, b"ftyp", b"mdat", b"free"}:
            strange.append(f"{kind!r}")
    return strange

"""Photos that say where they were made, in every place that a photo has for it."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

CANARY = b"CANARY-39.9042N-116.4074E"
TEXT = CANARY.decode()
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF exif:GPSLatitude="' + CANARY + b'"/></x:xmpmeta>'


def picture(size: tuple[int, int] = (48, 32), mode: str = "RGB") -> Image.Image:
    """Red above, blue below: one sees which way is up."""
    made = Image.new("RGB", size, "red")
    made.paste("blue", (0, size[1] // 2, *size))
    return made.convert(mode)


def exif(orientation: int = 1) -> bytes:
    made = Image.Exif()
    made[0x010F] = made[0x010E] = TEXT
    made[0x0112] = orientation
    made.get_ifd(0x8825).update({1: "N", 2: (39.0, 54.0, 15.0), 3: "E", 4: (116.0, 24.0, 26.0), 29: TEXT})
    return made.tobytes()


def encoded(kind: str, made: Image.Image | None = None, **options: Any) -> bytes:
    file = BytesIO()
    (made or picture()).save(file, kind, **options)
    return file.getvalue()


def _with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    inserted = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return jpeg[:2] + inserted + jpeg[2:]


def _iptc() -> bytes:
    record = b"\x1c\x02\x5a" + struct.pack(">H", len(CANARY)) + CANARY  # the city
    padded = record + b"\0" * (len(record) % 2)
    return b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + padded


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png() -> bytes:
    texts = PngInfo()
    texts.add_text("Comment", TEXT)
    texts.add_text("Location", TEXT, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    made = encoded("PNG", pnginfo=texts, exif=exif(), icc_profile=ICC)
    return made[:-12] + _chunk(b"gpsX", CANARY) + made[-12:] + CANARY


def _gif() -> bytes:
    made = encoded("GIF", comment=CANARY, save_all=True, append_images=[picture().rotate(180)])
    application = b"\x21\xff\x0bXMP DataXMP" + bytes([len(CANARY)]) + CANARY + b"\0"
    return made[:-1] + application + made[-1:] + CANARY


def _webp() -> bytes:
    return encoded("WEBP", exif=exif(), xmp=XMP, icc_profile=ICC)


def samples() -> dict[str, bytes]:
    plain = encoded("JPEG")
    jpegs = {
        "EXIF with GPS": (0xE1, exif()),
        "XMP": (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        "IPTC": (0xED, _iptc()),
        "a comment": (0xFE, b"<script>" + CANARY + b"</script>"),
        "a maker's own": (0xE4, b"MAKER\0" + CANARY),
        "JFIF extension": (0xE0, b"JFXX\0\x13" + CANARY),
    }
    everything = _with_segments(plain, *jpegs.values(), (0xE2, b"ICC_PROFILE\0\x01\x01" + ICC))
    return {
        **{f"JPEG with {name}": _with_segments(plain, segment) for name, segment in jpegs.items()},
        "JPEG with all of it and a film behind": everything + b"\0\0\0\x20ftypmp42" + CANARY,
        "PNG": _png(),
        "WebP": _webp(),
        "GIF": _gif(),
    }


def strange_parts(jpeg: bytes) -> list[str]:
    """All that a JPEG holds besides what is needed to draw it; written without a look at what makes ours."""
    strange = [] if jpeg[:2] == b"\xff\xd8" else ["no JPEG"]
    at = 2
    while not strange and at < len(jpeg):
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at] != 0xFF:
            strange.append(f"no marker at {at}")
        elif marker == 0xD9:
            if at + 2 != len(jpeg):
                strange.append(f"{len(jpeg) - at - 2} bytes behind the end")
            break
        elif marker == 0xE0:
            if jpeg[at + 4 : at + 9] != b"JFIF\0" or length != 16:
                strange.append("APP0")
        elif marker not in (0xDB, 0xC0, 0xC2, 0xC4, 0xDA, 0xDD):
            strange.append(f"segment {marker:x}")
        at += 2 + length
        if marker == 0xDA:  # then come the pixels, in which FF is followed by 00 or a restart
            while jpeg[at] != 0xFF or jpeg[at + 1] == 0 or 0xD0 <= jpeg[at + 1] <= 0xD7:
                at += 1
    return strange

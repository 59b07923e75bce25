"""A photo's derivatives: made from its pixels alone, upright, in sRGB.  Runs in the decoder's process."""

import os
from io import BytesIO
from typing import BinaryIO, TypedDict

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from bot.moments.media import blurhash
from bot.moments.media.limits import PHOTO_PIXELS
from bot.moments.media.refusals import Untakable

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
ORIENTATION = 0x0112
TRANSPOSE = Image.Transpose
UPRIGHT = {
    2: (TRANSPOSE.FLIP_LEFT_RIGHT,),
    3: (TRANSPOSE.ROTATE_180,),
    4: (TRANSPOSE.FLIP_TOP_BOTTOM,),
    5: (TRANSPOSE.TRANSPOSE,),
    6: (TRANSPOSE.ROTATE_270,),
    7: (TRANSPOSE.TRANSVERSE,),
    8: (TRANSPOSE.ROTATE_90,),
}
TURNS = ((), (TRANSPOSE.ROTATE_270,), (TRANSPOSE.ROTATE_180,), (TRANSPOSE.ROTATE_90,))  # clockwise

FULL, FULL_SHORT, FULL_LONG = 2048, 1080, 8192  # px: long pictures (screenshots) stay wide enough to read
FEED = 1080
FEED_RATIO = 2.0  # a longer side is cut off in the feed
THUMB = 360
QUALITY = {"thumb": 78, "feed": 82, "full": 86}


class Photo(TypedDict):
    """Of the full view, upright."""

    width: int
    height: int
    blurhash: str


def take_apart(source: BinaryIO, outputs: list[int], turns: int = 0) -> Photo:
    """Write JPEGs for thumbnail, feed and full view to three open files.

    Raises:
        Untakable: type, photo_pixels or broken.
    """
    Image.MAX_IMAGE_PIXELS = None  # ours is stricter, and says so in its own words
    try:
        picture = Image.open(source, formats=FORMATS)
    except UnidentifiedImageError:
        raise Untakable("type") from None
    except (OSError, ValueError, SyntaxError):
        raise Untakable("broken") from None
    if picture.width * picture.height > PHOTO_PIXELS:
        raise Untakable("photo_pixels")
    try:
        full = _clean(picture, turns)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - decoders raise whatever they like over a file that is not as it should be
        raise Untakable("broken") from None
    parts = {
        "thumb": _fitted(ImageOps.fit(full, (min(full.size),) * 2), THUMB),
        "feed": _fitted(_cut(full), FEED),
        "full": full,
    }
    for (name, part), output in zip(parts.items(), outputs, strict=True):
        with os.fdopen(output, "wb") as file:
            part.save(file, "JPEG", quality=QUALITY[name], optimize=True, progressive=name != "thumb")
    return {"width": full.width, "height": full.height, "blurhash": blurhash.encode(full)}


def _clean(picture: Image.Image, turns: int) -> Image.Image:
    """The first frame's pixels on a fresh canvas, in the size of the full view."""
    profile = picture.info.get("icc_profile")
    turned = (*UPRIGHT.get(_orientation(picture), ()), *TURNS[turns % 4])
    small = _shrunk(picture, _full_size(*picture.size))
    if small.mode == "RGBA":
        flat = Image.new("RGB", small.size, "white")
        flat.paste(small, mask=small.getchannel("A"))
        small = flat
    small = _in_srgb(small, profile)
    for way in turned:
        small = small.transpose(way)
    clean = Image.new("RGB", small.size)
    clean.paste(small)  # which leaves behind all that the file said besides
    return clean


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - EXIF that cannot be read says nothing
        return 1


def _full_size(width: int, height: int) -> tuple[int, int]:
    short, long = sorted((width, height))
    scale = min(1.0, max(FULL / long, min(FULL_SHORT / short, FULL_LONG / long)))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shrunk(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """In a mode that can be made smaller, made smaller band by band: a copy of 50 million pixels would not fit."""
    picture.draft(None, size)  # a JPEG is decoded no larger than needed
    picture.load()
    mode = _mode(picture)
    factor = max(1, min(picture.width // size[0], picture.height // size[1]) // 2)
    if factor > 1 or picture.mode != mode:
        band = factor * max(1, 1024 // factor)
        small = Image.new(mode, (-(-picture.width // factor), -(-picture.height // factor)))
        for top in range(0, picture.height, band):
            piece = picture.crop((0, top, picture.width, min(top + band, picture.height)))
            small.paste(_converted(piece, mode).reduce(factor), (0, top // factor))
        picture.close()
        picture = small
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)


def _mode(picture: Image.Image) -> str:
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or (picture.mode == "P" and "transparency" in picture.info):
        return "RGBA"
    if picture.mode in ("1", "L") or picture.mode.startswith(("I", "F")):
        return "L"
    return picture.mode if picture.mode in ("RGB", "CMYK") else "RGB"


def _converted(piece: Image.Image, mode: str) -> Image.Image:
    if piece.mode.startswith("I"):  # 16 bits a pixel
        return piece.convert("I").point(lambda value: value / 256).convert("L")
    return piece if piece.mode == mode else piece.convert(mode)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            theirs = ImageCms.ImageCmsProfile(BytesIO(profile))
            ours = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, theirs, ours, outputMode="RGB")
            assert converted is not None
            return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile that does not fit: as if there were none
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _cut(picture: Image.Image) -> Image.Image:
    """At most twice as long as wide, or as wide as long: its middle, or of a high one its top."""
    width, height = picture.size
    if width > height * FEED_RATIO:
        return ImageOps.fit(picture, (round(height * FEED_RATIO), height))
    if height > width * FEED_RATIO:
        return picture.crop((0, 0, width, round(width * FEED_RATIO)))
    return picture


def _fitted(picture: Image.Image, width: int) -> Image.Image:
    if picture.width <= width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)

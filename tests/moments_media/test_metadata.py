"""P19: nothing of where and with what it was made is in what we keep, whichever way it came (issue 6, 3)."""

import mmap
import struct
import tempfile
from contextlib import closing
from io import BytesIO

import pytest
from PIL import Image

from bot.database import transaction
from bot.moments.media import sei, uploads
from bot.moments.media.boxes import Box, Copy
from bot.settings import settings
from models import MediaUse
from tests.moments_media import films, photos
from tests.moments_media.conftest import once
from tests.moments_media.photos import CANARY, encoded, picture

PHOTOS = photos.samples()


def kept() -> list[bytes]:
    """All files of the install and its database, whatever they are."""
    return [path.read_bytes() for path in settings().data_dir.parent.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", PHOTOS)
@once
def test_of_a_photo_only_the_pixels_stay(upload, parts, name):
    assert CANARY in PHOTOS[name]  # the control: the search finds it in what came

    made = parts(upload(PHOTOS[name]))

    assert set(made) == {"thumb", "feed", "full"}
    assert {part: photos.strange_parts(jpeg) for part, jpeg in made.items()} == {"thumb": [], "feed": [], "full": []}
    assert not any(CANARY in content for content in kept())


@once
def test_an_avatar_a_cover_and_a_turned_photo_go_the_same_way(upload, parts):
    for number, use in enumerate((MediaUse.AVATAR, MediaUse.COVER)):
        media = upload(PHOTOS["JPEG with all of it and a film behind"], turns=number)
        with transaction() as session:
            uploads.show(session, 1, media.id, use)
        assert [photos.strange_parts(jpeg) for jpeg in parts(media).values()] == [[], [], []]
    assert not any(CANARY in content for content in kept())


def test_the_search_finds_what_is_left_in_a_photo():
    """The control: opened and saved, as one would do without thinking, the comment stays."""
    sample = PHOTOS["JPEG with a comment"]
    saved = encoded("JPEG", Image.open(BytesIO(sample)))
    assert CANARY in saved
    assert photos.strange_parts(saved) == ["segment fe"]
    found = {name: photos.strange_parts(jpeg) for name, jpeg in PHOTOS.items() if name.startswith("JPEG")}
    assert all(found.values()), found
    assert photos.strange_parts(encoded("JPEG")) == []
    assert photos.strange_parts(encoded("JPEG", picture((300, 200)), progressive=True) + b"x") == [
        "1 bytes behind the end"
    ]


@pytest.mark.parametrize(("brand", "at_end"), [(b"qt  ", True), (b"isom", False), (b"XAVC", True)])
@once
def test_of_a_video_only_what_plays_stays(upload, parts, brand, at_end):
    sample = films.film(brand, at_end=at_end)
    assert CANARY in sample

    made = parts(upload(sample))["video"]

    assert films.strange_parts(made) == []
    assert not any(CANARY in content for content in kept())
    assert CANARY[:4] not in made  # nor a piece of it, as in the list of brands
    assert made[8:12] == (b"qt  " if brand == b"qt  " else b"isom")
    # The rest is at its place: what plays does so as before.
    assert len(made) == len(sample)
    for sound_or_picture in films.PICTURE_SAMPLES + films.SOUND_SAMPLES:
        assert made.find(sound_or_picture) == sample.find(sound_or_picture) > 0
    for table in (b"stco", b"stsz", b"stsc", b"stts", b"elst", b"avcC", b"esds"):
        assert [body for kind, body in films.walk(made) if kind == table] == [
            body for kind, body in films.walk(sample) if kind == table
        ][: 1 if table in (b"avcC", b"esds") else 2]


@pytest.mark.parametrize("length", [3, 4, 200, 256, 257, 258, 259, 600])
@pytest.mark.parametrize(("coding", "heading"), [(b"avc1", b"\x06"), (b"hvc1", b"\x4e\x01")])
def test_what_a_camera_says_between_the_pictures_becomes_filler_of_the_same_length(length, coding, heading):
    settings = {b"avc1": films.box(b"avcC", bytes(4) + b"\xff"), b"hvc1": films.box(b"hvcC", bytes(21) + b"\xff")}
    entry = films.box(coding, bytes(78), settings[coding])
    drawn = struct.pack(">I", 5) + b"\x41\x01\x02\x03\x04"
    said = struct.pack(">I", len(heading) + length) + heading + b"s" * length
    with mmap.mmap(-1, len(entry + drawn + said + drawn)) as data, tempfile.TemporaryFile() as output:
        data[:] = entry + drawn + said + drawn
        with closing(Copy(data, output.fileno())) as copy:
            copy.keep(0, len(data))
            sei.silence(copy, Box(coding, 0, 8, len(entry)), 78, len(entry), len(data))
        made = output.read()
    assert made[: len(entry + drawn)] + made[-len(drawn) :] == entry + drawn + drawn
    message = made[len(entry + drawn) + 4 + len(heading) : -len(drawn)]
    while message != b"\x80":
        assert message[0] == sei.FILLER
        assert set(message[2 : 2 + message[1]]) <= {0xFF}
        message = message[2 + message[1] :]


def test_what_an_encoder_says_in_the_settings_of_h265_goes_too():
    said, drawn = b"\x4e\x01\x05\x10" + CANARY + b"\x80", b"\x40\x01drawn with this"
    arrays = [bytes([kind, 0, 1]) + struct.pack(">H", len(unit)) + unit for kind, unit in ((32, drawn), (39, said))]
    box = films.box(b"hvcC", bytes(22), b"\2", *arrays)
    with mmap.mmap(-1, len(box)) as data, tempfile.TemporaryFile() as output:
        data[:] = box
        with closing(Copy(data, output.fileno())) as copy:
            sei.silence_settings(copy, Box(b"hvcC", 0, 8, len(box)))
        made = output.read()
    assert len(made) == len(box)
    assert drawn in made
    assert CANARY not in made


def test_the_search_finds_what_is_left_in_a_video():
    """The control: of a film as it came it names every place."""
    found = set(films.strange_parts(films.film()))
    places = {"b'udta'", "b'meta'", "b'uuid'", "b'GPRO'", "b'skip'", "b'mebx'", "b'sgpd'", "b'tref'", "b'mkr '"}
    assert places < found
    assert {"hdlr has a name", "avc1 names its maker", "a profile", "something in free", "b'mvhd' tells when"} < found

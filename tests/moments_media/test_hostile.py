"""T39, T40: files made to break a decoder cost little, and leave the process that took them as it was."""

import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from io import BytesIO
from pathlib import Path

import pytest

from bot.database import reading
from bot.errors import Refused
from bot.moments.media import files, sandbox, serving, upkeep, uploads
from bot.moments.media.limits import MB, PHOTO_BYTES, Cost
from bot.moments.media.refusals import SENTENCES, Untakable
from models import Media, MediaState
from tests.moments_media import films
from tests.moments_media.conftest import once
from tests.moments_media.photos import encoded, picture


def png(width: int, height: int, data: bytes, bits: int = 1) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(MB)) for _ in range(count // MB)) + packer.flush()


def box_at(film: bytes, kind: bytes, change: bytes, skip: int = 4) -> bytes:
    """The film with other bytes so far behind a box's name."""
    at = film.index(kind) + skip
    return film[:at] + change + film[at + len(change) :]


WIDE = b",\0\0\0\0\xff\xff\xff\xff\0\x08\x01\0\0;"
PHOTO, FILM = encoded("JPEG", picture((400, 300))), films.film()
HOSTILE = {
    "50,000 by 50,000 in a few kB": (png(50_000, 50_000, zeros(4 * MB)), "photo_pixels"),
    "13,000 by 13,000 of one bit": (png(13_000, 13_000, zeros(21 * MB)), "photo_pixels"),
    "a GIF as wide as it can say": (b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + WIDE, "photo_pixels"),
    "half a JPEG": (PHOTO[: len(PHOTO) // 2], "broken"),
    "half a PNG": (encoded("PNG", picture((400, 300)))[:300], "broken"),
    "a PNG's first eight bytes": (b"\x89PNG\r\n\x1a\n", "type"),
    "a drawing": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "type"),
    "a page": (b"<!doctype html><script>alert(1)</script>", "type"),
    "a picture format we did not ask for": (encoded("TIFF"), "type"),
    "PostScript that calls itself a JPEG": (b"\xff\xd8\xff%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "type"),
    "a HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
    "nothing": (b"", "empty"),
    "21 MB": (PHOTO + bytes(PHOTO_BYTES), "photo_bytes"),
    "half a film": (FILM[: len(FILM) // 2], "broken"),
    "a film without tables": (films.box(b"ftyp", b"isom", bytes(4)) + films.box(b"mdat", bytes(99)), "broken"),
    "a film in pieces": (FILM + films.box(b"moof", bytes(8)), "fragmented"),
    "a film with its tables in pieces": (films.film(extra=films.box(b"mvex")), "fragmented"),
    "a film with words behind it": (FILM + b"SEFT and some more", "broken"),
    "a box larger than the one around it": (box_at(FILM, b"mvhd", b"\0\0\xff\xff", -4), "broken"),
    "a box that is no bigger than nothing": (box_at(FILM, b"mvhd", bytes(4), -4), "broken"),
    "more samples than there are": (box_at(FILM, b"stsz", b"\xff\xff\xff\xff", 12), "broken"),
    "samples in what we leave out": (box_at(FILM, b"stco", struct.pack(">I", FILM.index(b"udta")), 12), "broken"),
    "samples behind the end": (box_at(FILM, b"stco", b"\x7f\xff\xff\xff", 12), "broken"),
    "samples in another file": (box_at(FILM, b"alis", bytes(4)), "broken"),
    "a picture longer than all of them": (FILM.replace(films.PICTURE_SAMPLES[5][:4], b"\0\0\xff\xff"), "broken"),
    "six minutes": (films.film(seconds=360), "video_length"),
    "a film for the cutting room": (films.film(picture=b"apch"), "codec"),
    "a film whose sound nothing plays": (films.film(sound=b"sowt"), "codec"),
}


IN_FULL = ("50,000 by 50,000 in a few kB", "half a JPEG", "a film in pieces", "21 MB")


@pytest.mark.parametrize("name", IN_FULL)
@once
def test_a_hostile_file_is_refused_in_words_and_nothing_is_left_of_it(upload, name):
    content, code = HOSTILE[name]
    with pytest.raises(Refused) as refusal:
        upload(content)
    assert str(refusal.value) == SENTENCES[code]
    assert left_over() == []


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - set(IN_FULL)))
def test_a_hostile_file_is_refused(take_apart, name):
    content, code = HOSTILE[name]
    with pytest.raises((Refused, Untakable)) as refusal:
        take_apart(content)
    assert str(refusal.value) in (code, SENTENCES[code])


def test_of_a_gif_without_an_end_the_first_picture_is_taken(take_apart):
    assert take_apart(encoded("GIF")[:-1] + b"\x21\xfe" + b"\xffx" * 9999)[0]["width"] == 48


def left_over() -> list[Path]:
    return [path for path in files.folder().rglob("*") if path.is_file()]


def test_the_name_and_the_end_of_a_file_say_nothing(take_apart):
    """A photo that is a page and an archive as well: only its pixels are shown."""
    both = PHOTO[:2] + b"\xff\xfe\0\x1c<script>alert(1)</script>" + PHOTO[2:] + b"PK\3\4<html>"
    assert not any(b"script" in made or b"html" in made for made in take_apart(both)[1].values())


def decode(content: bytes, cost: Cost) -> sandbox.Said:
    with tempfile.TemporaryFile() as source:
        source.write(content)
        source.flush()
        outputs = [os.open(os.devnull, os.O_WRONLY) for _ in range(3)]
        try:
            return sandbox.take_apart("photo", source.fileno(), outputs, cost)
        finally:
            for output in outputs:
                os.close(output)


LARGE = png(9000, 5000, zeros(45 * MB), bits=8)  # 45 MB once it is decoded, some 45 kB before


@pytest.mark.parametrize("cost", [Cost(memory=96 * MB), Cost(seconds=0.0)])
def test_a_decoder_that_needs_too_much_is_ended_and_its_parent_lives(cost):
    """The control is last: the same file within the usual limits."""
    with pytest.raises(Untakable, match="too_hard"):
        decode(LARGE, cost)
    assert decode(LARGE, Cost()).width == 2048


def test_the_decoder_has_the_limits_it_was_given():
    names = ("AS", "CPU", "FSIZE", "CORE", "NPROC")
    script = "import resource; from bot.moments.media.decoder import confine; confine(500 << 20, 7, 9, False);"
    script += f"print([resource.getrlimit(getattr(resource, 'RLIMIT_' + name)) for name in {names}])"
    ended = subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": sandbox.ROOT}, capture_output=True)
    assert ended.stdout.decode().strip() == str([(500 * MB,) * 2, (7, 7), (9, 9), (0, 0), (0, 0)])


def test_who_takes_an_upload_decodes_nothing():
    """G11: the web process's memory does not depend on what a file says it is."""
    for module in (uploads, files, sandbox, serving, upkeep):
        source = Path(module.__file__).read_text()
        assert not re.search(r"import .*\b(PIL|photos|videos|boxes|mmap)\b|from PIL", source), module.__name__


def test_the_decoder_is_given_nothing_of_ours(tmp_path, monkeypatch):
    """Its environment has no key; a file of ours that stands where it starts is not imported."""
    monkeypatch.setenv("LOBBY_SECRET_KEY", "s" * 40)
    (tmp_path / "PIL.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    assert decode(PHOTO, Cost()).width == 400


@once
def test_a_stream_that_breaks_off_leaves_nothing(upload, database_url):
    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 16:
                raise ConnectionResetError
            return super().read(min(size or 99, 99))

    with pytest.raises(ConnectionResetError):
        uploads.take(1, Broken(PHOTO))
    with reading() as session:
        [row] = session.query(Media)
    assert row.state is MediaState.REFUSED
    assert left_over() == []

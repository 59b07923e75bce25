"""From the request to the file and back to nothing: limits, posts, erasure, and a process that dies in between."""

import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.database import reading, transaction
from bot.errors import Conflict, NotFound, Refused
from bot.moments.media import files, serving, upkeep, uploads
from bot.moments.media.limits import DRAFTS_KEPT, UNDO, UNFINISHED_KEPT
from models import Media, MediaKind, MediaState, MediaUse
from tests import processes
from tests.moments_media.films import film
from tests.moments_media.photos import encoded

PHOTO = encoded("JPEG")


@pytest.fixture
def wait(tmp_path):
    """So much later."""

    def wait(span: timedelta) -> None:
        path = tmp_path / "clock"
        before = float(path.read_text()) if path.exists() else 0.0
        path.write_text(str(before + span.total_seconds()))

    return wait


def add(session, key: str = "", **values) -> Media:
    """A photo that is ready, without decoding one."""
    media = Media(owner_id=1, kind=MediaKind.PHOTO, key=key or files.new_key(), width=4, height=3)
    for name, value in ({"state": MediaState.READY} | values).items():
        setattr(media, name, value)
    session.add(media)
    session.commit()
    with files.written(media.key, uploads.PHOTO):
        pass
    return media


def left() -> set[str]:
    return {path.name[:32] for path in files.folder().rglob("*") if path.is_file()}


def rows() -> list[Media]:
    with reading() as session:
        return list(session.scalars(select(Media).order_by(Media.id)))


@pytest.mark.databases
def test_an_upload_becomes_a_row_that_says_what_a_page_needs_before_it_loads(upload):
    photo, video = upload(PHOTO), upload(film(turned=True))
    assert (photo.kind, photo.state, photo.width, photo.height) == (MediaKind.PHOTO, MediaState.READY, 48, 32)
    assert len(photo.blurhash) == 28
    assert photo.size_bytes == files.size(photo.key) > 0
    assert (video.kind, video.width, video.height, video.duration_ms) == (MediaKind.VIDEO, 360, 640, 12_000)
    assert rows()[0].key == photo.key


@pytest.mark.databases
def test_an_hour_allows_so_many_and_what_was_refused_counts(session, upload, wait):
    add(session)
    with pytest.raises(Refused, match="damaged"):
        upload(PHOTO[:300], an_hour=2)
    with pytest.raises(uploads.TooMany):
        upload(PHOTO, an_hour=2)
    wait(UNFINISHED_KEPT)
    assert upload(PHOTO, an_hour=2)
    assert len(rows()) == 3


@pytest.mark.databases
def test_many_at_once_get_no_further(database_url):
    """Without the lock two of them read the same count (tried on PostgreSQL)."""
    begun: list[bool] = []

    def begin() -> None:
        try:
            begun.append(bool(uploads._begin(2**52, MediaKind.PHOTO, 3)))
        except uploads.TooMany:
            begun.append(False)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(begun) == [False] * 5 + [True] * 3


def test_uploads_leave_threads_for_others(upload):
    """However slowly four of them send, the fifth is told to come again instead of holding one more thread."""
    arrived, go_on = threading.Semaphore(0), threading.Event()

    class Slow(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            arrived.release()
            assert go_on.wait(60)
            return super().read(size)

    threads = [threading.Thread(target=uploads.take, args=(1, Slow(PHOTO))) for _ in range(uploads.AT_ONCE)]
    for thread in threads:
        thread.start()
        assert arrived.acquire(timeout=60)
    with pytest.raises(uploads.TooBusy):
        upload(PHOTO)
    go_on.set()
    for thread in threads:
        thread.join()
    assert upload(PHOTO)


@pytest.mark.databases
def test_a_post_takes_nine_photos_or_one_video_once_and_its_owners_only(session):
    ten = [add(session) for _ in range(10)]
    video, other = add(session, kind=MediaKind.VIDEO), add(session, owner_id=2)
    ids = [media.id for media in ten]
    for wrong in (ids, [ids[0], video.id]):
        with pytest.raises(Refused, match="up to 9 photos"):
            uploads.attach(session, 1, 7, wrong)
    with pytest.raises(Conflict):
        uploads.attach(session, 1, 7, [other.id])
    session.rollback()

    uploads.attach(session, 1, 7, ids[8::-1])
    session.commit()

    shown = [media for media in sorted(rows(), key=lambda one: one.position) if media.post_id == 7]
    assert [media.id for media in shown] == ids[8::-1]
    with pytest.raises(Conflict):
        uploads.attach(session, 1, 8, [ids[0]])
    session.rollback()
    uploads.attach(session, 1, 8, [video.id])
    uploads.describe(session, 1, video.id, " 海边 ")
    with pytest.raises(NotFound):
        uploads.describe(session, 2, video.id, "not mine")
    session.commit()
    assert {media.alt for media in rows() if media.post_id == 8} == {"海边"}


@pytest.mark.databases
def test_a_photo_becomes_an_avatar_once_and_a_video_never(session):
    media = add(session)
    uploads.show(session, 1, media.id, MediaUse.AVATAR)
    session.commit()
    with pytest.raises(Conflict):
        uploads.show(session, 1, media.id, MediaUse.COVER)
    with pytest.raises(Refused, match="not a video"):
        uploads.show(session, 1, add(session, kind=MediaKind.VIDEO).id, MediaUse.COVER)


@pytest.mark.databases
def test_what_is_erased_is_unreadable_at_once_and_its_bytes_go_within_the_hour(session, wait):
    gone, stays = add(session, use=MediaUse.POST, post_id=7), add(session, use=MediaUse.POST, post_id=8)
    with transaction() as change:
        uploads.erase(change, Media.post_id == 7)
    with pytest.raises(NotFound):
        serving.open_derivative(rows()[0], "full")
    serving.open_derivative(rows()[1], "full").close()
    upkeep.tidy()
    assert left() == {gone.key, stays.key}

    with transaction() as change:
        assert uploads.bring_back(change, Media.post_id == 7) == 1
        uploads.erase(change, Media.post_id == 7)
    wait(UNDO + timedelta(seconds=1))
    with transaction() as change:
        assert uploads.bring_back(change, Media.post_id == 7) == 0
    upkeep.tidy()

    assert left() == {stays.key}
    assert len(rows()) == 2  # it counts for its owner's hour
    wait(UNFINISHED_KEPT)
    upkeep.tidy()
    assert [media.key for media in rows()] == [stays.key]


@pytest.mark.databases
def test_what_no_post_took_goes_after_some_days_and_what_is_left_over_at_once(session, wait):
    draft, posted = add(session), add(session, use=MediaUse.POST, post_id=7)
    stray = files.new_key()
    with files.written(stray, uploads.VIDEO):
        pass
    upkeep._remove_strays(0, 1)  # all folders in one turn
    assert left() == {draft.key, posted.key}

    wait(DRAFTS_KEPT + timedelta(seconds=1))
    upkeep.tidy()
    wait(UNDO + timedelta(seconds=1))
    upkeep.tidy()
    assert left() == {posted.key}
    assert [media.key for media in rows()] == [posted.key]


def lay(count: int) -> None:
    """Files without rows, in as many folders as there are."""
    for number in range(count):
        path = files.path(f"{number % 256:02x}{number:030x}", "full")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_with_another_database_no_photo_is_lost(session):
    lay(upkeep.MANY + 1)
    upkeep._remove_strays(0, 1)
    assert len(left()) == upkeep.MANY + 1
    for _ in range(upkeep.MANY + 1):
        add(session)
    upkeep._remove_strays(0, 1)
    assert len(left()) == upkeep.MANY + 1


def test_every_folder_gets_its_turn(database_url):
    lay(256)
    upkeep._remove_strays(1)
    assert len(left()) == 240
    for turn in range(upkeep.SLICES):
        upkeep._remove_strays(turn + 7)
    assert left() == set()


def take(path: str) -> None:
    uploads.take(1, BytesIO(Path(path).read_bytes()))


@pytest.mark.databases
def test_k21_whoever_dies_between_the_file_and_its_row_leaves_nothing_to_read(
    database_url, tmp_path, monkeypatch, wait
):
    (tmp_path / "photo").write_bytes(PHOTO)
    monkeypatch.setenv("LOBBY_TEST_KILL_AT", "K21 after file write before row")
    process = processes.start(take, str(tmp_path / "photo"))
    monkeypatch.delenv("LOBBY_TEST_KILL_AT")
    process.join(30)
    assert process.exitcode == -signal.SIGKILL

    [row] = rows()
    assert (row.state, left()) == (MediaState.TAKEN, {row.key})
    with pytest.raises(NotFound):
        serving.open_derivative(row, "full")
    upkeep.tidy()
    assert left() == {row.key}  # it might still be at work
    for span in (UNFINISHED_KEPT, UNDO):
        wait(span + timedelta(seconds=1))
        upkeep.tidy()
    assert (rows(), left()) == ([], set())


class Meanwhile(BytesIO):
    """A photo that comes byte by byte; something happens before its last."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__(PHOTO)
        self.act = act

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() == len(PHOTO) - 1:
            self.act()
        return super().read(1)


def test_what_was_given_up_or_erased_while_it_arrived_does_not_come_back(database_url, wait):
    def give_up() -> None:
        wait(UNFINISHED_KEPT + timedelta(seconds=1))
        upkeep.tidy()

    def erase() -> None:
        with transaction() as session:
            uploads.erase(session, Media.owner_id == 1)

    for act in (give_up, erase):
        with pytest.raises(Conflict):
            uploads.take(1, Meanwhile(act))
    assert left() == set()
    assert {media.state for media in rows()} == {MediaState.ERASED}
    with transaction() as session:
        assert uploads.bring_back(session, Media.owner_id == 1) == 0


def test_with_an_ffmpeg_a_video_has_a_poster(upload, parts, tmp_path, monkeypatch):
    """A stand-in for the program: it must get the film without its places, and say its frame to the pipe."""
    program = tmp_path / "ffmpeg"
    frame = tmp_path / "frame.png"
    frame.write_bytes(encoded("PNG"))
    program.write_text(
        f'#!/bin/sh\nfor last; do :; done\n! grep -q CANARY /dev/fd/0 && cat {frame} >"/dev/fd/${{last#pipe:}}"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    media = upload(film())

    assert media.has_poster
    assert set(parts(media)) == {"thumb", "feed", "full", "video"}
    assert (media.width, media.height, len(media.blurhash)) == (640, 360, 28)
    program.write_text("#!/bin/sh\nexit 1\n")
    assert not upload(film()).has_poster

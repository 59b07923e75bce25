"""P19 through the door: of whatever a member uploads, nothing of where it was made is in what is given out."""

import pytest

from bot.settings import settings
from tests.moments.test_media import send
from tests.moments_media import films, photos
from tests.moments_media.photos import CANARY

PHOTOS = photos.samples()


def parts(who, media: dict) -> dict[str, bytes]:
    """All that the API gives out of an upload."""
    paths = {name: media[name] for name in ("thumb", "feed", "full", "video") if media[name]}
    answers = {name: who.get(path.removeprefix("/moments/api/v1")) for name, path in paths.items()}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {name: answer.data for name, answer in answers.items()}


def kept() -> list[bytes]:
    """All files of the install and its database, whatever they are."""
    return [path.read_bytes() for path in settings().data_dir.parent.rglob("*") if path.is_file()]


@pytest.fixture
def ann(join, unlimited):
    return join("ann")


def test_photos_of_posts_tell_nothing(ann, join):
    bob = join("bob", ann)
    for name, sample in PHOTOS.items():
        assert CANARY in sample, name
        media = send(ann, sample).json
        ann.post(name, media=[media["id"]])
        made = parts(bob, media)
        assert {part: photos.strange_parts(jpeg) for part, jpeg in made.items()} == {
            "thumb": [], "feed": [], "full": [],
        }, name  # fmt: skip
        assert not any(CANARY in content for content in made.values()), name
    assert not any(CANARY in content for content in kept())


@pytest.mark.parametrize("use", ["avatar", "cover"])
def test_avatars_and_covers_tell_nothing(ann, join, use):
    eve = join("eve")
    for name, sample in PHOTOS.items():
        media = send(ann, sample, "/media?turns=1").json
        assert ann("PUT", f"/me/{use}", {"media": media["id"]}).status_code == 200
        made = parts(eve, media)
        assert [photos.strange_parts(jpeg) for jpeg in made.values()] == [[], [], []], name
        assert not any(CANARY in content for content in made.values()), name
    assert not any(CANARY in content for content in kept())


@pytest.mark.parametrize(("brand", "at_end"), [(b"qt  ", True), (b"isom", False), (b"XAVC", True)])
def test_videos_tell_nothing(ann, join, brand, at_end):
    bob = join("bob", ann)
    sample = films.film(brand, at_end=at_end)
    assert CANARY in sample
    media = send(ann, sample).json
    ann.post(media=[media["id"]])
    made = parts(bob, media)
    assert films.strange_parts(made["video"]) == []
    assert not any(CANARY in content for content in (*made.values(), *kept()))

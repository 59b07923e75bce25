from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bot import settings
from bot.database import transaction
from bot.moments import addresses, members
from bot.moments.media import files, uploads
from models import Media, MediaKind, MediaState


@pytest.fixture
def advance(tmp_path: Path) -> Callable[[float], None]:
    """Move our clock."""
    moved = 0.0

    def advance(seconds: float) -> None:
        nonlocal moved
        moved += seconds
        draft = tmp_path / "clock.new"
        draft.write_text(str(moved))
        draft.replace(tmp_path / "clock")

    return advance


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBBY_MOMENTS_LIMIT_FACTOR", "100000")
    settings.settings.cache_clear()


def ready(owner_id: int, content: bytes = b"a photo") -> str:
    with transaction() as session:
        media = Media(owner_id=owner_id, key=files.new_key(), kind=MediaKind.PHOTO, state=MediaState.READY, width=4)
        session.add(media)
    for part in uploads.PHOTO:
        path = files.path(media.key, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return addresses.of("media", media.id)


class Browser:
    """One member's own, signed in with their token."""

    def __init__(self, client: FlaskClient, token: str, member_id: int) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}
        self.member_id, self.address = member_id, addresses.of("member", member_id)

    def __call__(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        return self.client.open(f"/moments/api/v1{path}", method=method, json=json, headers=self.headers, **options)

    def get(self, path: str) -> Any:
        return self("GET", path)

    def post(self, body: str = "", **values: Any) -> str:
        answer = self("POST", "/posts", {"body": body, **values})
        assert answer.status_code == 201, answer.data
        return str(answer.json["id"])

    def photo(self, content: bytes = b"a photo") -> str:
        """The address of an upload of theirs that is ready, without decoding one."""
        return ready(self.member_id, content)

    def befriend(self, other: "Browser") -> None:
        assert self("POST", "/requests", {"member": other.address}).status_code == 204
        assert other("POST", f"/requests/{self.address}/accept", {}).status_code == 204


@pytest.fixture
def join(client: FlaskClient) -> Callable[..., Browser]:
    """Make a member: join("ann"), with friends: join("bob", ann)."""

    def join(handle: str, *friends: Browser, scopes: tuple[str, ...] = ("all",)) -> Browser:
        with transaction() as session:
            member = members.add(session, handle, handle.title())
            browser = Browser(client, members.make_token(session, member, "", list(scopes))[1], member.id)
        for friend in friends:
            browser.befriend(friend)
        return browser

    return join

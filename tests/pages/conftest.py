import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.database import reading
from bot.pages import links as door
from bot.services import campaign_contents
from models import Account, Campaign, Channel, Click, Follower, TrackedLink

# A Cubot is a telephone, not a robot.
PHONE = "Mozilla/5.0 (Linux; Android 14; CUBOT NOTE 40) AppleWebKit/537.36 Chrome/130 MicroMessenger/8.0.54"


class Links:
    """A campaign's link, those who got it, and what was counted."""

    def __init__(self, session: Any, client: Any, account: Account, follower: Follower) -> None:
        self.session, self.client, self.account, self.follower = session, client, account, follower
        self.campaign = Campaign(account_id=account.id, name="秋茶", channel=Channel.TEMPLATE)
        session.add(self.campaign)
        session.commit()
        self.link = self.add("https://tea.example/autumn?from=wechat#top", "0123456789ab")

    def add(self, url: str, code: str) -> TrackedLink:
        number = int(code[-2:], 16)
        link = TrackedLink(account_id=self.account.id, campaign_id=self.campaign.id, number=number, code=code, url=url)
        self.session.add(link)
        self.session.commit()
        return link

    def path(self, follower: Follower | None = None) -> str:
        whole = campaign_contents.address_of(self.link.code, follower.id if follower else None)
        return "/l/" + whole.rpartition("/l/")[2]

    def open(self, path: str, agent: str = PHONE, method: str = "GET", client: Any = None, **headers: str) -> Any:
        headers = {name.replace("_", "-"): value for name, value in headers.items()} | {"User-Agent": agent}
        return (client or self.client).open(path, method=method, headers=headers)

    def clicks(self) -> list[tuple[int | None, int]]:
        """follower and times, one for each visitor."""
        with reading() as session:
            return [(click.follower_id, click.times) for click in session.query(Click).order_by(Click.id)]


@pytest.fixture
def links(session, create, client, monkeypatch) -> Links:
    # A slow machine must not make a click late: it is read right after the answer.
    monkeypatch.setattr(door, "PATIENCE", 30)
    account = create.account()
    return Links(session, client, account, create.follower(account))


def soon(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.01)

"""The practice account: wired to the simulator, with samples that answer, and left alone when it is there."""

import pytest
from sqlalchemy import select

from bot import practice, practice_samples
from bot.cli.say import shown
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, menus, rules
from bot.settings import settings
from models import Task

pytestmark = pytest.mark.xdist_group("live")


@pytest.fixture
def prepared(live):
    practice.prepare(settings(), f"{live}/wechat/practice")
    with reading() as session:
        return accounts.get(session, practice.SLUG)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("hello", "Hello!"),
        ("ＨＥＬＬＯ", "Hello!"),
        ("票的價格是多少", "99 yuan"),
        ("order 12345", "looking that order up"),
        ("something else", "I do not know that yet"),
    ],
)
def test_its_samples_answer(prepared, sim, text, answer) -> None:
    done = sim.say(prepared, sim.follower(prepared), text)

    assert answer in done["reply"]["text"]


def test_its_menu_is_published_and_each_key_answers(prepared, sim, work) -> None:
    work()

    with reading() as session:
        menu = menus.get(session, prepared)
    assert menu.published == menu.buttons != []
    openid = sim.follower(prepared)
    for key in ("HOURS", "WHERE"):
        assert sim.happen(prepared, openid, "CLICK", event_key=key)["reply"]


def test_a_new_follower_is_welcomed(prepared, sim) -> None:
    done = sim.happen(prepared, sim.follower(prepared), "subscribe", event_key="")

    assert "Welcome to the lobby" in done["reply"]["text"]


def test_preparing_again_changes_nothing(prepared, live) -> None:
    with reading() as session:
        before = [rule.id for rule in rules.list_all(session, prepared)]

    practice.prepare(settings(), f"{live}/wechat/practice")

    with reading() as session:
        assert [rule.id for rule in rules.list_all(session, prepared)] == before
        assert accounts.get(session, practice.SLUG).sealed_secret == prepared.sealed_secret
        assert len(list(session.scalars(select(Task)))) == 1
    assert len(before) == len(practice_samples.RULES)


def test_without_samples_it_is_empty(live) -> None:
    practice.prepare(settings(), f"{live}/wechat/practice", demo=False)

    with reading() as session:
        account = accounts.get(session, practice.SLUG)
        assert rules.list_all(session, account) == []
        assert menus.get(session, account).buttons == []


def test_a_mode_chosen_in_the_console_is_told_to_the_simulator(prepared, live, sim) -> None:
    with transaction() as session:
        accounts.update(session, accounts.get(session, practice.SLUG), {"mode": "plain"})

    practice.prepare(settings(), f"{live}/wechat/practice")

    assert sim.get("accounts")[0]["mode"] == "plain"
    assert sim.say(prepared, sim.follower(prepared), "hello")["reply"]


def test_a_simulator_that_is_away_is_a_sentence(database_url, monkeypatch) -> None:
    monkeypatch.setenv("LOBBY_WECHAT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(practice, "PATIENCE_SECONDS", 0)
    settings.cache_clear()

    with pytest.raises(Refused, match=r"The simulator does not answer at http://127\.0\.0\.1:1"):
        practice.prepare(settings(), "http://127.0.0.1:2/wechat/practice")


@pytest.mark.parametrize(
    ("item", "line"),
    [
        ({"type": "text", "text": "你好\n再见"}, "你好\n再见"),
        ({"type": "image", "media_id": "m1", "text": ""}, "[image] m1"),
        ({"type": "news", "articles": [{"title": "T", "url": "https://e.example/"}]}, "[news] T https://e.example/"),
        ({"type": "transfer_customer_service", "text": ""}, "[transfer_customer_service]"),
    ],
)
def test_the_command_line_shows_each_kind_in_a_readable_line(item, line) -> None:
    assert shown(item) == line

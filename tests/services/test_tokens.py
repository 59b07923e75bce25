import os
import sqlite3
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot import clock
from bot.database import reading, transaction
from bot.services import tokens, vault
from bot.settings import settings
from bot.wechat.errors import BadConfiguration, NotSent, TokenRefused, WeChatError
from models import AccessToken, Account
from tests.processes import at_once
from tests.services.token_server import TokenServer


@pytest.fixture
def wechat(monkeypatch):
    server = TokenServer()
    monkeypatch.setenv("LOBBY_WECHAT_URL", server.address)
    settings.cache_clear()
    yield server
    server.http.shutdown()
    server.http.server_close()


def stored(account) -> AccessToken:
    with reading() as session:
        return session.scalars(select(AccessToken).where(AccessToken.account_id == account.id)).one()


def change(account, **values) -> None:
    with transaction() as session:
        session.execute(update(AccessToken).where(AccessToken.account_id == account.id).values(**values))


def in_threads(count, act) -> list[object]:
    results: list[object] = []

    def run() -> None:
        try:
            results.append(act())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.databases
def test_is_fetched_once_by_many(create, wechat):
    account = create.account()
    wechat.delay = 0.3

    results = in_threads(12, lambda: tokens.access_token(account.id))

    assert set(results) == {"plain-token-0"}
    assert wechat.fetches == 1


@pytest.mark.databases
def test_without_the_claim_each_of_them_would_fetch(create, wechat, monkeypatch):
    """Negative control of the test above and of T14."""
    account = create.account()
    wechat.delay = 0.3
    monkeypatch.setattr(tokens, "_claim", lambda *_: (account.appid, "s" * 32))

    in_threads(6, lambda: tokens.access_token(account.id))

    assert wechat.fetches > 1


def test_a_stale_token_that_is_no_longer_stored_fetches_nothing(create, wechat):
    account = create.account()
    current = tokens.access_token(account.id)

    assert tokens.access_token(account.id, stale="an older one") == current
    assert wechat.fetches == 1


def test_is_replaced_five_minutes_ahead(create, wechat, tmp_path):
    account = create.account()
    tokens.access_token(account.id)
    wechat.life = 0.0  # the next fetch brings another one

    (tmp_path / "clock").write_text(str(7200 - 301 - 5))
    assert tokens.access_token(account.id) == "plain-token-0"
    (tmp_path / "clock").write_text(str(7200 - 299))
    assert tokens.access_token(account.id) == "plain-token-1"


def test_asking_ahead_and_getting_the_same_one_does_not_ask_each_time(create, wechat):
    account = create.account()
    wechat.told_life = 299  # what WeChat has left of the current one

    for _ in range(50):
        tokens.access_token(account.id)

    assert wechat.fetches == 1


def test_while_wechat_is_away_the_token_we_have_is_used(create, wechat):
    account = create.account()
    tokens.access_token(account.id)
    change(account, expires_at=clock.now() - timedelta(seconds=1))
    wechat.token_error = {"errcode": -1, "errmsg": "system error"}

    assert tokens.access_token(account.id) == "plain-token-0"
    assert tokens.access_token(account.id) == "plain-token-0"
    assert wechat.fetches == 2  # then a pause


def test_a_failed_fetch_is_not_repeated_by_each_who_waited(create, wechat):
    account = create.account()
    wechat.delay, wechat.token_error = 0.2, {"errcode": -1, "errmsg": "system error"}

    results = in_threads(8, lambda: tokens.access_token(account.id))

    assert all(isinstance(result, WeChatError) and result.retry for result in results)
    assert wechat.fetches == 1


def test_a_process_that_died_while_fetching_holds_nobody_up_for_longer_than_its_lease(create, wechat, monkeypatch):
    monkeypatch.setenv("LOBBY_WECHAT_TIMEOUT", "0.5")
    settings.cache_clear()
    account = create.account()
    tokens.access_token(account.id)
    change(account, sealed_token="", refreshing_until=clock.now() + timedelta(seconds=1))

    began = time.monotonic()
    assert tokens.access_token(account.id) == "plain-token-0"
    assert 0.8 < time.monotonic() - began < 4


def test_a_lease_from_before_the_clock_was_put_back_counts_as_ended(create, wechat):
    account = create.account()
    change(account, refreshing_until=clock.now() + timedelta(days=2), blocked_until=clock.now() + timedelta(days=2))

    assert tokens.access_token(account.id) == "plain-token-0"


def test_t13_a_lasting_refusal_costs_two_calls_and_one_refresh_each_then_nothing(create, wechat, tmp_path):
    account = create.account()
    wechat.refuse_all = True

    for request in range(1, 4):
        calls, fetches = wechat.calls, wechat.fetches
        with pytest.raises(TokenRefused):
            tokens.client_for(account).tags()
        assert wechat.calls - calls == 2
        assert wechat.fetches - fetches <= (2 if request == 1 else 1)  # the first has no token at all

    calls, fetches = wechat.calls, wechat.fetches
    with pytest.raises(tokens.RefusedTooOften, match="breaker") as refused:
        tokens.client_for(account).tags()
    assert (wechat.calls, wechat.fetches) == (calls, fetches)
    assert "AppSecret" in refused.value.advice("en")
    assert refused.value.retry

    (tmp_path / "clock").write_text("61")  # half-open: one try, in vain, and it is open again
    with pytest.raises(TokenRefused):
        tokens.client_for(account).tags()
    with pytest.raises(tokens.RefusedTooOften):
        tokens.client_for(account).tags()

    (tmp_path / "clock").write_text("125")
    wechat.refuse_all = False
    assert tokens.client_for(account).tags() == []


def test_t13_the_breaker_of_one_account_is_not_another_ones(create, wechat):
    wechat.refuse_all = True
    account, other = create.account(), create.account("other")
    for _ in range(3):
        with pytest.raises(TokenRefused):
            tokens.client_for(account).tags()
    wechat.refuse_all = False

    assert tokens.client_for(other).tags() == []


def test_refusals_spread_over_more_than_a_minute_open_nothing(create, wechat, tmp_path):
    account = create.account()
    wechat.refuse_all = True

    for minute in range(6):
        (tmp_path / "clock").write_text(str(minute * 40))
        with pytest.raises(TokenRefused):
            tokens.client_for(account).tags()


def _use_tokens(_number: int, account_id: int, seconds: float) -> tuple[int, int, list[str]]:
    with reading() as session:
        client = tokens.client_for(session.get_one(Account, account_id))
    end, done, visible, other = time.monotonic() + seconds, 0, 0, []
    while time.monotonic() < end:
        try:
            client.tags()
            done += 1
        except TokenRefused:
            visible += 1
        except WeChatError as error:
            other.append(repr(error))
        time.sleep(0.01)
    return done, visible, other


@pytest.mark.parametrize("told_life", [2, 7200])
@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=[pytest.mark.campaign, pytest.mark.timeout(200)])])
def test_t14_one_fetch_per_expiry_for_eight_processes(create, wechat, seconds, told_life):
    account = create.account()
    wechat.life, wechat.told_life = 2.0, told_life  # seconds
    told = at_once(8, _use_tokens, account.id, seconds)

    assert all(done > 0 for done, _, _ in told)
    assert [other for _, _, other in told if other] == []
    assert sum(visible for _, visible, _ in told) == 0
    assert len(wechat.issued) >= seconds / wechat.life * 0.6  # the rest is a busy machine
    assert wechat.fetches <= wechat.expiries + 1


def test_t15_the_file_holds_no_plain_token(create, wechat, database_url):
    account = create.account()
    token = tokens.access_token(account.id)

    assert token not in stored(account).sealed_token
    if not database_url.startswith("sqlite"):
        return
    path = Path(database_url.removeprefix("sqlite:///"))
    dump = b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*") if file.is_file())
    assert token.encode() not in dump
    with sqlite3.connect(path) as connection:
        assert token not in "\n".join(connection.iterdump())


def test_t15_a_sealed_token_of_another_account_is_an_error(create, wechat):
    account, other = create.account(), create.account("other")
    tokens.access_token(account.id)
    tokens.access_token(other.id)
    change(account, sealed_token=stored(other).sealed_token)

    with pytest.raises(vault.Unreadable):
        tokens.access_token(account.id)


def test_t16_an_address_that_is_not_listed_is_a_setting_to_change(create, wechat):
    account = create.account()
    wechat.token_error = {
        "errcode": 40164,
        "errmsg": "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist",
    }

    with pytest.raises(BadConfiguration) as refused:
        tokens.client_for(account).tags()

    assert (wechat.fetches, wechat.calls) == (1, 0)
    assert "1.2.3.4" in refused.value.advice("en")
    assert not refused.value.retry
    assert stored(account).refreshing_until is None  # whoever corrects it need not wait


def test_without_an_app_secret_nothing_is_asked(create, wechat):
    account = create.account(secret="")

    with pytest.raises(BadConfiguration):
        tokens.access_token(account.id)
    assert wechat.fetches == 0


def test_a_new_secret_forgets_token_and_breaker(create, wechat):
    account = create.account()
    tokens.access_token(account.id)
    change(account, refused_count=3, blocked_until=clock.now() + timedelta(seconds=30))

    with transaction() as session:
        tokens.forget(session, account.id)

    wechat.life = 0.0
    assert tokens.access_token(account.id) == "plain-token-1"


def test_no_connection_is_told_as_such(create, monkeypatch):
    monkeypatch.setenv("LOBBY_WECHAT_URL", "http://127.0.0.1:9")
    settings.cache_clear()

    with pytest.raises(NotSent):
        tokens.access_token(create.account().id)
    assert os.environ["LOBBY_WECHAT_URL"]

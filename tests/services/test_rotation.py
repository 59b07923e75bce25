"""T15: the master key is changed while everybody reads, and whoever does it is killed now and then."""

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, text

from bot.database import transaction
from bot.services import accounts, vault
from models import AccessToken, Account, Follower
from tests.stack import until

OLD, NEW = "old-key-" * 8, "new-key-" * 8
WORDS = ("secret", "token", "aes_key")

ROTATE = """
from bot.database import transaction
from bot.services import accounts
while True:
    with transaction() as session:
        touched = accounts.reseal(session, 50)
    if not touched:
        break
"""
READ = """
import os, random, sys, time
from bot.database import reading
from bot.services import accounts, vault
from models import Account
ids = range(1, int(sys.argv[1]) + 1)
print("reading", flush=True)
read = bad = 0
while not os.path.exists(sys.argv[2]):
    time.sleep(0.02)
    with reading() as session:
        account = session.get_one(Account, random.choice(ids))
    try:
        accounts.credentials(account), accounts.secret(account)
    except vault.Unreadable:
        bad += 1
    read += 1
print(read, bad, flush=True)
"""


def start(code: str, env: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=os.environ | env, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("rows", "kills"), [(400, 3), pytest.param(10_000, 50, marks=pytest.mark.campaign)])
def test_t15_rotation_under_readers_and_kills(database_url, tmp_path, monkeypatch, rows, kills):
    from bot.settings import settings

    monkeypatch.setenv("LOBBY_SECRET_KEY", OLD)
    settings.cache_clear()
    with transaction() as session:
        session.execute(
            insert(Account),
            [
                {"slug": f"a{at}", "title": "x", "human_words": []}
                | {f"sealed_{word}": vault.seal(f"{word}-{at}", "accounts", f"a{at}", word) for word in WORDS}
                for at in range(rows)
            ],
        )
        session.execute(insert(AccessToken), [{"account_id": at, "sealed_token": "v1:gone:AAAA"} for at in (1, 2)])

    both = {"LOBBY_SECRET_KEY": NEW, "LOBBY_OLD_SECRET_KEYS": OLD}
    enough = tmp_path / "enough"
    readers = [start(READ, both, str(rows), str(enough)) for _ in range(2)]
    blind = start(READ, {"LOBBY_SECRET_KEY": "wrong-key-" * 4}, str(rows), str(enough))  # negative control: one notices
    for reader in (*readers, blind):
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
    died = 0
    while True:
        rotation = start(ROTATE, both)
        try:
            code = rotation.wait(timeout=0.7 + random.random() * 0.5 if died < kills else 300)
        except subprocess.TimeoutExpired:
            rotation.send_signal(signal.SIGKILL)
            rotation.wait()
            died += 1
            continue
        assert code == 0
        break
    enough.touch()
    told = [reader.communicate(timeout=300)[0].split() for reader in readers]

    read, bad = blind.communicate(timeout=300)[0].split()

    assert int(read) == int(bad) > 0
    assert died >= 1
    assert min(int(read) for read, _ in told) >= 100
    assert sum(int(bad) for _, bad in told) == 0
    monkeypatch.setenv("LOBBY_SECRET_KEY", NEW)  # and the old key is gone
    settings.cache_clear()
    with transaction() as session:
        for account in session.scalars(select(Account)):
            for word in WORDS:
                at = account.slug[1:]
                assert (
                    vault.unseal(getattr(account, f"sealed_{word}"), "accounts", account.slug, word) == f"{word}-{at}"
                )
        assert set(session.scalars(select(AccessToken.sealed_token))) == {""}


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_secret_that_is_changed_during_the_rotation_stays_changed(
    database_kind, create, session, database_url, monkeypatch
):
    from bot.settings import settings

    account = create.account(secret="before")
    monkeypatch.setenv("LOBBY_OLD_SECRET_KEYS", settings().secret_key.get_secret_value())
    monkeypatch.setenv("LOBBY_SECRET_KEY", NEW)
    settings.cache_clear()
    seal, changes, is_first = vault.seal, list[Future[None]](), [True]

    def change() -> None:
        with transaction() as own:
            accounts.update(own, accounts.get(own, account.slug), {"secret": "after"})

    def sealing(value: str, *place: object) -> str:
        if is_first and place[-1] == "secret":  # the rotation has read the old one
            is_first.clear()  # before the other thread begins, which seals too
            changes.append(pool.submit(change))
            waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            assert until(lambda: changes[0].done() or session.scalar(waits), 10)
        return seal(value, *place)

    monkeypatch.setattr(vault, "seal", sealing)
    with ThreadPoolExecutor(1) as pool, transaction() as rotation:
        accounts.reseal(rotation)
        session.add(Follower(account_id=account.id, openid="o1"))  # messages come in all the while
        session.commit()
        rotation.commit()
        changes[0].result(10)

    session.refresh(account)
    assert accounts.secret(account) == "after"

"""The people who may follow an account."""

import base64
import hashlib
import secrets
import sqlite3

from bot.simulator.store import next_serial
from bot.simulator.world import World

Follower = sqlite3.Row

BULK = 100_000  # in one transaction: others get their turn between


def ensure(db: sqlite3.Connection, account: str, name: str, now: float, *, following: bool = True) -> Follower:
    """The follower of this name: found again, or made."""
    row: Follower | None = db.execute(
        "SELECT * FROM followers WHERE account = ? AND name = ? AND bulk = 0", (account, name)
    ).fetchone()
    if row is None:
        openid = new_openid(account)
        seq = next_serial(db, "follow")
        db.execute(
            "INSERT INTO followers (account, openid, name, following, follow_seq, subscribed_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (account, openid, name, following, seq, int(now)),
        )
        row = find(db, account, openid)
        assert row is not None
    return row


def make_many(world: World, account: str, count: int, tag_id: int | None = None) -> None:
    """Up to a million at once, for tests of paging and of broadcasts."""
    for start in range(0, count, BULK):
        size = min(BULK, count - start)
        with world.store.writing() as db:
            last = next_serial(db, "follow", start=size, step=size)
            now = int(world.clock.now())
            # Sorted for the sake of the index, a tenth of the time; whoever reads the list finds no order in it.
            openids = sorted(_new_openids(account, size))
            places = list(range(last - size + 1, last + 1))
            secrets.SystemRandom().shuffle(places)
            db.executemany(
                "INSERT INTO followers (account, openid, name, bulk, following, follow_seq, subscribed_at)"
                " VALUES (?, ?, ?, 1, 1, ?, ?)",
                ((account, openid, f"follower {seq}", seq, now) for seq, openid in zip(places, openids, strict=True)),
            )
            if tag_id is not None:
                db.executemany(
                    "INSERT INTO tagged (account, tag_id, openid) VALUES (?, ?, ?)",
                    ((account, tag_id, openid) for openid in openids),
                )


def find(db: sqlite3.Connection, account: str, openid: str) -> Follower | None:
    row: Follower | None = db.execute(
        "SELECT * FROM followers WHERE account = ? AND openid = ?", (account, openid)
    ).fetchone()
    return row


def follow(db: sqlite3.Connection, account: str, openid: str, now: float, scene: str = "") -> None:
    """They follow, perhaps again, perhaps by a QR code's scene: then they stand last in the list."""
    by_code = scene != ""
    db.execute(
        "UPDATE followers SET following = 1, follow_seq = ?, subscribed_at = ?, scene = ?, qr_scene = ?,"
        " qr_scene_str = ? WHERE account = ? AND openid = ?",
        (
            next_serial(db, "follow"),
            int(now),
            "ADD_SCENE_QR_CODE" if by_code else "ADD_SCENE_SEARCH",
            int(scene) if _is_number(scene) else 0,
            "" if _is_number(scene) else scene,
            account,
            openid,
        ),
    )


def unfollow(db: sqlite3.Connection, account: str, openid: str) -> None:
    """They leave: tags, remark and open windows are gone, as WeChat forgets them."""
    db.execute("UPDATE followers SET following = 0, remark = '' WHERE account = ? AND openid = ?", (account, openid))
    for table in ("tagged", "windows"):
        db.execute(f"DELETE FROM {table} WHERE account = ? AND openid = ?", (account, openid))  # noqa: S608


def new_openid(account: str) -> str:
    """28 characters; those of one account begin alike, as real ones do."""
    return _head(account) + secrets.token_urlsafe(17)[:22]


def mass_helper(account: str) -> str:
    """Who reports how a mass message went: looks like a follower, and is none."""
    return _head(account) + "-mass-helper-follows-0"


def _new_openids(account: str, count: int) -> list[str]:
    head = _head(account)
    # 33 bytes are 44 letters: two openids' tails. One draw for all is a hundred times faster than one each.
    letters = base64.urlsafe_b64encode(secrets.token_bytes(33 * (count + 1) // 2 + 33)).decode()
    return [head + letters[22 * place : 22 * place + 22] for place in range(count)]


def _head(account: str) -> str:
    return "o" + hashlib.sha256(account.encode()).hexdigest()[:5]


def _is_number(scene: str) -> bool:
    return scene.isascii() and scene.isdigit() and len(scene) <= 10 and 0 < int(scene) < 2**32

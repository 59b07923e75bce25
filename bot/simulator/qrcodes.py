"""Parametric QR codes, and what happens when a phone scans one."""

import io
import secrets
import sqlite3

import segno
from PIL import Image

from bot.simulator import followers, pushes
from bot.simulator.accounts import Account
from bot.simulator.pushes import Act, Done
from bot.simulator.world import World

MOST_PERMANENT = 100_000
PICTURE_PIXELS = 430

Code = sqlite3.Row


class NoSuchCode(Exception):
    """No code has this ticket, or it has expired."""


def create(
    db: sqlite3.Connection, account: str, scene: str, *, is_number: bool, now: float, expires_at: float | None
) -> Code | None:
    """A code; the same permanent scene gives the same one.  None: no room for more permanent ones."""
    if expires_at is None:
        known: Code | None = db.execute(
            "SELECT * FROM qrcodes WHERE account = ? AND scene = ? AND is_number = ? AND expires_at IS NULL",
            (account, scene, is_number),
        ).fetchone()
        if known is not None:
            return known
        count = db.execute(
            "SELECT count(*) FROM qrcodes WHERE account = ? AND expires_at IS NULL", (account,)
        ).fetchone()[0]
        if count >= MOST_PERMANENT:
            return None
    ticket = "gQ" + secrets.token_urlsafe(60) + "=="  # as real ones do: it must be quoted in an address
    url = f"http://weixin.qq.com/q/{secrets.token_urlsafe(18)}"
    db.execute(
        "INSERT INTO qrcodes VALUES (?, ?, ?, ?, ?, ?, ?)", (ticket, account, scene, is_number, url, now, expires_at)
    )
    return find(db, ticket, now)


def find(db: sqlite3.Connection, ticket: str, now: float) -> Code | None:
    row: Code | None = db.execute(
        "SELECT * FROM qrcodes WHERE ticket = ? AND (expires_at IS NULL OR expires_at > ?)", (ticket, now)
    ).fetchone()
    return row


def latest(db: sqlite3.Connection, account: str, now: float, limit: int = 30) -> list[Code]:
    return db.execute(
        "SELECT * FROM qrcodes WHERE account = ? AND (expires_at IS NULL OR expires_at > ?)"
        " ORDER BY created_at DESC LIMIT ?",
        (account, now, limit),
    ).fetchall()


def picture(code: Code) -> bytes:
    """A JPEG that a real phone could read."""
    small = io.BytesIO()
    segno.make(code["url"], error="m").save(small, kind="png", scale=10, border=2)
    large = io.BytesIO()
    with Image.open(small) as image:
        size = (PICTURE_PIXELS, PICTURE_PIXELS)
        image.convert("L").resize(size, Image.Resampling.LANCZOS).save(large, "JPEG", quality=90)
    return large.getvalue()


def scan(world: World, account: Account, openid: str, *, scene: str = "", ticket: str = "") -> Done:
    """Who does not follow yet follows by it; who does makes a SCAN event.

    Raises:
        NoSuchCode: the ticket, or the scene without a ticket, belongs to no living code.
    """
    now = world.clock.now()
    with world.store.reading() as db:
        if ticket:
            code = find(db, ticket, now)
        else:
            code = next((code for code in latest(db, account.account, now, -1) if code["scene"] == scene), None)
        follower = followers.find(db, account.account, openid)
    if code is None or code["account"] != account.account:
        raise NoSuchCode("no code of this account has that scene or ticket, or it has expired.")
    is_new = follower is None or not follower["following"]
    fields = {"EventKey": ("qrscene_" if is_new else "") + code["scene"], "Ticket": code["ticket"]}
    act = Act(openid, fields, event="subscribe" if is_new else "SCAN")
    return pushes.trigger(world, account, act, {"text": code["scene"], "is_new": is_new})

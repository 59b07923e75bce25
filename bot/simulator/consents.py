"""What followers allowed: each yes is one notice of one template, unless it was “always”."""

import sqlite3
from typing import Any

from bot.simulator import finishes
from bot.simulator.world import World

ALWAYS = -1


def choose(
    world: World, account: str, openid: str, template_id: str, *, accept: bool, always: bool, scene: int, settings: bool
) -> int:
    """The follower says yes or no, and the platform hears of it. Returns how many notices are allowed; -1: any."""
    now = world.clock.now()
    with world.store.writing() as db:
        if accept:
            db.execute(
                "INSERT INTO consents VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET remaining ="
                " CASE WHEN excluded.remaining = -1 OR remaining = -1 THEN -1 ELSE remaining + 1 END",
                (account, openid, template_id, ALWAYS if always else 1),
            )
        elif settings or always:  # a single no leaves what was allowed before; this one takes all back
            _set(db, account, openid, template_id, 0)
        item = {"TemplateId": template_id, "SubscribeStatusString": "accept" if accept else "reject"}
        event = "subscribe_msg_change_event" if settings else "subscribe_msg_popup_event"
        fields: dict[str, Any] = {"List": item if settings else item | {"PopupScene": scene}}
        name = "SubscribeMsgChangeEvent" if settings else "SubscribeMsgPopupEvent"
        finishes.enqueue(db, account, openid, event, {name: fields}, now)
        left = remaining(db, account, openid, template_id)
    world.alarm.ring()
    return left


def remaining(db: sqlite3.Connection, account: str, openid: str, template_id: str) -> int:
    row = db.execute(
        "SELECT remaining FROM consents WHERE account = ? AND openid = ? AND template_id = ?",
        (account, openid, template_id),
    ).fetchone()
    return int(row[0]) if row else 0


def spend(db: sqlite3.Connection, account: str, openid: str, template_id: str) -> bool:
    """Use one up; False: there is none."""
    left = remaining(db, account, openid, template_id)
    if left > 0:
        _set(db, account, openid, template_id, left - 1)
    return left != 0


def _set(db: sqlite3.Connection, account: str, openid: str, template_id: str, remaining: int) -> None:
    db.execute("INSERT OR REPLACE INTO consents VALUES (?, ?, ?, ?)", (account, openid, template_id, remaining))

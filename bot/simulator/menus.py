"""An account's menus: the default one, conditional ones, and which of them a follower sees."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from bot.simulator.store import next_serial

FIRST_MENU_ID = 466_142_396
PLATFORM = "1"  # a phone counts as iOS until a test says otherwise

Button = dict[str, Any]


@dataclass(frozen=True)
class Menu:
    menuid: int
    buttons: list[Button]
    rule: dict[str, str] | None  # None: the default menu


def replace_default(db: sqlite3.Connection, account: str, buttons: list[Button]) -> None:
    db.execute("DELETE FROM menus WHERE account = ? AND rule IS NULL", (account,))
    _add(db, account, buttons, None)


def add_conditional(db: sqlite3.Connection, account: str, buttons: list[Button], rule: dict[str, str]) -> int:
    return _add(db, account, buttons, rule)


def delete_all(db: sqlite3.Connection, account: str) -> None:
    db.execute("DELETE FROM menus WHERE account = ?", (account,))


def delete_conditional(db: sqlite3.Connection, account: str, menuid: int) -> bool:
    return (
        db.execute(
            "DELETE FROM menus WHERE account = ? AND menuid = ? AND rule IS NOT NULL", (account, menuid)
        ).rowcount
        > 0
    )


def default(db: sqlite3.Connection, account: str) -> Menu | None:
    row = db.execute("SELECT * FROM menus WHERE account = ? AND rule IS NULL", (account,)).fetchone()
    return _menu(row) if row else None


def conditional(db: sqlite3.Connection, account: str) -> list[Menu]:
    """Newest first: the order in which they are tried."""
    rows = db.execute("SELECT * FROM menus WHERE account = ? AND rule IS NOT NULL ORDER BY menuid DESC", (account,))
    return [_menu(row) for row in rows]


def seen_by(db: sqlite3.Connection, account: str, openid: str) -> Menu | None:
    """The newest conditional menu whose every field fits this follower, else the default."""
    # Of several tags only the one added last counts.
    row = db.execute(
        "SELECT tag_id FROM tagged WHERE account = ? AND openid = ? ORDER BY id DESC LIMIT 1", (account, openid)
    ).fetchone()
    facts = {"tag_id": str(row[0]) if row else "", "client_platform_type": _platform(db, account, openid)}
    for menu in conditional(db, account):
        if menu.rule and all(facts.get(name) == value for name, value in menu.rule.items()):
            return menu
    return default(db, account)


def set_platform(db: sqlite3.Connection, account: str, openid: str, platform: str) -> None:
    """1: iOS, 2: Android, 3: another."""
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (f"platform:{account}:{openid}", platform))


def console_menu(db: sqlite3.Connection, account: str) -> list[Button]:
    """What the owner clicked together on WeChat's own pages; the API can only read it."""
    row = db.execute("SELECT value FROM facts WHERE name = ?", (f"console_menu:{account}",)).fetchone()
    return json.loads(row[0]) if row else []


def set_console_menu(db: sqlite3.Connection, account: str, buttons: list[Button]) -> None:
    """`buttons`: with `sub_button` as a list, or as {"list": […]} as they are read."""
    buttons = [
        button | {"sub_button": subs.get("list", [])} if isinstance(subs := button.get("sub_button"), dict) else button
        for button in buttons
    ]
    db.execute(
        "INSERT OR REPLACE INTO facts VALUES (?, ?)",
        (f"console_menu:{account}", json.dumps(buttons, ensure_ascii=False)),
    )


def _platform(db: sqlite3.Connection, account: str, openid: str) -> str:
    row = db.execute("SELECT value FROM facts WHERE name = ?", (f"platform:{account}:{openid}",)).fetchone()
    return str(row[0]) if row else PLATFORM


def _add(db: sqlite3.Connection, account: str, buttons: list[Button], rule: dict[str, str] | None) -> int:
    menuid = next_serial(db, "menuid", FIRST_MENU_ID)
    db.execute(
        "INSERT INTO menus VALUES (?, ?, ?, ?)",
        (menuid, account, json.dumps(buttons, ensure_ascii=False), json.dumps(rule) if rule else None),
    )
    return menuid


def _menu(row: sqlite3.Row) -> Menu:
    rule = json.loads(row["rule"]) if row["rule"] else None
    return Menu(row["menuid"], json.loads(row["buttons"]), rule)

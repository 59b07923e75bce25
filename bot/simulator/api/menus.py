"""Custom menus: make, read, delete, and conditional ones for some followers."""

import re
from typing import Any

from bot.simulator import autoreplies, followers, menus
from bot.simulator.api.buttons import checked, domains
from bot.simulator.api.calls import OK, Asked, Call
from bot.simulator.errors import Refusal
from bot.simulator.permissions import Allowed

ESCAPES_REFUSED = 40033
MOST_CONDITIONAL = 500
MOST_DOMAINS = 3
RETIRED = ("sex", "country", "province", "city", "language")
MENU_ID = re.compile(r"[0-9]{1,18}")
RULES = ("tag_id", "client_platform_type")


def create(asked: Asked) -> dict[str, Any]:
    buttons = checked(asked.account, asked.body.get("button"))
    with asked.world.store.writing() as db:
        menus.replace_default(db, asked.account.account, buttons)
    asked.world.bell.ring()
    return OK


def get(asked: Asked) -> dict[str, Any]:
    with asked.world.store.reading() as db:
        menu = menus.default(db, asked.account.account)
        others = menus.conditional(db, asked.account.account)
    if menu is None:
        raise Refusal(46003)
    shown: dict[str, Any] = {"menu": {"button": menu.buttons}}
    if others:
        shown["menu"]["menuid"] = menu.menuid  # a number here, a text where it was made
        shown["conditionalmenu"] = [
            {"button": other.buttons, "matchrule": other.rule, "menuid": other.menuid} for other in others
        ]
    return shown


def delete(asked: Asked) -> dict[str, Any]:
    with asked.world.store.writing() as db:
        menus.delete_all(db, asked.account.account)
    asked.world.bell.ring()
    return OK


def current(asked: Asked) -> dict[str, Any]:
    """Also what was made on WeChat's own pages, in another shape than menu/get."""
    with asked.world.store.reading() as db:
        menu = menus.default(db, asked.account.account)
        buttons = menu.buttons if menu else menus.console_menu(db, asked.account.account)
    if not buttons:
        return {"is_menu_open": 0, "selfmenu_info": {"button": []}}
    shown = []
    for button in buttons:
        plain = {name: value for name, value in button.items() if name != "sub_button"}
        subs = [
            {name: value for name, value in sub.items() if name != "sub_button"}
            for sub in button.get("sub_button") or []
        ]
        shown.append(plain | ({"sub_button": {"list": subs}} if subs else {}))
    return {"is_menu_open": 1, "selfmenu_info": {"button": shown}}


def add_conditional(asked: Asked) -> dict[str, Any]:
    buttons = checked(asked.account, asked.body.get("button"))
    rule = _rule(asked.body.get("matchrule"))
    account = asked.account.account
    with asked.world.store.writing() as db:
        if menus.default(db, account) is None:
            raise Refusal(65303)
        others = menus.conditional(db, account)
        if len(others) >= MOST_CONDITIONAL:
            raise Refusal(65305)
        led_to = domains(buttons).union(*(domains(other.buttons) for other in others))
        if len(led_to) > MOST_DOMAINS:
            raise Refusal(65316)
        menuid = menus.add_conditional(db, account, buttons, rule)
    asked.world.bell.ring()
    return {"menuid": str(menuid)}


def delete_conditional(asked: Asked) -> dict[str, Any]:
    menuid = str(asked.body["menuid"])
    with asked.world.store.writing() as db:
        if not MENU_ID.fullmatch(menuid) or not menus.delete_conditional(db, asked.account.account, int(menuid)):
            raise Refusal(65301)
    asked.world.bell.ring()
    return OK


def try_match(asked: Asked) -> dict[str, Any]:
    account, user_id = asked.account.account, str(asked.body["user_id"])
    with asked.world.store.reading() as db:
        if followers.find(db, account, user_id) is None:
            raise Refusal(65302)
        menu = menus.seen_by(db, account, user_id)
    if menu is None:
        raise Refusal(46003)
    return {"button": menu.buttons}


def auto_replies(asked: Asked) -> dict[str, Any]:
    with asked.world.store.reading() as db:
        return autoreplies.info(db, asked.account.account)


def _rule(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise Refusal(65304)
    filled = {name: str(value) for name, value in given.items() if value not in ("", None)}
    if any(name in filled for name in RETIRED):
        raise Refusal(65320)
    if "group_id" in filled:  # the old name of the same thing
        filled.setdefault("tag_id", filled.pop("group_id"))
    rule = {name: filled[name] for name in RULES if name in filled}
    if not rule:
        raise Refusal(65304)
    if rule.get("client_platform_type", "1") not in ("1", "2", "3"):
        raise Refusal(47003)
    return rule


CALLS = (
    Call("/cgi-bin/menu/create", create, allowed=Allowed.MENUS, daily=1000, on_escapes=ESCAPES_REFUSED),
    Call("/cgi-bin/menu/get", get, method="GET", allowed=Allowed.MENUS, daily=10_000),
    Call("/cgi-bin/menu/delete", delete, method="GET", allowed=Allowed.MENUS, daily=1000),
    Call("/cgi-bin/menu/addconditional", add_conditional, daily=2000, on_escapes=ESCAPES_REFUSED),
    Call("/cgi-bin/menu/delconditional", delete_conditional, daily=2000, fields=("menuid",)),
    Call("/cgi-bin/menu/trymatch", try_match, daily=20_000, fields=("user_id",)),
    Call("/cgi-bin/get_current_selfmenu_info", current, method="GET", allowed=Allowed.ALL, daily=10_000),
    Call("/cgi-bin/get_current_autoreply_info", auto_replies, method="GET", allowed=Allowed.ALL, daily=10_000),
)

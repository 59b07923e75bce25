"""Checks a menu's buttons; every limit is in bytes of UTF-8."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.simulator.accounts import Account
from bot.simulator.errors import Refusal

TOP_BUTTONS = 3
SUB_BUTTONS = 5
KEY_BYTES = 128
URL_BYTES = 1024

PICTURES = ("pic_sysphoto", "pic_photo_or_album", "pic_weixin")
KEYED = ("click", "scancode_push", "scancode_waitmsg", "location_select", *PICTURES)
OF_MEDIA = ("media_id", "view_limited")
OF_ARTICLES = ("article_id", "article_view_limited")


@dataclass(frozen=True)
class Codes:
    """The same mistake has one code in a top button and another in a sub-button."""

    name_bytes: int
    name: int
    type: int
    key: int
    url: int
    domain: int


TOP = Codes(name_bytes=16, name=40018, type=40017, key=40019, url=40020, domain=40055)
SUB = Codes(name_bytes=60, name=40025, type=40024, key=40026, url=40027, domain=40054)


def checked(account: Account, buttons: Any) -> list[dict[str, Any]]:
    """The buttons as WeChat keeps them: each leaf with an empty `sub_button`.

    Raises:
        Refusal: the first mistake, in reading order.
    """
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= TOP_BUTTONS:
        raise Refusal(40016)
    return [_top(account, button) for button in buttons]


def domains(buttons: list[dict[str, Any]]) -> set[str]:
    """Where the buttons lead."""
    leaves = [leaf for button in buttons for leaf in [button, *button["sub_button"]]]
    return {urlsplit(leaf["url"]).netloc for leaf in leaves if "url" in leaf}


def _top(account: Account, button: Any) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise Refusal(40016)
    subs = button.get("sub_button")
    if isinstance(subs, list) and subs:
        if len(subs) > SUB_BUTTONS:
            raise Refusal(40023)
        return {"name": _name(button, TOP), "sub_button": [_sub(account, sub) for sub in subs]}
    if "type" not in button and "sub_button" in button:
        raise Refusal(41007)
    return _leaf(account, button, TOP)


def _sub(account: Account, button: Any) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise Refusal(40023)
    if button.get("sub_button"):
        raise Refusal(40022)
    return _leaf(account, button, SUB)


def _leaf(account: Account, button: dict[str, Any], codes: Codes) -> dict[str, Any]:
    name, type_ = _name(button, codes), button.get("type")
    kept: dict[str, Any] = {"type": type_, "name": name}
    if type_ in KEYED:
        kept["key"] = _within(button, "key", KEY_BYTES, codes.key)
    elif type_ in ("view", "miniprogram"):
        kept["url"] = _within(button, "url", URL_BYTES, codes.url)
        if not _is_web_address(kept["url"]):
            raise Refusal(codes.domain)
        if type_ == "miniprogram":
            kept |= _miniprogram(account, button)
    elif type_ in OF_MEDIA:
        raise Refusal(40007)  # permanent materials only, and none can exist yet
    elif type_ in OF_ARTICLES:
        raise Refusal(53600)
    else:
        raise Refusal(codes.type)
    return kept | {"sub_button": []}


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # such as http://[
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _miniprogram(account: Account, button: dict[str, Any]) -> dict[str, Any]:
    appid, pagepath = button.get("appid"), button.get("pagepath")
    if not isinstance(appid, str) or not re.match(r"^wx[0-9a-f]{16}$", appid):
        raise Refusal(40166)
    if appid not in account.miniprograms:
        raise Refusal(45064)
    if not isinstance(pagepath, str) or not pagepath:
        raise Refusal(40165)
    return {"appid": appid, "pagepath": pagepath}


def _name(button: dict[str, Any], codes: Codes) -> str:
    return _within(button, "name", codes.name_bytes, codes.name)


def _within(button: dict[str, Any], field: str, most_bytes: int, errcode: int) -> str:
    value = button.get(field)
    if not isinstance(value, str) or not value or len(value.encode()) > most_bytes:
        raise Refusal(errcode)
    return value

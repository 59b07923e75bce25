"""A menu's buttons: what each kind needs, WeChat's limits in bytes, and how two menus differ."""

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from bot.errors import Refused
from bot.wechat import limits

# What each type needs, in WeChat's own names (wechat-protocol 4.2).
TYPES: dict[str, tuple[str, ...]] = {
    "click": ("key",),
    "view": ("url",),
    "miniprogram": ("url", "appid", "pagepath"),
    "scancode_push": ("key",),
    "scancode_waitmsg": ("key",),
    "pic_sysphoto": ("key",),
    "pic_photo_or_album": ("key",),
    "pic_weixin": ("key",),
    "location_select": ("key",),
    "media_id": ("media_id",),
    "view_limited": ("media_id",),
    "article_id": ("article_id",),
    "article_view_limited": ("article_id",),
}
_BYTES = {
    "key": limits.MENU_KEY_BYTES,
    "url": limits.MENU_URL_BYTES,
    "appid": 32,
    "pagepath": limits.MENU_URL_BYTES,
    "media_id": 128,
    "article_id": 128,
}

_NEEDED = {
    "key": "Say which key this button sends; a rule for menu taps looks for it.",
    "url": "Say which page this button opens, such as https://example.com/page.",
    "appid": "Give the Mini Program's AppID; it begins with “wx”.",
    "pagepath": "Say which page of the Mini Program opens, such as pages/index/index.",
    "media_id": "Give the media id of the file that this button sends.",
    "article_id": "Give the id of the article that this button opens.",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One button that two menus do not have in common; its places count from 1."""

    kind: str  # added, removed, changed
    place: str  # "2" or "2.3"
    was: dict[str, Any] | None
    now: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one menu between two versions."""

    menu: dict[str, Any] | None  # None: the usual one
    kind: str  # added, removed, changed
    changes: list[Change]
    is_for_others: bool = False  # its condition changed
    is_moved: bool = False


def checked(buttons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The buttons in WeChat's shape and nothing else, lengths counted as WeChat does: in bytes of UTF-8."""
    if len(buttons) > limits.MENU_BUTTONS:
        _refuse("A menu has {max} buttons at most.", "buttons", max=limits.MENU_BUTTONS)
    return [_button(button, f"buttons.{at}", is_top=True) for at, button in enumerate(buttons)]


def _button(button: dict[str, Any], path: str, *, is_top: bool) -> dict[str, Any]:
    if not isinstance(button, dict):
        _refuse("A button is an object with a name.", path)
    name = _name(button, path, limits.MENU_NAME_BYTES if is_top else limits.MENU_SUB_NAME_BYTES)
    below = button.get("sub_button") or []
    if not isinstance(below, list):
        _refuse("The buttons below a button are a list.", f"{path}.sub_button")
    if below and not is_top:
        _refuse("A menu has two levels: a button below another has none below it.", f"{path}.sub_button")
    if not below:
        return {"name": name, **_action(button, path)}
    if len(below) > limits.MENU_SUB_BUTTONS:
        _refuse("A button has {max} buttons below it at most.", f"{path}.sub_button", max=limits.MENU_SUB_BUTTONS)
    if button.get("type"):
        _refuse("A button with others below it has no action of its own.", f"{path}.type")
    _no_others(button, {"name", "sub_button", "type"}, path)
    return {
        "name": name,
        "sub_button": [_button(each, f"{path}.sub_button.{at}", is_top=False) for at, each in enumerate(below)],
    }


def _name(button: dict[str, Any], path: str, most: int) -> str:
    name = str(button.get("name") or "").strip()
    if not name:
        _refuse("Give the button a name.", f"{path}.name")
    if not name.isprintable():
        _refuse("The button's name has a character that cannot be shown.", f"{path}.name")
    if (size := _size(name, f"{path}.name")) > most:
        _refuse(
            "This name takes {size} bytes; {max} are allowed here (a Chinese character takes 3).",
            f"{path}.name",
            size=size,
            max=most,
        )
    return name


def _action(button: dict[str, Any], path: str) -> dict[str, Any]:
    kind = button.get("type")
    if not kind:
        _refuse("Choose what the button does, or add buttons below it.", f"{path}.type")
    if not isinstance(kind, str) or kind not in TYPES:
        _refuse("“{kind}” is not a kind of button.", f"{path}.type", kind=str(kind)[:40])
    needed = TYPES[kind]
    _no_others(button, {"name", "type", "sub_button", *needed}, path)
    values = {}
    for field in needed:
        value = button.get(field)
        if not isinstance(value, str) or not value.strip():
            _refuse(_NEEDED[field], f"{path}.{field}")
        value = value.strip()
        if _size(value, f"{path}.{field}") > _BYTES[field]:
            _refuse("This may have {max} bytes at most.", f"{path}.{field}", max=_BYTES[field])
        if field == "url" and not re.match(r"https?://[^\s/]", value):
            _refuse("Use a full address such as https://example.com/page.", f"{path}.url")
        values[field] = value
    return {"type": kind, **values}


def _size(text: str, path: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        _refuse("This holds half a character; write it again.", path)


def _no_others(button: dict[str, Any], known: set[str], path: str) -> None:
    for field in button:
        if field not in known and button[field] not in (None, "", []):
            _refuse("A button of this kind has no “{field_name}”.", f"{path}.{field}", field_name=str(field)[:40])


def _refuse(template: str, field: str, **values: object) -> NoReturn:
    raise Refused(template, field=field, **values)


def difference(was: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[Change]:
    """Place by place; a menu has so few that no cleverer comparison reads better."""
    before, after = _places(was), _places(now)
    changes = []
    for place in sorted(before | after):
        old, new = before.get(place), after.get(place)
        if old != new:
            kind = "added" if old is None else "removed" if new is None else "changed"
            changes.append(Change(kind, ".".join(map(str, place)), old, new))
    return changes


def _places(buttons: list[dict[str, Any]]) -> dict[tuple[int, ...], dict[str, Any]]:
    places: dict[tuple[int, ...], dict[str, Any]] = {}
    for at, button in enumerate(buttons, start=1):
        places[at,] = {name: value for name, value in button.items() if name != "sub_button"}
        places |= {(at, *place): each for place, each in _places(button.get("sub_button") or []).items()}
    return places


def differences(
    was: list[dict[str, Any]],
    was_conditional: list[dict[str, Any]],
    now: list[dict[str, Any]],
    now_conditional: list[dict[str, Any]],
) -> list[Difference]:
    """Menu by menu, those that differ only: the usual one first, then as they stand now, then those that are gone."""
    found = []
    if changes := difference(was, now):
        found.append(Difference(None, "changed", changes))
    before, after = ({each["id"]: each for each in menus} for menus in (was_conditional, now_conditional))
    order = [menu_id for menu_id in before if menu_id in after]
    moved = {menu_id for menu_id, other in zip(order, [each for each in after if each in before], strict=True)
             if menu_id != other}  # fmt: skip
    for menu_id, menu in after.items():
        old = before.get(menu_id)
        if old is None:
            found.append(Difference(menu, "added", difference([], menu["buttons"])))
            continue
        changes = difference(old["buttons"], menu["buttons"])
        asks_for_others = old["matchrule"] != menu["matchrule"]
        if changes or asks_for_others or menu_id in moved or old["title"] != menu["title"]:
            found.append(Difference(menu, "changed", changes, asks_for_others, menu_id in moved))
    gone = [menu for menu_id, menu in before.items() if menu_id not in after]
    return [*found, *(Difference(menu, "removed", difference(menu["buttons"], [])) for menu in gone)]

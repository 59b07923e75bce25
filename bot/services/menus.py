"""The menu at the foot of the account's chat: edited here, published by a job."""

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Refused
from bot.services import tasks
from bot.services.tasks import Claimed
from bot.wechat import limits
from models import Account, Menu, Task

KIND = "menu_publish"

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
class Wanted:
    """What the job is to publish, and which wish of the operators' that is."""

    buttons: list[dict[str, Any]]
    wish: int


def get(session: Session, account: Account) -> Menu:
    """The account's menu; an empty one, not yet stored, before it was first saved."""
    menu = session.scalar(select(Menu).where(Menu.account_id == account.id))
    return menu or Menu(account_id=account.id, buttons=[], published=[], published_at=None, updated_at=clock.now())


def save(session: Session, account: Account, buttons: list[dict[str, Any]]) -> Menu:
    """Keep a menu for publishing; followers see no change yet.  No buttons: the menu is to vanish.

    Raises:
        Refused: with the field's path, such as "buttons.0.sub_button.2.name".
    """
    kept = checked(buttons)
    menu = session.scalar(select(Menu).where(Menu.account_id == account.id).with_for_update())
    if menu is None:
        menu = _made(session, account)
    menu.buttons, menu.updated_at = kept, clock.now()
    session.flush()
    return menu


def publish(session: Session, account: Account) -> Task:
    """Have the worker give followers the menu as it is saved now; phones show it within some five minutes."""
    tasks.lock(session, account)
    task = tasks.find_open(session, account, KIND)
    if task is None:
        return tasks.start(session, account, KIND, {"wish": 1})
    # One is under way, perhaps with an older menu: it looks once more before it ends.
    task.state = {**task.state, "wish": int(task.state.get("wish", 0)) + 1}
    session.flush()
    return task


def wanted(session: Session, claimed: Claimed) -> Wanted:
    """What is to be published by a task that we hold."""
    buttons = session.scalar(select(Menu.buttons).where(Menu.account_id == claimed.account_id))
    return Wanted(buttons or [], _wish(session, claimed))


def published(session: Session, claimed: Claimed, sent: Wanted) -> bool:
    """WeChat took the menu.  False: somebody pressed publish again meanwhile, so there is more to do."""
    session.execute(select(Account.id).where(Account.id == claimed.account_id).with_for_update())
    session.execute(
        update(Menu)
        .where(Menu.account_id == claimed.account_id)
        # updated_at is the operators' own; onupdate would touch it.
        .values(published=sent.buttons, published_at=clock.now(), updated_at=Menu.updated_at)
        .execution_options(synchronize_session=False)
    )
    if _wish(session, claimed) != sent.wish:
        tasks.later(session, claimed, clock.now())
        return False
    tasks.finish(session, claimed)
    return True


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


def _made(session: Session, account: Account) -> Menu:
    try:
        with session.begin_nested():
            menu = Menu(account_id=account.id)
            session.add(menu)
    except IntegrityError:  # somebody saved the first one at the same moment
        return session.scalars(select(Menu).where(Menu.account_id == account.id).with_for_update()).one()
    return menu


def _wish(session: Session, claimed: Claimed) -> int:
    state = session.scalar(select(Task.state).where(Task.id == claimed.task_id)) or {}
    return int(state.get("wish", 0))

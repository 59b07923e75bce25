"""The menu at the foot of the account's chat: edited here, published by a job."""

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import NotFound, Refused
from bot.services import tasks
from bot.services.tasks import Claimed
from bot.wechat import limits
from models import Account, Menu, MenuOutcome, MenuVersion, Task

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
    """What the job is to publish, and which version that is."""

    buttons: list[dict[str, Any]]
    number: int


@dataclass(frozen=True, slots=True)
class Change:
    """One button that two menus do not have in common; its places count from 1."""

    kind: str  # added, removed, changed
    place: str  # "2" or "2.3"
    was: dict[str, Any] | None
    now: dict[str, Any] | None


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


def publish(session: Session, account: Account, who: str = "", buttons: list[dict[str, Any]] | None = None) -> Task:
    """Have the worker give followers the menu as it is saved now; phones show it within some five minutes.

    Args:
        who: whose wish it is, for the history.
        buttons: another menu than the saved one.
    """
    tasks.lock(session, account)
    waiting = MenuVersion.account_id == account.id, MenuVersion.outcome == MenuOutcome.WAITING
    session.execute(update(MenuVersion).where(*waiting).values(outcome=MenuOutcome.SKIPPED, finished_at=clock.now()))
    version = MenuVersion(
        account_id=account.id,
        number=_newest(session, account.id) + 1,
        buttons=get(session, account).buttons if buttons is None else checked(buttons),
        who=who[:64],
    )
    session.add(version)
    session.flush()
    return tasks.start(session, account, KIND)  # one under way looks for a newer version before it ends


def versions(session: Session, account: Account, limit: int = 100) -> list[MenuVersion]:
    """What was published, or tried; the newest first."""
    query = select(MenuVersion).where(MenuVersion.account_id == account.id)
    return list(session.scalars(query.order_by(MenuVersion.number.desc()).limit(limit)))


def version(session: Session, account: Account, version_id: int) -> MenuVersion:
    found = session.scalar(
        select(MenuVersion).where(MenuVersion.id == version_id, MenuVersion.account_id == account.id)
    )
    if found is None:
        raise NotFound("There is no such menu.")
    return found


def roll_back(session: Session, account: Account, version_id: int, who: str = "") -> Task:
    """Take an earlier menu to edit and publish it again, as a new version."""
    save(session, account, version(session, account, version_id).buttons)
    return publish(session, account, who)


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


def wanted(session: Session, claimed: Claimed) -> Wanted:
    """What is to be published by a task that we hold."""
    newest = session.scalar(
        select(MenuVersion)
        .where(MenuVersion.account_id == claimed.account_id)
        .order_by(MenuVersion.number.desc())
        .limit(1)
    )
    if newest is None:  # the task was begun before versions were kept
        buttons = session.scalar(select(Menu.buttons).where(Menu.account_id == claimed.account_id))
        return Wanted(buttons or [], 0)
    return Wanted(newest.buttons, newest.number)


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
    _settle(session, claimed, sent, MenuOutcome.PUBLISHED)
    if _newest(session, claimed.account_id) != sent.number:
        tasks.later(session, claimed, clock.now())
        return False
    tasks.finish(session, claimed)
    return True


def refused(session: Session, claimed: Claimed, sent: Wanted, sentence: str) -> bool:
    """WeChat did not take the menu; followers keep the one they have.  False: there is a newer one to try."""
    session.execute(select(Account.id).where(Account.id == claimed.account_id).with_for_update())
    _settle(session, claimed, sent, MenuOutcome.REFUSED, sentence)
    if _newest(session, claimed.account_id) != sent.number:
        tasks.later(session, claimed, clock.now())
        return False
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


def _newest(session: Session, account_id: int) -> int:
    return session.scalar(select(func.max(MenuVersion.number)).where(MenuVersion.account_id == account_id)) or 0


def _settle(session: Session, claimed: Claimed, sent: Wanted, outcome: MenuOutcome, error: str = "") -> None:
    session.execute(
        update(MenuVersion)
        .where(MenuVersion.account_id == claimed.account_id, MenuVersion.number == sent.number)
        .values(outcome=outcome, error=error, finished_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def _places(buttons: list[dict[str, Any]]) -> dict[tuple[int, ...], dict[str, Any]]:
    places: dict[tuple[int, ...], dict[str, Any]] = {}
    for at, button in enumerate(buttons, start=1):
        places[at,] = {name: value for name, value in button.items() if name != "sub_button"}
        places |= {(at, *place): each for place, each in _places(button.get("sub_button") or []).items()}
    return places

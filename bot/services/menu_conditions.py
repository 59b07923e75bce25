"""One menu for some followers: who they are, checked as WeChat would."""

from typing import Any, NoReturn

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.errors import Refused
from bot.services import menu_buttons
from bot.services.menu_sets import RETIRED, RULE
from models import Account, Tag

PLATFORMS = ("1", "2", "3")  # iOS, Android, other
TITLE_LENGTH = 30


def checked(session: Session, account: Account, given: dict[str, Any], path: str) -> dict[str, Any]:
    """The menu as it is kept.

    Raises:
        Refused: the field's path begins with ``path``.
    """
    title = str(given.get("title") or "").strip()
    if len(title) > TITLE_LENGTH or not (title.isprintable() or not title):
        _refuse("A name has {max} characters at most.", f"{path}title", max=TITLE_LENGTH)
    try:
        buttons = menu_buttons.checked(given["buttons"])
    except Refused as refused:
        raise Refused(refused.template, field=path + refused.field, **refused.values) from None
    rule = _rule_checked(session, account, given.get("matchrule") or {}, f"{path}matchrule")
    return {"id": given.get("id"), "title": title, "matchrule": rule, "buttons": buttons}


def _rule_checked(session: Session, account: Account, given: dict[str, Any], path: str) -> dict[str, str]:
    rule = {name: str(value).strip() for name, value in given.items() if str(value or "").strip()}
    for name in rule:
        if name in RETIRED:
            _refuse("WeChat no longer chooses by sex, place or language: use a tag or the phone.", f"{path}.{name}")
        if name not in RULE:
            _refuse("“{name}” is nothing that WeChat chooses by.", f"{path}.{name}", name=str(name)[:40])
    if not rule:
        _refuse("Say for whom this menu is: a tag, a phone, or both.", f"{path}.tag_id")
    if rule.get("client_platform_type", "1") not in PLATFORMS:
        _refuse("A phone is 1 (iOS), 2 (Android) or 3 (another).", f"{path}.client_platform_type")
    tag = rule.get("tag_id")
    known = tag is None or (tag.isdecimal() and len(tag) < 19 and _knows_tag(session, account, int(tag)))
    if not known:
        _refuse("WeChat has no such tag. Choose one of the account's tags at WeChat.", f"{path}.tag_id")
    return {name: rule[name] for name in RULE if name in rule}


def _knows_tag(session: Session, account: Account, wechat_id: int) -> bool:
    found = select(Tag.id).where(Tag.account_id == account.id, Tag.wechat_id == wechat_id).limit(1)
    return session.scalar(found) is not None


def _refuse(template: str, field: str, **values: object) -> NoReturn:
    raise Refused(template, field=field, **values)

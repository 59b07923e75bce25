"""A menu's buttons as rows of a form, and back."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from bot.console import words
from bot.console.forms import rows
from bot.console.language import _
from bot.console.rule_words import Side
from bot.services import menu_clicks, menu_replies, tags
from bot.services.menu_buttons import TYPES
from bot.services.menu_replies import Answer
from models import Account, Menu

Row = dict[str, Any]


def shown(button: dict[str, Any], known: dict[str, Answer]) -> Row:
    """A button in WeChat's shape as the form's row, with what its key answers."""
    kind = button.get("type", "click")
    row = {"name": button.get("name", ""), "type": kind, "value": button.get(_value_field(kind), "")}
    row |= {name: button.get(name, "") for name in ("appid", "pagepath")}
    if kind == "click" and (answer := known.get(row["value"])):
        row["reply"] = answer.text or ""
    return {**row, "sub_button": [shown(each, known) for each in button.get("sub_button", [])]}


def buttons(given: list[Row], taken: set[str]) -> tuple[list[Row], list[dict[str, Any]]]:
    """The rows that hold something, and the same in WeChat's shape: one's place is the other's.

    A button that answers and has no key gets one that is not among ``taken``.
    """
    kept: list[Row] = []
    made: list[dict[str, Any]] = []
    for row in given:
        row["sub_button"], below = buttons(rows(row, "sub_button"), taken)
        if not any(str(row.get(name, "")).strip() for name in ("name", "value", "reply")) and not below:
            continue
        kind = str(row.get("type", "click"))
        if kind == "click" and not below and not str(row.get("value", "")).strip():
            row["value"] = menu_replies.new_key(taken)
        kept.append(row)
        made.append({"name": row.get("name", ""), "sub_button": below} if below else _button(row, kind))
    return kept, made


def moved(given: list[Row], wish: str) -> list[Row]:
    """The rows with one of them a place further: "1.up", "1.2.down"."""
    path, _sep, direction = wish.rpartition(".")
    parts = path.split(".")
    if not all(part.isdecimal() and len(part) < 3 for part in parts):
        return given
    *above, at = (int(part) for part in parts)
    below = rows(given[above[0]], "sub_button") if above and above[0] < len(given) else given
    other = at + (1 if direction == "down" else -1)
    if 0 <= other < len(below) and at < len(below):
        below[at], below[other] = below[other], below[at]
    if above and above[0] < len(given):
        given[above[0]]["sub_button"] = below
    return given


def answered(given: list[Row], known: dict[str, Answer], path: str = "buttons") -> Iterator[tuple[str, Row]]:
    """The rows whose answer was written anew, with their paths."""
    for at, row in enumerate(given):
        if row["sub_button"]:
            yield from answered(row["sub_button"], known, f"{path}.{at}.sub_button")
        elif row.get("type", "click") == "click" and "reply" in row:
            before = known.get(str(row["value"]).strip())
            text = (before.text or "") if before else ""
            if str(row["reply"]).replace("\r\n", "\n").strip() != text.strip():
                yield f"{path}.{at}", row


def keys(menu: Menu) -> set[str]:
    everything = [menu.buttons, *(each["buttons"] for each in menu.conditional)]
    return {each["key"] for one in everything for _at, each in menu_clicks.leaves(one) if each.get("key")}


def field(name: str) -> str:
    """Where in the form a field of the service stands."""
    path, _sep, last = name.rpartition(".")
    if path == "matchrule":
        return last
    return f"{path}.value" if last in ("key", "url", "media_id", "article_id") else name


def live(menu: Menu, menu_id: int) -> list[dict[str, Any]]:
    """The buttons that followers have of one menu."""
    if not menu_id:
        return list(menu.published)
    return next((each["buttons"] for each in menu.published_conditional or [] if each["id"] == menu_id), [])


def tags_by_id(session: Session, account: Account) -> dict[str, str]:
    """WeChat's number of a tag → its name."""
    return {str(tag.wechat_id): tag.name for tag in tags.list_all(session, account) if tag.wechat_id}


def sides(theirs: Row, yours: Row, tag_by_id: Mapping[str, str], *, may_reply: bool) -> list[Side]:
    """What differs between two forms of one menu."""
    before, after = (_lines(values, tag_by_id, may_reply=may_reply) for values in (theirs, yours))
    return [
        Side(label, before.get(label, "—"), after.get(label, "—"))
        for label in dict.fromkeys([*before, *after])
        if before.get(label) != after.get(label)
    ]


def _lines(values: Row, tag_by_id: Mapping[str, str], *, may_reply: bool) -> dict[str, str]:
    tag, phone = values.get("tag_id", ""), values.get("client_platform_type", "")
    told = {
        _("Name, for operators only"): values.get("title", ""),
        _("Followers with the tag"): tag_by_id.get(tag, tag) or _("any"),
        _("Phone"): words.platforms().get(phone, phone) or _("any"),
    }
    for at, row in enumerate(rows(values, "buttons"), start=1):
        told[_("Button {n}", n=at)] = _line(row, may_reply=may_reply)
        for sub, each in enumerate(rows(row, "sub_button"), start=1):
            told[_("Button {n}", n=f"{at}.{sub}")] = _line(each, may_reply=may_reply)
    return told


def _line(row: Row, *, may_reply: bool) -> str:
    """A button as text: its name, then what it does, then what it answers."""
    name, kind = str(row.get("name", "")).strip(), str(row.get("type", "click"))
    if rows(row, "sub_button"):
        return name
    more = ("value", "appid", "pagepath") if kind == "miniprogram" else ("value",)
    does = [words.menu_kinds().get(kind, kind), *(str(row.get(each, "")).strip() for each in more)]
    reply = str(row.get("reply", "")).replace("\r\n", "\n").strip() if may_reply and kind == "click" else ""
    return "\n".join(part for part in (name, " · ".join(part for part in does if part), reply) if part)


def _button(row: Row, kind: str) -> dict[str, Any]:
    button = {"name": row.get("name", ""), "type": kind, _value_field(kind): str(row.get("value", "")).strip()}
    if kind == "miniprogram":
        button |= {name: str(row.get(name, "")).strip() for name in ("appid", "pagepath")}
    return button


def _value_field(kind: str) -> str:
    """WeChat's name for a button's value."""
    return TYPES.get(kind, ("key",))[0]

"""A menu's buttons as rows of a form, and back."""

from collections.abc import Iterator
from typing import Any

from bot.console.forms import rows
from bot.services import menu_clicks, menu_replies
from bot.services.menu_buttons import TYPES
from bot.services.menu_replies import Answer
from models import Menu

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
    path, _dot, direction = wish.rpartition(".")
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
    return {each["key"] for one in everything for _place, each in menu_clicks.leaves(one) if each.get("key")}


def field(name: str) -> str:
    """Where in the form a field of the service stands."""
    path, _dot, last = name.rpartition(".")
    if path == "matchrule":
        return last
    return f"{path}.value" if last in ("key", "url", "media_id", "article_id") else name


def _button(row: Row, kind: str) -> dict[str, Any]:
    button = {"name": row.get("name", ""), "type": kind, _value_field(kind): str(row.get("value", "")).strip()}
    if kind == "miniprogram":
        button |= {name: str(row.get(name, "")).strip() for name in ("appid", "pagepath")}
    return button


def _value_field(kind: str) -> str:
    """WeChat's name for a button's value."""
    return TYPES.get(kind, ("key",))[0]

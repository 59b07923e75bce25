"""All menus of an account at WeChat, and which call brings them nearer to what they should be.

WeChat tries conditional menus from the newest on, and knows no editing: they are deleted and added.  So what should
stay lies at the bottom, what is new is added on top, the last of our list first, and only then the others go: whoever
is refused on the way has taken nothing from followers yet.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Button = dict[str, Any]

RULE = ("tag_id", "client_platform_type")
RETIRED = ("sex", "country", "province", "city", "language")  # WeChat refuses them (65320), and old ones fit nobody
_OF_BUTTON = ("type", "name", "key", "url", "appid", "pagepath", "media_id", "article_id")

# The refusal's code → the field of a button that it is about, and the levels it may stand on.
_ABOUT: dict[int, tuple[str, tuple[int, ...]]] = {
    40018: ("name", (1,)),
    40025: ("name", (2,)),
    40019: ("key", (1,)),
    40026: ("key", (2,)),
    **dict.fromkeys((40020, 40055), ("url", (1,))),
    **dict.fromkeys((40027, 40054), ("url", (2,))),
    **dict.fromkeys((40155, 65316, 65317, 40048, 40066), ("url", (1, 2))),
    **dict.fromkeys((40165, 40166, 45064), ("appid", (1, 2))),
    **dict.fromkeys((40007, 40117, 40118, 40121), ("media_id", (1, 2))),
    53600: ("article_id", (1, 2)),
}


@dataclass(frozen=True, slots=True)
class Conditional:
    """A menu for some followers; ``menuid`` is WeChat's, "" before it is there."""

    buttons: list[Button]
    matchrule: dict[str, str]
    menuid: str = ""


@dataclass(frozen=True, slots=True)
class MenuSet:
    """The usual menu (no buttons: there is none), and those for some followers: the first that fits counts."""

    buttons: list[Button] = field(default_factory=list)
    conditional: list[Conditional] = field(default_factory=list)


class Act(StrEnum):
    CREATE = "create"  # the usual menu anew
    ADD = "add"
    DELETE = "delete"
    CLEAR = "clear"  # everything


@dataclass(frozen=True, slots=True)
class Call:
    act: Act
    at: int = -1  # add: which of the conditional menus that should be there
    menuid: str = ""  # delete


def read(answer: dict[str, Any] | None) -> MenuSet:
    """What menu/get answered; None: there is no menu."""
    if answer is None:
        return MenuSet()
    found = [
        Conditional(plain(each.get("button") or []), _rule(each.get("matchrule") or {}), str(each.get("menuid", "")))
        for each in answer.get("conditionalmenu") or []
    ]
    # Newest first is how WeChat tries them; its numbers grow.
    found.sort(key=lambda each: int(each.menuid) if each.menuid.isdecimal() else 0, reverse=True)
    return MenuSet(plain((answer.get("menu") or {}).get("button") or []), found)


def next_call(there: MenuSet, wanted: MenuSet, made: dict[str, int], *, room_first: bool = False) -> Call | None:
    """The next step from what is there to what is wanted; None: nothing is left to do.

    made: menuid → its place in ``wanted``, of those that we added and that WeChat may word otherwise than we did;
        the usual menu has the name "".
    room_first: what is not wanted goes before more is added, as WeChat has no room for both.
    """
    if not wanted.buttons:
        return Call(Act.CLEAR) if there.buttons or there.conditional else None
    if not there.buttons or ("" not in made and there.buttons != plain(wanted.buttons)):
        return Call(Act.CREATE)
    at = len(wanted.conditional) - 1
    spare = []
    for each in reversed(there.conditional):
        if at >= 0 and (made.get(each.menuid) == at or is_alike(each, wanted.conditional[at])):
            at -= 1
        else:
            spare.append(each)
    if at >= 0 and not (room_first and spare):
        return Call(Act.ADD, at=at)
    return Call(Act.DELETE, menuid=spare[0].menuid) if spare else None


def is_alike(one: Conditional, other: Conditional) -> bool:
    if one.menuid and one.menuid == other.menuid:
        return True
    return one.matchrule == other.matchrule and plain(one.buttons) == plain(other.buttons)


def can_come_back(menu: Conditional) -> bool:
    """WeChat would take it again."""
    return bool(menu.matchrule) and set(menu.matchrule) <= set(RULE)


def plain(buttons: list[Button]) -> list[Button]:
    """Buttons without what says nothing, so that two ways of writing them compare as equal."""
    shown = []
    for button in buttons:
        one: Button = {name: str(button[name]) for name in _OF_BUTTON if button.get(name) not in ("", None)}
        if below := plain(button.get("sub_button") or []):
            one = {"name": one.get("name", ""), "sub_button": below}
        shown.append(one)
    return shown


def at_fault(buttons: list[Button], errcode: int | None) -> list[str]:
    """The names of the buttons that a refusal can be about; none: it does not tell."""
    name, levels = _ABOUT.get(errcode or 0, ("", ()))
    found = []
    for button in buttons:
        below = button.get("sub_button") or []
        found += [each["name"] for each in below if 2 in levels and name in each]
        if 1 in levels and name in button:
            found.append(button["name"])
    return found


def kept(menus: MenuSet) -> dict[str, Any]:
    """As JSON, for whoever goes on."""
    return {
        "buttons": menus.buttons,
        "conditional": [
            {"buttons": each.buttons, "matchrule": each.matchrule, "menuid": each.menuid} for each in menus.conditional
        ],
    }


def brought_back(kept: dict[str, Any]) -> MenuSet:
    return MenuSet(kept["buttons"], [Conditional(**each) for each in kept["conditional"]])


def _rule(given: dict[str, Any]) -> dict[str, str]:
    filled = {name: str(value) for name, value in given.items() if value not in ("", None)}
    if "group_id" in filled:  # the old name of the same thing
        filled.setdefault("tag_id", filled.pop("group_id"))
    return filled

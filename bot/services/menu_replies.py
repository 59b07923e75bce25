"""What the buttons of a menu answer: the rule behind each key, and what is wrong before followers find out."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.errors import Refused
from bot.services import rules
from bot.services.menu_clicks import leaves
from bot.services.rules import RuleDraft
from bot.wechat import limits
from models import Account, Menu, Rule, Trigger

DOMAINS = 3  # that all conditional menus together may lead to


@dataclass(frozen=True, slots=True)
class Answer:
    """What a key brings, as far as it can be told without a follower."""

    rule: Rule

    @property
    def text(self) -> str | None:
        """What it says, where that can be rewritten below the button: one key, one text."""
        replies, keys = self.rule.replies, self.rule.keywords
        is_plain = len(keys) == 1 and len(replies) == 1 and replies[0]["kind"] == "text"
        return str(replies[0]["text"]) if is_plain else None


@dataclass(frozen=True, slots=True)
class Warning:
    """Something about the draft that followers would stumble over; the sentence is for the catalogue."""

    sentence: str
    menu_id: int  # 0: the usual menu
    place: str = ""  # of the button
    values: dict[str, Any] = field(default_factory=dict)


def answers(session: Session, account: Account) -> dict[str, Answer]:
    """Key → the first rule that is switched on and answers it."""
    found = session.scalars(
        select(Rule)
        .where(Rule.account_id == account.id, Rule.trigger == Trigger.CLICK, Rule.is_enabled)
        .order_by(Rule.position, Rule.id)
    )
    by_key: dict[str, Answer] = {}
    for rule in found:
        for keyword in rule.keywords:
            by_key.setdefault(str(keyword["text"]), Answer(rule))
    return by_key


def write(session: Session, account: Account, key: str, text: str, title: str = "") -> Rule:
    """Have a key answered by this text: its rule is changed, or made.

    Raises:
        Refused: the text or the key cannot be used, or the rule says more than one text to one key.
    """
    if len(text.encode()) > limits.TEXT_BYTES:
        raise Refused("This is too long: {max} bytes at most.", field="text", max=limits.TEXT_BYTES)
    known = answers(session, account).get(key)
    if known is not None and known.text is None:
        raise Refused("This key's rule says more than one text. Change it among the automatic replies.", field="text")
    replies = [{"kind": "text", "text": text}]
    if known is None:
        fresh = {"title": title, "trigger": Trigger.CLICK, "keywords": [{"text": key}], "replies": replies}
        return rules.save(session, account, RuleDraft.model_validate(fresh))
    values = {name: getattr(known.rule, name) for name in RuleDraft.model_fields}
    return rules.save(session, account, RuleDraft.model_validate({**values, "replies": replies}), known.rule)


def new_key(taken: set[str]) -> str:
    """A key that nobody had to invent."""
    while (key := f"menu-{secrets.token_hex(3)}") in taken:
        pass
    taken.add(key)
    return key


def warnings(menu: Menu, known: dict[str, Answer]) -> list[Warning]:
    """What to look at before the draft is published."""
    found = [*_of_buttons(0, menu.buttons, known)]
    earlier: list[dict[str, Any]] = []
    for each in menu.conditional:
        found += _of_buttons(each["id"], each["buttons"], known)
        rule = each["matchrule"].items()
        if any(other["matchrule"].items() <= rule for other in earlier):
            found.append(Warning("Nobody sees this menu: an earlier one fits everybody whom it fits.", each["id"]))
        earlier.append(each)
    hosts = {
        urlsplit(button["url"]).netloc
        for each in menu.conditional
        for _place, button in leaves(each["buttons"])
        if button.get("url")
    }
    if len(hosts) > DOMAINS:
        values = {"hosts": ", ".join(sorted(hosts)), "max": DOMAINS}
        sentence = "The menus for some followers lead to more than {max} domains, which WeChat refuses: {hosts}."
        found.append(Warning(sentence, menu.conditional[0]["id"], values=values))
    return found


def _of_buttons(menu_id: int, buttons: list[dict[str, Any]], known: dict[str, Answer]) -> Iterator[Warning]:
    keys: dict[str, str] = {}
    for place, button in leaves(buttons):
        key = button.get("key")
        if button["type"] == "click" and key not in known:
            yield Warning("No rule answers “{name}” yet.", menu_id, place, {"name": button["name"]})
        if key and key in keys:
            values = {"name": button["name"], "other": keys[key], "key": key}
            yield Warning(
                "“{name}” and “{other}” send the same key “{key}”: they are answered and counted as one.",
                menu_id,
                place,
                values,
            )
        elif key:
            keys[key] = button["name"]

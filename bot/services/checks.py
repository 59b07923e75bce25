"""What a look at something found, worded for the reader who needs it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One thing looked at.  Its texts are templates for the catalogue, with {named} gaps that ``values`` fill.

    A value with ``advice(language)``, such as a WeChatError, is worded in the reader's language.
    """

    subject: str
    state: State
    template: str
    remedy: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def is_failure(self) -> bool:
        return self.state is State.FAIL

    def name(self, translate: Callable[[str], str] = str) -> str:
        return self._filled(translate(self.subject), "en")

    def sentence(self, translate: Callable[[str], str] = str, language: str = "en") -> str:
        return self._filled(translate(self.template), language)

    def fix(self, translate: Callable[[str], str] = str, language: str = "en") -> str:
        return self._filled(translate(self.remedy), language) if self.remedy else ""

    def _filled(self, template: str, language: str) -> str:
        worded = {
            name: value.advice(language) if hasattr(value, "advice") else value for name, value in self.values.items()
        }
        return template.format(**worded) if worded else template


def ok(name: str, template: str, **values: Any) -> Check:
    return Check(name, State.OK, template, "", values)


def warn(name: str, template: str, remedy: str, **values: Any) -> Check:
    return Check(name, State.WARN, template, remedy, values)


def fail(name: str, template: str, remedy: str, **values: Any) -> Check:
    return Check(name, State.FAIL, template, remedy, values)


@dataclass(frozen=True)
class Advice:
    """What a WeChatError advised, in both languages."""

    en: str
    zh: str

    def advice(self, language: str = "en") -> str:
        return self.zh if language.lower().startswith("zh") else self.en


def kept(check: Check) -> dict[str, Any]:
    """A check as JSON, for whoever looks later."""
    values = {
        name: {"en": value.advice("en"), "zh": value.advice("zh")} if hasattr(value, "advice") else value
        for name, value in check.values.items()
    }
    return {
        "subject": check.subject,
        "state": check.state.value,
        "template": check.template,
        "remedy": check.remedy,
    } | {"values": values}


def read(kept: dict[str, Any]) -> Check:
    """The check that ``kept`` made this of."""
    values = {name: Advice(**value) if isinstance(value, dict) else value for name, value in kept["values"].items()}
    return Check(kept["subject"], State(kept["state"]), kept["template"], kept["remedy"], values)

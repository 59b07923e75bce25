"""Forms: names with dots become nested values, and each refusal goes to its field with all that was typed kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from bot.console.language import _, worded
from bot.errors import Refused


@dataclass
class Form:
    """What stands in a form's fields, and what is wrong with them."""

    values: dict[str, Any] = field(default_factory=dict)  # nested, as in the page: form.at("replies.0.text")
    errors: dict[str, str] = field(default_factory=dict)  # dotted name → sentence in the operator's language

    def at(self, name: str, otherwise: Any = "") -> Any:
        found: Any = self.values
        for part in name.split("."):
            if isinstance(found, Mapping):
                found = found.get(part)
            elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
                found = found[int(part)]
            else:
                found = None
        return otherwise if found is None else found

    def error(self, name: str) -> str:
        return self.errors.get(name, "")

    def refuse(self, problem: Refused | ValidationError) -> None:
        if isinstance(problem, Refused):
            self.errors[problem.field] = worded(problem)
            return
        for error in problem.errors():
            # A union's own tag ("replies", 0, "text", "text") stands between: the form has no such level.
            tags = {"text", "image", "voice", "video", "music", "news", "transfer_customer_service"}
            path = [str(part) for part in error["loc"]]
            if len(path) > 3 and path[0] == "variants" and path[2] == "content":
                del path[3]
            if len(path) > 2 and path[0] == "replies" and path[2] in tags:
                del path[2]
            path = [part for part in path if not part.startswith(("constrained-str", "literal", "function-"))]
            self.errors.setdefault(".".join(path), _pydantic_sentence(error["type"], error.get("ctx", {})))


def nested(given: MultiDict[str, str]) -> dict[str, Any]:
    """{"a.0.b": "x"} → {"a": [{"b": "x"}]}; numbers that were left out are closed up."""
    tree: dict[str, Any] = {}
    for name, value in given.items():
        *path, last = name.split(".")
        place = tree
        for part in path[:6]:
            below = place.setdefault(part, {})
            place = below if isinstance(below, dict) else {}
        place[last] = value
    closed: dict[str, Any] = _lists(tree)
    return closed


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(each) for key, each in value.items()}


def rows(values: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The rows under a name, whatever somebody sent under it."""
    found = values.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _pydantic_sentence(kind: str, context: Mapping[str, Any]) -> str:
    if kind in ("string_too_short", "missing", "too_short"):
        return _("Fill this in.")
    if kind in ("string_too_long", "too_long"):
        return _("This is too long: at most {max}.", max=context.get("max_length", ""))
    if kind in ("string_pattern_mismatch", "literal_error"):
        return _("This does not have the right form; a web address begins with https://.")
    if kind.startswith("date"):
        return _("Give a day such as 2026-11-23.")
    return _("This cannot be used here.")

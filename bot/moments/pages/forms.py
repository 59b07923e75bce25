"""What stands in a form's fields, and what is wrong with them."""

from dataclasses import dataclass, field

from bot.errors import Refused
from bot.moments.pages.language import worded


@dataclass
class Form:
    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)  # field → sentence in the member's language

    def at(self, name: str) -> str:
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        return self.errors.get(name, "")

    def over(self, values: dict[str, str]) -> "Form":
        """The same over what is kept, where nothing was typed."""
        return Form({**values, **self.values}, self.errors)

    def refuse(self, refused: Refused, otherwise: str = "") -> None:
        """Put the sentence at its field; at ``otherwise`` where it is about none of this form's."""
        self.errors[refused.field if refused.field in self.values else otherwise or refused.field] = worded(refused)

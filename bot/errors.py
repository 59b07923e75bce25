"""What a service says when it will not do a thing; each door words it (console page, JSON, command line)."""

from collections.abc import Callable


class Refused(Exception):
    """One clear sentence: what is wrong and what to do.

    ``template`` is the English sentence with {named} gaps, which the console looks up in its catalogue.
    ``field`` names the form or JSON field at fault, if one is.
    """

    status = 422

    def __init__(self, template: str, *, field: str = "", **values: object) -> None:
        self.template, self.field, self.values = template, field, values
        super().__init__(template.format(**values) if values else template)

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        text = translate(self.template)
        return text.format(**self.values) if self.values else text


class NotFound(Refused):
    """No such thing, or another account's: the two look alike."""

    status = 404


class Conflict(Refused):
    """Somebody else was first."""

    status = 409


class Forbidden(Refused):
    status = 403


class Unauthenticated(Refused):
    status = 401

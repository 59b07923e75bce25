from collections.abc import Callable

import pytest
from flask import Flask

from bot.app import create_app
from tests.moments.conftest import advance, unlimited
from tests.moments_pages.people import Person

__all__ = ["advance", "unlimited"]


@pytest.fixture
def app(redis: object, database_url: str) -> Flask:
    app = create_app()
    app.testing = True
    return app


@pytest.fixture
def person(app: Flask) -> Callable[..., Person]:
    """Make somebody: person("ann"), with friends: person("bob", ann)."""

    def person(handle: str, *friends: Person, name: str = "", language: str = "en") -> Person:
        made = Person(app, handle, name or handle.title(), language)
        for friend in friends:
            made.befriend(friend)
        return made

    return person

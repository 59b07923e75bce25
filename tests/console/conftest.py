"""The console in a small app of its own, and a browser that is signed in."""

import functools
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bot import console, settings
from bot.services import operators
from models import Operator
from tests.console.samples import TeaHouse, tea_house
from tests.factories import Create


class Browser:
    """Opens pages, and sends forms as a page of ours would: with its token."""

    def __init__(self, client: FlaskClient, session: Session) -> None:
        self.client = client
        self.session = session  # the test's own
        self.language = "en"

    def open(self, path: str, **values: Any) -> TestResponse:
        self.session.commit()  # what the test looked at holds SQLite's write lock
        headers = {"Accept-Language": self.language, **values.pop("headers", {})}
        return self.client.get(f"/console{path}", headers=headers, **values)

    def token(self) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.open("/profile").text)
        found = found or re.search(r'name="csrf_token" value="([^"]+)"', self.open("/sign-in").text)
        assert found
        return found[1]

    def send(self, path: str, **data: Any) -> TestResponse:
        token = self.token()
        self.session.expire_all()
        data = {name: value for name, value in data.items() if value is not None}
        return self.client.post(
            f"/console{path}", data={"csrf_token": token, **data}, headers={"Accept-Language": self.language}
        )

    def sign_in(self, cookie: str) -> None:
        self.client.set_cookie("lobby", cookie)


@pytest.fixture
def app(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setenv("LOBBY_WECHAT_URL", "http://127.0.0.1:9")  # nobody there: the health page must not ask WeChat
    settings.settings.cache_clear()
    return console_alone()


@functools.cache
def console_alone() -> Flask:
    app = Flask("console-alone")
    app.testing = True
    app.secret_key = "0123456789abcdef" * 4
    console.register(app)
    return app


@pytest.fixture
def stranger(app: Flask, session: Session) -> Browser:
    return Browser(app.test_client(), session)


@pytest.fixture
def owner(create: Create) -> Operator:
    return operators.find(create.session, "owner") or create.operator("owner")


@pytest.fixture
def browser(app: Flask, create: Create, owner: Operator) -> Browser:
    browser = Browser(app.test_client(), create.session)
    browser.sign_in(operators.sign_in(create.session, owner, "Firefox"))
    create.session.commit()
    return browser


@pytest.fixture
def house(create: Create) -> TeaHouse:
    return tea_house(create)

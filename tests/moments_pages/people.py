"""Members with browsers of their own, who open pages and send forms as a person would."""

import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from bot.database import transaction
from bot.moments import addresses, members
from bot.moments.api.contract import COOKIE
from tests.moments.conftest import Browser


class Person(Browser):
    """``person.get("/feed")`` asks the API; ``open`` and ``send`` use the pages, in one language."""

    def __init__(self, app: Flask, handle: str, name: str, language: str = "en") -> None:
        with transaction() as session:
            member = members.add(session, handle, name)
            token = members.make_token(session, member, "test", ["all"])[1]
            cookie = members.sign_in(session, member, "Firefox")
        super().__init__(app.test_client(), token, member.id)
        self.handle, self.name, self.language, self.cookie = handle, name, language, cookie
        self.client.set_cookie(COOKIE, cookie, path="/moments")

    def open(self, path: str) -> TestResponse:
        return self.client.get(f"/moments{path}", headers={"Accept-Language": self.language}, follow_redirects=True)

    def send(self, path: str, page: str = "/account", **data: Any) -> TestResponse:
        """Send a form as ``page`` holds it, with its token, and follow to where it leads."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.open(page).text)
        assert token, page
        headers = {"Accept-Language": self.language}
        sent = {"csrf_token": token[1], **data}
        return self.client.post(f"/moments{path}", data=sent, headers=headers, follow_redirects=True)

    def text(self, path: str) -> str:
        """What the page says, as a screen reader reads it."""
        answer = self.open(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return words(answer)


def words(answer: TestResponse) -> str:
    body = re.sub(r"(?s)<(script|style|svg|head)\b.*?</\1>", " ", answer.text)
    body = re.sub(r"(?s)<(\w+)[^>]*aria-hidden=.true.[^>]*>.*?</\1>", " ", body)
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("&#39;", "'").split())


def address(kind: str, row_id: int) -> str:
    return addresses.of(kind, row_id)

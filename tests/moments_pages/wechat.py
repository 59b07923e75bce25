"""A phone with WeChat on it, over real HTTP: it presses buttons, agrees or not, and is led back."""

import re
from typing import Any
from urllib.parse import urlsplit

import requests

from models import Account
from tests.factories import Sim


class WechatPhone:
    def __init__(self, sim: Sim, account: Account, home: str, name: str = "小美", language: str = "en") -> None:
        self.account, self.home, self.language = account, home, language
        self.openid = sim.follower(account, name)
        self.http = requests.Session()
        self.http.headers["Accept-Language"] = language

    def open(self, path: str, **options: Any) -> requests.Response:
        return self.http.get(f"{self.home}/moments{path}", timeout=30, **options)

    def press(self, path: str, page: str = "/sign-in", **data: str) -> requests.Response:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.open(page).text)
        assert token
        sent = {"csrf_token": token[1], **data}
        return self.http.post(f"{self.home}/moments{path}", data=sent, timeout=30, allow_redirects=False)

    def begin(self, page: str = "/sign-in", **data: str) -> str:
        """Press the button on this page; where it leads."""
        answer = self.press(f"{page}/wechat/{self.account.slug}", page, **data)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def decide(self, address: str, decision: str = "allow") -> str:
        """Answer WeChat's consent page; where that leads."""
        data = {"openid": self.openid, "decision": decision}
        answer = requests.post(address.partition("#")[0], data=data, timeout=30, allow_redirects=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def follow(self, address: str) -> requests.Response:
        assert urlsplit(address).path == "/moments/wechat"
        return self.http.get(address, timeout=30)

    def sign_in(self, page: str = "/sign-in", **data: str) -> requests.Response:
        return self.follow(self.decide(self.begin(page, **data)))

    def me(self) -> Any:
        answer = self.open("/api/v1/me")
        return answer.json() if answer.ok else None

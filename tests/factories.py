"""One word to arrange a thing."""

import itertools
from datetime import timedelta
from typing import Any

import requests
from sqlalchemy.orm import Session

from bot import clock
from bot.services import access, accounts, assistant, knowledge, name_search, operators, rules
from bot.services.rules import RuleDraft
from models import Account, Assistant, Follower, Operator, ReplyWindow, Role, Rule, SourceKind, Trigger

_numbers = itertools.count(1)


class Create:
    """Rows that are there when the test begins: each call commits."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def account(self, slug: str = "practice", **values: Any) -> Account:
        given = {
            "appid": f"wx{next(_numbers):016x}",
            "original_id": f"gh_{slug}",
            "secret": "s" * 32,
            "token": "simtoken",
            "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"[:42] + "A",
            **values,
        }
        account = accounts.create(self.session, slug, **given)
        self.session.commit()
        return account

    def follower(self, account: Account, may_get: int = 0, **values: Any) -> Follower:
        """``may_get``: so many replies are left, as after a message of theirs."""
        follower = Follower(account_id=account.id, openid=values.pop("openid", f"o{next(_numbers):027d}"), **values)
        self.session.add(follower)
        self.session.flush()
        name_search.keep(self.session, account.id, [(follower.id, follower.nickname or "", follower.remark or "")])
        if may_get:
            ends = clock.now() + timedelta(hours=47)
            window = ReplyWindow(follower_id=follower.id, trigger="message", left=may_get, expires_at=ends)
            self.session.add(window)
        self.session.commit()
        return follower

    def rule(self, account: Account, keyword: str = "", reply: str = "", mode: str = "exact", **values: Any) -> Rule:
        if keyword:
            values.setdefault("keywords", [{"mode": mode, "text": keyword}])
        if reply:
            values.setdefault("replies", [{"kind": "text", "text": reply}])
        values.setdefault("trigger", Trigger.KEYWORD)
        rule = rules.save(self.session, account, RuleDraft.model_validate(values))
        self.session.commit()
        return rule

    def assistant(self, account: Account, knows: str = "", **values: Any) -> Assistant:
        """One that is on and asks the stand-in; ``knows``: Markdown."""
        given = {"is_enabled": True, "url": "practice", "model": "m", "signature": "", **values}
        made = assistant.update(self.session, account, given)
        if knows:
            knowledge.save(self.session, account, "须知", SourceKind.MARKDOWN, knows)
        self.session.commit()
        return made

    def operator(
        self, name: str = "owner", password: str = "", role: Role | None = Role.OWNER, account: Account | None = None
    ) -> Operator:
        """An owner of everything, if nothing else is said."""
        operator = operators.create(self.session, name, password)
        if role:
            access.give(self.session, operator, role, account)
        self.session.commit()
        return operator


class Sim:
    """WeChat, as a test steers it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = requests.Session()

    def post(self, path: str, /, **body: Any) -> Any:
        response = self.http.post(f"{self.address}/sim/{path}", json=body, timeout=60)
        assert response.ok, response.text
        return response.json()

    def get(self, path: str, /, **query: Any) -> Any:
        response = self.http.get(f"{self.address}/sim/{path}", params=query, timeout=60)
        assert response.ok, response.text
        return response.json()

    def connect(self, account: Account, address: str, **values: Any) -> None:
        """Enter our account at WeChat, as an operator does in WeChat's console."""
        made = accounts.credentials(account)
        self.post(
            "accounts",
            account=account.slug,
            appid=account.appid,
            original_id=account.original_id,
            secret=accounts.secret(account),
            token=made.token,
            encoding_aes_key=made.encoding_aes_key,
            mode=made.mode,
            callback_url=f"{address}/wechat/{account.slug}",
            kind=account.kind.value,
            verified=account.is_verified,
            **values,
        )

    def follower(self, account: Account, name: str = "小李", **values: Any) -> str:
        return str(self.post("followers", account=account.slug, name=name, **values)["openid"])

    def say(self, account: Account, openid: str, text: str, **values: Any) -> Any:
        return self.post("messages", account=account.slug, openid=openid, type="text", text=text, **values)

    def happen(self, account: Account, openid: str, event: str, **values: Any) -> Any:
        return self.post("events", account=account.slug, openid=openid, event=event, **values)

    def inbox(self, account: Account, openid: str) -> list[dict[str, Any]]:
        return list(self.get(f"followers/{openid}/inbox", account=account.slug))

    def wait(self, seconds: float) -> None:
        """Move WeChat's clock, and with it ours."""
        self.post("clock", advance_seconds=seconds)


class StandIn:
    """The language model, as a test scripts it."""

    def __init__(self, address: str) -> None:
        self.address = address

    def will(self, **script: Any) -> None:
        """What its next answer does (times=0: all of them): delay_ms, status, text, body, drip_ms, endless, cut."""
        assert requests.post(f"{self.address}/control", json=script, timeout=10).ok

    def forget(self) -> None:
        assert requests.delete(f"{self.address}/control", timeout=10).ok

    def asked(self) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.address}/control", timeout=10).json()["asked"])

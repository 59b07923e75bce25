"""``lobby say``: one message from a follower's phone, for a newcomer's first minute and for scripts."""

import time
from collections.abc import Iterator
from typing import Any

import click
import requests

from bot.cli.base import Failed, Sentence, command, data_dir
from bot.supervisor import running
from bot.supervisor.running import Running

ACCOUNT = "practice"
NAME = "Lin 林"
FOLLOW_ON_SECONDS = 2.0  # longer replies and second thoughts arrive as customer-service messages
READY_SECONDS = 30


@command("say")
@click.argument("text")
@click.option("--as", "name", default=NAME, show_default=True, help="Who writes; a new name is a new follower.")
def say(text: str, name: str) -> None:
    """Write TEXT to the practice account and print what the phone shows.

    The message goes the whole way: simulator, webhook, rules, reply.
    """
    phone = Phone(_stack().sim_url)
    openid = phone.follower(name)
    seen = phone.last_item(openid)
    done = phone.write(openid, text)
    reply = done.get("reply")
    if reply:
        click.echo(shown(reply))
    if done.get("notice"):
        raise Failed(f"The phone shows a failure notice: {done['notice']}" + _why(done))
    count = 0
    for item in phone.follow_on(openid, seen):
        click.echo(shown(item))
        count += 1
    if not reply and not count:
        raise Failed("No reply: the account kept silent." + _why(done))


class Phone:
    """The practice account's followers, as the simulator's control knows them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy stands between us and this machine

    def follower(self, name: str) -> str:
        return str(self._ask("POST", "/sim/followers", json={"account": ACCOUNT, "name": name})["openid"])

    def write(self, openid: str, text: str) -> dict[str, Any]:
        body = {"account": ACCOUNT, "openid": openid, "type": "text", "text": text}
        done: dict[str, Any] = self._ask("POST", "/sim/messages", json=body)
        return done

    def inbox(self, openid: str, after: int = 0) -> list[dict[str, Any]]:
        params: dict[str, str | int] = {"account": ACCOUNT, "after": after}
        items: list[dict[str, Any]] = self._ask("GET", f"/sim/followers/{openid}/inbox", params=params)
        return items

    def last_item(self, openid: str) -> int:
        return max((item["id"] for item in self.inbox(openid)), default=0)

    def follow_on(self, openid: str, after: int) -> Iterator[dict[str, Any]]:
        """What arrives in the next moments besides the reply."""
        until = time.monotonic() + FOLLOW_ON_SECONDS
        while time.monotonic() < until:
            for item in self.inbox(openid, after):
                after = max(after, item["id"])
                if item["kind"] == "customer":
                    yield item
            time.sleep(0.1)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._http.request(method, self._url + path, timeout=30, **options)
        except requests.RequestException:
            raise Sentence(
                f"The simulator does not answer at {self._url}; look into the output of `lobby up`."
            ) from None
        if not answer.ok:
            words = answer.json() if answer.headers.get("Content-Type", "").startswith("application/json") else {}
            raise Sentence(f"The simulator refused: {words.get('error') or answer.status_code}")
        return answer.json()


def shown(item: dict[str, Any]) -> str:
    """One message as a line or a few; a text as it is."""
    kind = item.get("type") or item.get("kind") or ""
    if kind == "text":
        return str(item.get("text", ""))
    if kind == "news":
        articles = item.get("articles") or []
        return "\n".join(f"[news] {each.get('title', '')} {each.get('url', '')}".rstrip() for each in articles)
    facts = [str(item[name]) for name in ("title", "description", "media_id", "url", "text") if item.get(name)]
    return f"[{kind}] {' · '.join(facts)}".rstrip()


def _stack() -> Running:
    stack = running.find(data_dir())
    if stack is None:
        raise Sentence(f"Lobby is not running in {data_dir()}/; start it with `lobby up`.")
    if not stack.sim_url:
        raise Sentence("Lobby runs without the simulator; start it without --no-sim to practise.")
    deadline = time.monotonic() + READY_SECONDS
    while not stack.is_ready and time.monotonic() < deadline:
        time.sleep(0.1)
        stack = running.find(data_dir()) or stack
    if not stack.is_ready:
        raise Sentence("Lobby is still starting; try again when it says that it is ready.")
    return stack


def _why(done: dict[str, Any]) -> str:
    return f" ({done['why']})" if done.get("why") else ""

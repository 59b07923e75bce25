"""An operator who tags, the workers, and WeChat's own view of it."""

import json

from sqlalchemy import select

from bot.database import reading, transaction
from bot.jobs import tags as tag_jobs
from bot.jobs import tasks as jobs
from bot.services import follower_sync, tag_pushes, tags, tokens
from models import Account, Follower, Tag, Task


class Desk:
    """An operator's desk, the workers, and WeChat's own view."""

    def __init__(self, account, sim) -> None:
        self.account, self.sim = account, sim

    def ask(self, path: str, **body):
        query = {"access_token": tokens.access_token(self.account.id)}
        data = json.dumps(body, ensure_ascii=False).encode()
        method = self.sim.http.post if body else self.sim.http.get
        answer = method(f"{self.sim.address}/cgi-bin/{path}", params=query, data=data, timeout=10)
        return json.loads(answer.content)

    def do(self, act, *args):
        """act(session, account, …) in one transaction."""
        with transaction() as session:
            return act(session, session.get_one(Account, self.account.id), *args)

    def add(self, name: str) -> Tag:
        return self.do(tags.add, name)

    def give(self, tag: Tag, ids: list[int]) -> int:
        return self.do(
            lambda session, account: tags.give(session, account, tags.get(session, account, tag.id), ids, "小美")
        )

    def take(self, tag: Tag, ids: list[int]) -> int:
        return self.do(
            lambda session, account: tags.take(session, account, tags.get(session, account, tag.id), ids, "小美")
        )

    def push(self) -> Task | None:
        """Tell WeChat all that can be told."""
        tag_jobs.look(self.account.id)
        return self.advance(tag_pushes.KIND)

    def sync(self) -> Task | None:
        self.do(lambda session, account: follower_sync.start(session, account))
        return self.advance(follower_sync.KIND)

    def advance(self, kind: str) -> Task | None:
        with reading() as session:
            found = session.scalars(select(Task).where(Task.kind == kind).order_by(Task.id.desc()).limit(1)).first()
        if found is not None:
            jobs.advance(found.id)
            with reading() as session:
                return session.get_one(Task, found.id)
        return None

    def here(self) -> dict[str, set[str]]:
        """Tag → openids, as we know it."""
        with reading() as session:
            known = session.scalars(select(Tag).where(Tag.wechat_id >= 100)).all()
            members = {tag.name: set[str]() for tag in known}
            for follower in session.scalars(select(Follower)):
                for tag in follower.tags:
                    if tag.name in members:
                        members[tag.name].add(follower.openid)
            return members

    def there(self) -> dict[str, set[str]]:
        """The same, as WeChat knows it."""
        return {
            tag["name"]: set(self.ask("user/tag/get", tagid=tag["id"]).get("data", {}).get("openid", []))
            for tag in self.ask("tags/get")["tags"]
            if tag["id"] >= 100
        }

    def waiting(self) -> int:
        with reading() as session:
            return tag_pushes.waiting(session, self.account)

    def problems(self) -> list[tuple[str, str, int]]:
        with reading() as session:
            return [(each.tag, each.error, each.count) for each in tag_pushes.problems(session, self.account)]

    def calls(self, path: str) -> int:
        return self.sim.get("ledger", account=self.account.slug)["calls"].get(path, 0)

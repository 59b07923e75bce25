"""Whether the links of a campaign lead somewhere: looked at by a worker, told before the launch."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot import clock
from bot.queue import enqueue
from bot.services import campaign_contents, tasks
from bot.services.tasks import Claimed
from bot.wechat.contents import Notice
from models import Account, Campaign, Task, TaskStatus

KIND = "campaign_links"
HOLDS = timedelta(hours=1)  # then they are looked at again
MOST = 40  # links of one campaign

# What keeps a link from answering, by bot.fetching's word for it.
REASONS = {
    "address": "It is not a public web address that everybody can open.",
    "name": "There is no such address: its name leads nowhere.",
    "silence": "It does not answer.",
    "tls": "It cannot prove that it is who it says: phones will warn of it.",
    "answer": "It does not answer as a web page does.",
    "redirects": "It leads on and on.",
}
SAYS_NO = "It answers with an error, {status}."


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    status: int | None = None  # what it answered, after all redirects
    why: str = ""  # it did not answer: a key of REASONS

    @property
    def is_dead(self) -> bool:
        return bool(self.why) or (self.status or 0) >= 400

    @property
    def sentence(self) -> str:
        """What is wrong with it, with {status} to fill in; "": nothing."""
        return REASONS.get(self.why, "") or (SAYS_NO if self.is_dead else "")


@dataclass(frozen=True, slots=True)
class Look:
    """How a campaign's links stand; ``checked_at`` None: nobody has looked at these yet."""

    links: list[Link]
    checked_at: datetime | None
    is_under_way: bool
    error: str  # why the last look came to nothing
    is_due: bool  # it is time to look (again)

    @property
    def dead(self) -> list[Link]:
        return [link for link in self.links if link.is_dead]


def of(session: Session, account: Account, campaign: Campaign) -> Look:
    """What is known of the links that the campaign has now."""
    urls = _urls(campaign)
    newest = list(session.scalars(_of(account, campaign).order_by(Task.id.desc()).limit(5)))
    is_open = bool(newest) and newest[0].status in tasks.OPEN
    error = newest[0].error if newest and newest[0].status is TaskStatus.FAILED else ""
    done = next((task for task in newest if task.status is TaskStatus.DONE), None)
    found: dict[str, dict[str, Any]] = done.state.get("found", {}) if done else {}
    known = [Link(url, **found[url]) for url in urls if url in found]
    checked_at = done.finished_at if done and len(known) == len(urls) else None
    tried_at = newest[0].finished_at if error else checked_at
    is_due = bool(urls) and not is_open and (tried_at is None or tried_at < clock.now() - HOLDS)
    return Look(known if checked_at else [], checked_at, is_open, error, is_due)


def start(session: Session, account: Account, campaign: Campaign) -> Task:
    """Have a worker look at them, or return the look that is under way."""
    tasks.lock(session, account)
    task = session.scalar(_of(account, campaign).where(Task.status.in_(tasks.OPEN)).limit(1))
    if task is None:
        task = Task(account_id=account.id, kind=KIND, state={"campaign_id": campaign.id})
        session.add(task)
        session.flush()
        enqueue(session, "tasks.advance", task.id)
    return task


def wanted(session: Session, claimed: Claimed) -> list[str]:
    """The addresses that a look is about, as the campaign is now."""
    campaign = session.get(Campaign, claimed.state["campaign_id"])
    return _urls(campaign) if campaign is not None else []


def note(session: Session, claimed: Claimed, found: list[Link]) -> None:
    """Keep what was found, and end the look."""
    kept = {link.url: {"status": link.status, "why": link.why} for link in found}
    state = {**claimed.state, "found": kept}
    going_on = tasks.progress(session, claimed, done=len(found), total=len(found), state=state)
    if going_on is not None:
        tasks.finish(session, going_on)


def _of(account: Account, campaign: Campaign) -> Select[Task]:
    is_mine = Task.state["campaign_id"].as_integer() == campaign.id
    return select(Task).where(Task.account_id == account.id, Task.kind == KIND, is_mine)


def _urls(campaign: Campaign) -> list[str]:
    """Each once; one with a variable in it is another for every follower."""
    found: dict[str, None] = {}
    for content in campaign_contents.contents_of(campaign):
        urls = [content.url] if isinstance(content, Notice) and content.url else campaign_contents.links_in(content)
        found |= dict.fromkeys(url for url in urls if "{{" not in url)
    return list(found)[:MOST]

"""Campaigns of every channel, launched one after another while things are killed, and WeChat's own troubles."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from bot.database import reading, transaction
from bot.errors import Conflict
from bot.services import campaign_control
from bot.services.campaign_ledger import FINAL
from models import Account, Batch, Campaign, CampaignStatus
from tests.factories import Create, Sim
from tests.faults.referee import ENDED, Verdict, judge, judge_jobs
from tests.jobs.campaigner import Campaigner

# What one account's followers get: WeChat allows them four mass messages a month, and five in a window.
ROUND = ("mass", "service", "template", "experiment", "notice", "mass", "service", "template", "mass")
LIFTED = {"/cgi-bin/message/mass/send": 10**6, "/cgi-bin/message/custom/send": 10**6}
MASS, SERVICE = "/cgi-bin/message/mass/send", "/cgi-bin/message/custom/send"
TEMPLATE, ENDS = "/cgi-bin/message/template/send", "MASSSENDJOBFINISH"
TROUBLES: tuple[dict[str, Any], ...] = (
    {"path": MASS, "cut": "reply"},
    {"path": MASS, "cut": "request"},
    {"path": MASS, "errcode": -1},
    {"path": MASS, "status": 502, "after": True},
    {"path": MASS, "delay_ms": 150, "after": True},
    {"path": SERVICE, "cut": "reply"},
    {"path": SERVICE, "cut": "request"},
    {"path": SERVICE, "errcode": -1},
    {"path": TEMPLATE, "cut": "reply"},
    {"path": TEMPLATE, "status": 502, "after": True},
    {"path": ENDS, "lost": True},
    {"path": ENDS, "copies": 3},
    {"path": ENDS, "early": True},
    {"path": ENDS, "delay_seconds": 2700},
    {"path": "callback", "cut": "reply"},
    {"path": "callback", "cut": "push"},
)
CUTS = [each for each in TROUBLES if each.get("cut") or each.get("after")]


@dataclass(frozen=True)
class Launched:
    marketer: Campaigner
    id: int
    said: str


class Load:
    """Keeps ``at_once`` campaigns going; all is drawn from one seeded generator."""

    def __init__(
        self, create: Create, sim: Sim, address: str, rng: random.Random, followers: int = 40, at_once: int = 6
    ) -> None:
        self.create, self.sim, self.address, self.rng = create, sim, address, rng
        self.followers, self.at_once = followers, at_once
        self.marketers: list[Campaigner] = []
        self.launched: list[Launched] = []
        self.waiting: list[tuple[Campaigner, str]] = []
        self.numbered = 0
        self.troubles = 0
        self.cuts = 0

    def add_account(self, opens_windows: bool = True, followers: int = 0) -> Campaigner:
        """Another account; with windows half of its followers have written, and half of those allowed a notice."""
        slug = f"a{len(self.marketers) + 1}"
        marketer = Campaigner(self.create, self.sim, self.address, followers or self.followers, slug=slug)
        self.sim.post("accounts", account=slug, daily_limits=LIFTED, mass_a_minute=0, moderation_seconds=3)
        content = "{{thing1.DATA}}"
        for kind in ("message", "one-time"):
            added = self.sim.post("templates", account=slug, kind=kind, title="提醒", content=content)
            setattr(marketer, f"template_{kind[:3]}", added["template_id"])
        if opens_windows:
            self.open_windows(marketer)
        self.marketers.append(marketer)
        if followers:
            return marketer
        kinds = ROUND if opens_windows else [kind for kind in ROUND if kind not in ("service", "notice")]
        self.waiting += [(marketer, kind) for kind in kinds]
        return marketer

    def open_windows(self, marketer: Campaigner) -> None:
        for at, openid in enumerate(marketer.openids[::2]):
            self.sim.say(marketer.account, openid, "在吗")
            if at % 2:
                consent = {"openid": openid, "template_id": marketer.template_one}  # type: ignore[attr-defined]
                self.sim.post("consents", account=marketer.account.slug, **consent)

    def launch(self, marketer: Campaigner, kind: str, **plan: Any) -> Launched:
        self.numbered += 1
        said = f"秋茶第{self.numbered}号。"
        campaign = marketer.plan(name=said, **content_of(marketer, kind, said), **plan)
        self.press_launch(marketer, campaign)
        self.launched.append(Launched(marketer, campaign.id, said))
        return self.launched[-1]

    def press_launch(self, marketer: Campaigner, campaign: Campaign) -> None:
        with transaction() as session:
            campaign_control.launch(session, marketer.here(session), marketer.find(session, campaign), who="小美")

    def open(self) -> list[Campaign]:
        """Those that have not ended, with all their batches."""
        with reading() as session:
            found = [session.get_one(Campaign, each.id) for each in self.launched]
        return [campaign for campaign in found if campaign.status not in ENDED]

    def step(self, more: bool = True) -> None:
        """A marketer's moment: launch the next, resume what was stopped, now and then pause or cancel one."""
        running = self.open()
        if more and len(running) < self.at_once:
            if not self.waiting:
                self.add_account(opens_windows=False)
            self.launch(*self.waiting.pop(0))
        for campaign in running:
            if campaign.status is CampaignStatus.PAUSED:
                self.steer(campaign_control.resume, campaign)
            elif campaign.status is CampaignStatus.MISSED:  # nothing ran for an hour of this fast time
                self.steer(campaign_control.move, campaign, "")
        if more and running and self.rng.random() < 0.1:
            act = self.rng.choice((*[campaign_control.pause] * 4, campaign_control.cancel))
            self.steer(act, self.rng.choice(running))
        if more and self.rng.random() < 0.5:
            self.trouble(self.rng.choice(TROUBLES))

    def steer(self, act: Callable[..., Any], campaign: Campaign, *values: Any) -> None:
        try:
            with transaction() as session:
                fresh = session.get_one(Campaign, campaign.id)
                act(session, session.get_one(Account, fresh.account_id), fresh, *values)
        except Conflict:
            pass  # it has moved on meanwhile

    def trouble(self, trouble: dict[str, Any]) -> None:
        self.sim.post("faults", times=1, **trouble)
        self.troubles += 1
        self.cuts += trouble in CUTS

    def verdict(self) -> Verdict:
        """Of everything that was launched."""
        whole = Verdict()
        for each in self.launched:
            whole += judge(self.sim, each.marketer.account.slug, each.id, each.said)
        for marketer in self.marketers:
            whole.problems += judge_jobs(self.sim, marketer.account.slug, marketer.account.id)
        return whole

    def close(self) -> Verdict:
        """Judge all that was launched, and forget it."""
        verdict = self.verdict()
        self.launched.clear()
        return verdict

    def left(self) -> set[str]:
        """How the batches stand that have not ended, and "delivering" while WeChat has not done all it took on."""
        with reading() as session:
            found = {status.value for status in session.scalars(select(Batch.status).where(Batch.status.not_in(FINAL)))}
        jobs = (self.sim.get("jobs", account=each.account.slug)["waiting"] for each in self.marketers)
        if any(waiting["masses"] for waiting in jobs):
            found.add("delivering")
        return found


def content_of(marketer: Campaigner, kind: str, said: str) -> dict[str, Any]:
    """Channel and variants of a campaign of a kind; ``said`` is in every message of it, and in no other."""
    text: dict[str, Any] = {"kind": "text", "text": said}
    match kind:
        case "mass":
            return {"channel": "mass", "content": text}
        case "experiment":
            says = ("晨", "午", "晚")
            contents = [json.loads(json.dumps(text)) | {"text": said + word} for word in says]
            variants = [{"name": word, "weight": 1, "content": each} for word, each in zip(says, contents, strict=True)]
            return {"channel": "mass", "variants": variants, "held_out": 10}
        case "service":
            return {"channel": "service", "content": text}
        case "template" | "notice":
            template = marketer.template_mes if kind == "template" else marketer.template_one  # type: ignore[attr-defined]
            return {
                "channel": kind,
                "content": {"kind": kind, "template_id": template, "values": {"thing1": said}},
            }
    raise ValueError(kind)

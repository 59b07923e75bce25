"""A marketer with an account, its followers at WeChat and here, and the workers."""

from typing import Any

from sqlalchemy import insert, select

from bot import clock
from bot.database import reading, transaction
from bot.jobs import campaigns as jobs
from bot.services import campaign_control, campaigns
from bot.services.campaigns import CampaignDraft
from models import Account, Batch, Campaign, CampaignStatus, Delivery, Follower
from tests.factories import Create, Sim


class Campaigner:
    def __init__(self, create: Create, sim: Sim, live: str, followers: int = 5, **values: Any) -> None:
        self.sim = sim
        self.account = create.account(**values)
        sim.connect(self.account, live)
        self.openids: list[str] = []
        self.gone: set[str] = set()  # of them, those who do not follow now
        self.meet(followers)

    def meet(self, count: int) -> list[str]:
        """So many new followers, known to WeChat and to us."""
        before = set(self.openids)
        self.sim.post("followers", account=self.account.slug, name="小李", count=count)
        found = [one["openid"] for one in self.sim.get("followers", account=self.account.slug)]
        new = [openid for openid in found if openid not in before]
        rows = [{"account_id": self.account.id, "openid": openid, "nickname": "小李"} for openid in new]
        with transaction() as session:
            session.execute(insert(Follower), rows)
        self.openids += new
        return new

    def plan(self, content: dict[str, Any] | None = None, **values: Any) -> Campaign:
        given: dict[str, Any] = {"name": "秋茶上新", "channel": "mass", "to_everyone": True, **values}
        given.setdefault("variants", [{"content": content or {"kind": "text", "text": "秋茶上新，欢迎品尝。"}}])
        with transaction() as session:
            return campaigns.save(session, self.here(session), CampaignDraft.model_validate(given), who="小美")

    def launch(self, campaign: Campaign, who: str = "小美") -> None:
        with transaction() as session:
            campaign_control.launch(session, self.here(session), self.find(session, campaign), who=who)
        jobs.prepare(campaign.id)

    def do(self, act: Any, campaign: Campaign, *args: Any, **values: Any) -> Any:
        with transaction() as session:
            return act(session, self.here(session), self.find(session, campaign), *args, **values)

    def advance(self, campaign: Campaign, turns: int = 1) -> Campaign:
        for _ in range(turns):
            jobs.advance(campaign.id)
        return self.now(campaign)

    def send(self, campaign: Campaign) -> Campaign:
        """Launch, wait for the time to undo it, and let the workers run."""
        self.launch(campaign)
        self.sim.wait(campaign_control.UNDO.total_seconds() + 1)
        return self.advance(campaign)

    def now(self, campaign: Campaign) -> Campaign:
        with reading() as session:
            return session.get_one(Campaign, campaign.id)

    def ledger(self, campaign: Campaign) -> dict[str, tuple[str, str]]:
        """openid → status and reason."""
        with reading() as session:
            rows = session.execute(
                select(Follower.openid, Delivery.status, Delivery.reason)
                .join(Follower, Follower.id == Delivery.follower_id)
                .where(Delivery.campaign_id == campaign.id)
            )
            return {openid: (status.value, reason) for openid, status, reason in rows}

    def count(self, campaign: Campaign) -> dict[str, int]:
        counted: dict[str, int] = {}
        for status, reason in self.ledger(campaign).values():
            name = reason or status
            counted[name] = counted.get(name, 0) + 1
        return counted

    def batches(self, campaign: Campaign) -> list[Batch]:
        with reading() as session:
            return list(session.scalars(select(Batch).where(Batch.campaign_id == campaign.id).order_by(Batch.number)))

    def received(self, contains: str = "秋茶") -> dict[str, Any]:
        """The referee: what WeChat put on the phones."""
        return dict(self.sim.get("receipts", account=self.account.slug, contains=contains))

    def fault(self, path: str, **values: Any) -> None:
        self.sim.post("faults", path=path, account=self.account.slug, **values)

    def change(self, openid: str, **values: Any) -> None:
        with transaction() as session:
            follower = session.scalars(select(Follower).where(Follower.openid == openid)).one()
            for name, value in values.items():
                setattr(follower, name, value)

    def settle(self) -> None:
        """WeChat checks and sends; its reports come."""
        self.sim.wait(30)

    def here(self, session: Any) -> Account:
        return session.get_one(Account, self.account.id)

    def find(self, session: Any, campaign: Campaign) -> Campaign:
        return campaigns.get(session, self.account, campaign.id)


FINISHED = CampaignStatus.FINISHED
now = clock.now

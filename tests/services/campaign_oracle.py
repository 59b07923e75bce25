"""A campaign's results counted one by one, in plain loops: what the queries must come to."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot.services import follower_events
from models import (
    Account,
    Batch,
    BatchStatus,
    Campaign,
    CampaignStatus,
    Channel,
    Click,
    Delivery,
    DeliveryStatus,
    Follower,
    FollowerEvent,
    InboundMessage,
    Tag,
    TrackedLink,
)

SENT = DeliveryStatus.SENT
STATUSES = [SENT, SENT, SENT, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN, DeliveryStatus.CANCELLED]
GOALS = ["", "click", "reply", "key", "scene", "tag"]
ACTS = ["reply", "key", "other key", "scene", "other scene", "followed by scene", "tag", "other tag", "untag"]
MINUTES = st.integers(0, 5 * 24 * 60)


@dataclass
class Story:
    """What happened: each follower is a number, each time minutes after the first message could go."""

    channel: Channel = Channel.TEMPLATE
    goal: str = ""
    days: int = 3
    variants: int = 1
    got: dict[int, tuple[int, DeliveryStatus, int]] = field(default_factory=dict)  # variant, how it ended, when
    held: set[int] = field(default_factory=set)
    acts: list[tuple[int, str, int]] = field(default_factory=list)  # who, what, when
    clicks: list[tuple[int | None, int, str, int]] = field(default_factory=list)  # who, link, visitor, when
    told: dict[int, int | None] = field(default_factory=dict)  # variant → how many WeChat says it delivered to


@st.composite
def stories(draw: Any) -> Story:
    story = Story(
        draw(st.sampled_from([Channel.TEMPLATE, Channel.SERVICE, Channel.MASS])), draw(st.sampled_from(GOALS))
    )
    story.days, story.variants = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    variant = st.integers(0, story.variants - 1)
    for each in range(8):
        if draw(st.integers(0, 4)) == 0:
            story.held.add(each)
        else:
            story.got[each] = (draw(variant), draw(st.sampled_from(STATUSES)), draw(st.integers(0, 24 * 60)))
    who = st.integers(0, 9)  # 8 and 9 are not in it at all
    story.acts = draw(st.lists(st.tuples(who, st.sampled_from(ACTS), MINUTES), max_size=14))
    for _ in range(draw(st.integers(0, 8))):
        clicker = None if story.channel is Channel.MASS or draw(st.booleans()) else draw(who)
        visitor = f"browser {draw(st.integers(0, 3))}" if clicker is None else f"f{clicker}"
        link = story.got.get(clicker, (draw(variant),))[0] if clicker is not None else draw(variant)
        if all((link, visitor) != (known, name) for _who, known, name, _at in story.clicks):
            story.clicks.append((clicker, link, visitor, draw(MINUTES)))
    for each in range(story.variants):
        arrived = sum(1 for of, status, _at in story.got.values() if of == each and status is SENT)
        story.told[each] = draw(st.none() | st.integers(0, arrived + 1))
    return story


def keep(session: Session, account: Account, people: list[Follower], story: Story, begins: datetime) -> Campaign:
    """Write the story into empty tables."""
    for table in (Campaign, InboundMessage, FollowerEvent, Tag):
        session.execute(delete(table))
    tags = [Tag(account_id=account.id, name=name) for name in ("熟客", "别的")]
    session.add_all(tags)
    session.flush()
    of = {"key": "MENU_TEA", "scene": "shop-1", "tag": str(tags[0].id)}.get(story.goal, "")
    campaign = Campaign(
        account_id=account.id,
        name="秋茶",
        channel=story.channel,
        status=CampaignStatus.FINISHED,
        variants=[{"name": "ABC"[at], "weight": 1, "content": {}} for at in range(story.variants)],
        held_out=10 if story.held else 0,
        excluded={"held_out": len(story.held)} if story.held else {},
        goal={"kind": story.goal, "of": of, "days": story.days} if story.goal else {"days": story.days},
        launched_at=begins - timedelta(hours=1),
        finished_at=begins + timedelta(days=1, minutes=1),
    )
    session.add(campaign)
    session.flush()
    for variant in range(story.variants):
        _keep_batch(session, campaign, story, variant, begins)
        link = TrackedLink(account_id=account.id, campaign_id=campaign.id, variant=variant, number=0,
                           code=f"{variant}", url="https://tea.example")  # fmt: skip
        session.add(link)
        session.flush()
        for who, of_link, visitor, minute in story.clicks:
            if of_link == variant:
                follower_id = None if who is None else people[who].id
                at = begins + timedelta(minutes=minute)
                session.add(Click(link_id=link.id, follower_id=follower_id, visitor=visitor, at=at, times=2))
    for who, (variant, status, minute) in story.got.items():
        session.add(Delivery(campaign_id=campaign.id, follower_id=people[who].id, batch=variant + 1, variant=variant,
                             status=status, at=begins + timedelta(minutes=minute)))  # fmt: skip
    launched = begins - timedelta(hours=1)
    for who in story.held:
        session.add(Delivery(campaign_id=campaign.id, follower_id=people[who].id, batch=0, variant=0,
                             status=DeliveryStatus.EXCLUDED, reason="held_out", at=launched))  # fmt: skip
    for number, (who, act, minute) in enumerate(sorted(story.acts, key=lambda each: each[2])):
        session.add(_kept(account, people[who], act, number, begins + timedelta(minutes=minute)))
    session.commit()
    return campaign


def _keep_batch(session: Session, campaign: Campaign, story: Story, variant: int, begins: datetime) -> None:
    mine = [(status, minute) for of, status, minute in story.got.values() if of == variant]
    count = {each: sum(status is each for status, _minute in mine) for each in DeliveryStatus}
    tried = [minute for status, minute in mine if status is not DeliveryStatus.CANCELLED]
    is_mass = story.channel is Channel.MASS
    told = story.told.get(variant)
    session.add(
        Batch(
            account_id=campaign.account_id,
            campaign_id=campaign.id,
            number=variant + 1,
            variant=variant,
            zone="Asia/Shanghai",
            size=len(mine),
            status=BatchStatus.DONE,
            due_at=begins,
            client_id=f"c{variant}",
            first_tried_at=begins + timedelta(minutes=min(tried)) if tried else None,
            accepted_at=begins + timedelta(minutes=max(tried)) if is_mass and tried else None,
            sent=count[SENT],
            failed=count[DeliveryStatus.FAILED],
            unknown=count[DeliveryStatus.UNKNOWN],
            skipped=count[DeliveryStatus.CANCELLED],
            ended={"status": "send success", "sent": told} if is_mass and told is not None else None,
        )
    )


def _kept(account: Account, follower: Follower, act: str, number: int, at: datetime) -> Any:
    if act.endswith("tag"):
        kind = follower_events.UNTAGGED if act == "untag" else follower_events.TAGGED
        detail = {"tag": "别的" if act == "other tag" else "熟客"}
        return FollowerEvent(account_id=account.id, follower_id=follower.id, kind=kind, detail=detail, at=at)
    event, key = {
        "reply": ("", ""),
        "key": ("click", "MENU_TEA"),
        "other key": ("click", "MENU_X"),
        "scene": ("scan", "shop-1"),
        "other scene": ("scan", "shop-2"),
        "followed by scene": ("subscribe", "shop-1"),
    }[act]
    return InboundMessage(
        *(), account_id=account.id, openid=follower.openid, dedup_key=f"{number}", follower_id=follower.id,
        kind="event" if event else "text", event=event, key=key, text="好", received_at=at,
    )  # fmt: skip


# The same, counted ----------------------------------------------------------------------------------------------------

REACHES = {"reply": {"reply"}, "key": {"key"}, "scene": {"scene", "followed by scene"}, "tag": {"tag"}}


def counted(story: Story) -> list[tuple[int | None, int, int, int | None, int, int, int, int | None]]:
    """variant, recipients, sent, delivered, clicked, visitors, replied, converted: as VariantResult has them."""
    tried = [at for _of, status, at in story.got.values() if status is not DeliveryStatus.CANCELLED]
    first = min(tried, default=None)
    last = max(tried, default=None)
    rows: list[tuple[int | None, int, int, int | None, int, int, int, int | None]] = []
    for variant in range(story.variants):
        mine = {who: (status, at) for who, (of, status, at) in story.got.items() if of == variant}
        got = {who: at for who, (status, at) in mine.items() if status is SENT}
        sent = delivered = len(got)
        if story.channel is Channel.MASS:
            sent += sum(status is DeliveryStatus.FAILED for status, _at in mine.values())
            told = story.told[variant]
            delivered = 0 if not got else None if told is None else min(told, len(got))
        most = sent if delivered is None else delivered
        visitors = {visitor: at for _who, of, visitor, at in story.clicks if of == variant}
        clickers = {who: at for who, _of, _visitor, at in story.clicks if who in got}
        clicked = len(visitors) if story.channel is Channel.MASS else len(clickers)
        if not story.goal:
            converted = None
        elif story.goal == "click" and story.channel is Channel.MASS:
            converted = 0 if last is None else sum(at < last + story.days * 1440 for at in visitors.values())
        elif story.goal == "click":
            converted = sum(got[who] <= at < got[who] + story.days * 1440 for who, at in clickers.items())
        else:
            converted = len(_who_did(story, got, REACHES[story.goal]))
        replied = len(_who_did(story, got, {"reply"}))
        rows.append(
            (variant, len(mine), sent, delivered, min(clicked, most), len(visitors), min(replied, most),
             None if converted is None else min(converted, most))
        )  # fmt: skip
    if story.held:
        held = dict.fromkeys(story.held, first) if first is not None else {}
        reached = len(_who_did(story, held, REACHES[story.goal])) if story.goal in REACHES else None
        rows.append((None, len(story.held), 0, 0, 0, 0, len(_who_did(story, held, {"reply"})), reached))
    return rows


def _who_did(story: Story, begins: dict[int, int], acts: set[str]) -> set[int]:
    return {
        who
        for who, act, at in story.acts
        if act in acts and who in begins and begins[who] <= at < begins[who] + story.days * 1440
    }

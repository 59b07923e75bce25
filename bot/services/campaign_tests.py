"""Trying a campaign: how it reads for a follower, and a real one to one person before it goes to many."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.services import campaign_audience, campaign_contents, campaign_control, tasks
from bot.services.campaign_contents import Problem
from bot.wechat.contents import Content
from models import Account, Campaign, Follower, Task

KIND = "campaign_test"


def preview(session: Session, account: Account, campaign: Campaign, variant: int, follower: Follower | None) -> Content:
    """What a follower would read, by the renderer that sends; None: with every variable empty."""
    content = _variant(campaign, variant)
    names = campaign_contents.names_in(content)
    values = dict.fromkeys(names, "")
    if follower is not None:
        known = campaign_contents.values_of(session, account, [follower.id], names, clock.now())
        values |= known[follower.id]
    return campaign_contents.render(content, values, {})


def worst_cases(session: Session, account: Account, campaign: Campaign) -> list[Follower]:
    """Followers of the audience to look at it with: one without a name, one with the longest.

    Raises:
        Refused: nobody was chosen to get it.
    """
    meant = campaign_audience.rows(session, account, campaign).with_only_columns(Follower.id)
    ids = campaign_contents.worst_cases(session, account, meant, ())
    return list(session.scalars(select(Follower).where(Follower.id.in_(ids))))


def problems(session: Session, account: Account, campaign: Campaign) -> list[Problem]:
    """What is wrong with it, for those it reads worst for."""
    names = {
        name for content in campaign_contents.contents_of(campaign) for name in campaign_contents.names_in(content)
    }
    samples: list[dict[str, str]] = []
    if names:
        ids = [follower.id for follower in worst_cases(session, account, campaign)]
        samples = list(campaign_contents.values_of(session, account, ids, names, clock.now()).values())
    return campaign_contents.lint(session, account, campaign, samples)


def send(session: Session, account: Account, campaign: Campaign, variant: int, follower: Follower) -> Task:
    """Send one follower the real thing; a mass message comes as WeChat's preview, of which it makes 100 a day.

    Raises:
        Refused: WeChat would not deliver to them.
        Conflict: another test of the account is under way.
    """
    _variant(campaign, variant)
    if follower.blocked_at or not follower.is_subscribed:
        raise Refused("WeChat would deliver nothing to this follower.", field="follower_id")
    state: dict[str, Any] = {"campaign_id": campaign.id, "variant": variant, "follower_id": follower.id}
    task = tasks.start(session, account, KIND, state)
    if not state.items() <= task.state.items():
        raise Conflict("Another test message is on its way; wait a moment, then send this one.")
    return task


def obstacle(session: Session, account: Account, campaign: Campaign) -> Refused | None:
    """What a launch would say no to now."""
    try:
        campaign_control.must_be_able(session, account, campaign)
    except Refused as refusal:
        return refusal
    return None


def _variant(campaign: Campaign, variant: int) -> Content:
    contents = campaign_contents.contents_of(campaign)
    if not 0 <= variant < len(contents):
        raise NotFound("There is no such variant.")
    return contents[variant]

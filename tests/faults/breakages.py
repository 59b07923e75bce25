"""What a fault run changes in its own processes: small lists, and (negative controls) one safeguard switched off.

Nothing here is a setting of the product: a forked test process replaces the names before it begins.
"""

import secrets
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func

from bot.errors import Conflict
from bot.jobs import campaign_sending, campaigns
from bot.services import campaign_audience, campaign_control, campaign_launches, campaign_ledger
from bot.wechat import limits
from models import Account, Batch, Campaign


@dataclass(frozen=True)
class Sizes:
    """How much goes into one call, claim and turn; the product's own sizes where nothing is said."""

    mass_list: int = limits.MASS_OPENIDS.stop - 1
    batch: int = 1_000
    calls: int = campaign_ledger.CALLS
    turn: float = campaigns.TURN_SECONDS
    write: int = campaign_launches.WRITE


SMALL = Sizes(mass_list=12, batch=10, calls=4, turn=2.0)


def apply(sizes: Sizes, broken: tuple[str, ...] = ()) -> None:
    """Make this process so; only ever in a process of its own."""
    limits.MASS_OPENIDS = range(2, sizes.mass_list + 1)
    campaign_launches.BATCH, campaign_launches.WRITE = sizes.batch, sizes.write
    campaign_ledger.CALLS = campaign_sending.CALLS = sizes.calls
    campaign_ledger.MASS_SLOT = timedelta(0)  # the simulator's own limit is lifted too
    campaigns.TURN_SECONDS = sizes.turn
    for name in broken:
        BREAKAGES[name]()


def _no_claim() -> None:
    """Nobody is told that a batch or a delivery is being worked on; whoever comes settles it."""
    campaign_ledger.take = lambda session, batch, now: batch.fence
    campaign_ledger.held = lambda session, batch_id, fence: session.get_one(Batch, batch_id)
    mark = campaign_ledger.mark

    def mark_outcomes_only(session: Any, campaign: Any, ids: Any, was: Any, **values: Any) -> None:
        if values.get("status") is campaign_ledger.SENDING:
            time.sleep(0.05)  # long enough for the others to look too
        else:
            mark(session, campaign, ids, campaign_ledger.PENDING, **values)

    campaign_ledger.mark = mark_outcomes_only


def _no_client_id() -> None:
    """Each try of a mass message has a name of its own, so WeChat cannot know that it is the same."""
    claim_list = campaign_ledger.claim_list

    def nameless(*args: Any) -> Any:
        claim = claim_list(*args)
        return claim and replace(claim, client_id=secrets.token_hex(16))

    campaign_ledger.claim_list = nameless


def _no_fence() -> None:
    """Whoever comes back late writes all the same."""
    campaign_ledger.held = lambda session, batch_id, fence: session.get_one(Batch, batch_id)


def _no_account_lock() -> None:
    """Claims of one account run side by side, and each takes its time between looking and writing."""

    def lock(session: Any, campaign_id: int) -> Any:
        campaign = session.get_one(Campaign, campaign_id)
        return session.get_one(Account, campaign.account_id), campaign

    changed = campaign_audience.changed

    def look_slowly(*args: Any) -> Any:
        found = changed(*args)
        time.sleep(0.3)
        return found

    campaign_ledger.lock = lock
    campaign_audience.changed = look_slowly


def _no_second_look() -> None:
    """Who may be written to is looked at when the audience is frozen, and never again."""
    campaign_audience.changed = lambda *_: {}


def _no_condition() -> None:
    """A step looks where a campaign is, and then moves it, wherever that may be by now."""

    def move(session: Any, campaign: Campaign, was: Any, to: Any, *also: Any, **values: Any) -> None:
        if campaign.status not in was:
            raise Conflict("“{name}” is no longer where it was; look at it again.", name=campaign.name)
        time.sleep(1)
        campaign.status = to
        session.flush()

    campaign_control._move = move


def _dice() -> None:
    """On SQLite: variants are thrown for, instead of following from the follower and the campaign."""
    campaign_audience.bucket = lambda *_: func.abs(func.random()) % campaign_audience.BUCKETS


def _lost_follower() -> None:
    """A planted fault: the call leaves out one whom the ledger will call sent."""
    submit = campaign_sending.broadcasts.send_mass_openids
    campaign_sending.broadcasts.send_mass_openids = lambda client, openids, *rest: submit(client, openids[1:], *rest)


def _sent_twice() -> None:
    """A planted fault: each list is submitted once more under another name."""
    submit = campaign_sending.broadcasts.send_mass_openids

    def twice(client: Any, openids: Any, body: Any, client_id: str) -> Any:
        submit(client, openids, body, client_id[::-1])
        return submit(client, openids, body, client_id)

    campaign_sending.broadcasts.send_mass_openids = twice


BREAKAGES = {
    "no claim": _no_claim,
    "no client id": _no_client_id,
    "no fence": _no_fence,
    "no account lock": _no_account_lock,
    "no second look": _no_second_look,
    "no condition": _no_condition,
    "dice": _dice,
    "lost follower": _lost_follower,
    "sent twice": _sent_twice,
}

"""Segments: groups of followers by what is known of them, found anew each time; campaigns send to them."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.services import segment_things
from bot.services.segment_conditions import Node
from bot.services.segment_queries import SECONDS, count, newest
from bot.services.segment_sql import compile_tree
from bot.services.segment_things import Things
from models import Account, Campaign, CampaignStatus, Follower, Segment, SegmentUse

MOST = 200  # segments of an account
SAMPLE = 10
READY: dict[str, Node] = {  # what most begin with; the console has their names
    "active": {"all": [{"field": "follows", "op": "is", "value": True},
                       {"field": "wrote", "op": "last_days", "value": 7}]},
    "new": {"all": [{"field": "follows", "op": "is", "value": True},
                    {"field": "followed", "op": "last_days", "value": 30}]},
    "silent": {"all": [{"field": "follows", "op": "is", "value": True},
                       {"field": "seen", "op": "not_last_days", "value": 90}]},
    "never_wrote": {"all": [{"field": "follows", "op": "is", "value": True},
                            {"field": "wrote", "op": "empty"}]},
    "asked": {"all": [{"field": "follows", "op": "is", "value": True},
                      {"field": "conversation", "op": "last_days", "value": 30}]},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is in a segment now."""

    count: int | None  # None: counting took too long
    sample: list[Follower]


def list_all(session: Session, account: Account) -> list[Segment]:
    return list(session.scalars(select(Segment).where(Segment.account_id == account.id).order_by(Segment.name)))


def get(session: Session, account: Account, segment_id: int) -> Segment:
    segment = session.scalar(select(Segment).where(Segment.id == segment_id, Segment.account_id == account.id))
    if segment is None:
        raise NotFound("There is no such segment.")
    return segment


def save(
    session: Session, account: Account, name: str, conditions: Node, segment: Segment | None = None, *, who: str = ""
) -> Segment:
    """Add a segment, or change one.

    Raises:
        Refused: a field is wrong; "conditions.all.0.value" names the condition.
        Conflict: another one is called so.
    """
    name = name.strip()
    if not 1 <= len(name) <= 64:
        raise Refused("Give the segment a name of 1 to 64 characters.", field="name")
    others = select(Segment.id).where(Segment.account_id == account.id, Segment.id != (segment.id if segment else 0))
    if session.scalar(others.where(Segment.name == name)):
        raise Conflict("There is a segment “{name}” already; choose another name.", field="name", name=name)
    things = segment_things.check(session, account, conditions)
    if segment is None:
        if len(session.scalars(others).all()) >= MOST:
            raise Refused("An account holds {max} segments at most; delete some first.", max=MOST)
        segment = Segment(account_id=account.id)
        session.add(segment)
    if segment.conditions != conditions:
        segment.conditions, segment.counted, segment.counted_at = conditions, None, None
    segment.name, segment.who, segment.updated_at = name, who[:64], clock.now()
    session.flush()
    session.execute(delete(SegmentUse).where(SegmentUse.segment_id == segment.id))
    for (kind, number), called in things.names.items():
        use = SegmentUse(segment_id=segment.id, kind=kind, number=number, name=called[:64])
        setattr(use, f"{kind}_id", number)
        session.add(use)
    session.flush()
    return segment


def copied_name(session: Session, account: Account, name: str) -> str:
    """The name with the first number behind it that is free."""
    taken = {segment.name for segment in list_all(session, account)}
    return next(new for at in range(2, MOST + 3) if (new := f"{name[:58]} {at}") not in taken)


def remove(session: Session, segment: Segment) -> None:
    """
    Raises:
        Conflict: a campaign that is not over goes to it, or leaves it out.
    """
    over = (CampaignStatus.FINISHED, CampaignStatus.CANCELLED)
    open_ = select(Campaign).where(Campaign.account_id == segment.account_id, Campaign.status.not_in(over))
    for campaign in session.scalars(open_):
        if segment.id == campaign.segment_id or segment.id in campaign.excluded_ids.get("segments", ()):
            raise Conflict("The campaign “{name}” uses this segment; change or delete it first.", name=campaign.name)
    session.delete(segment)


# Who is in it ---------------------------------------------------------------------------------------------------------


def things_of(session: Session, account: Account, found: Sequence[Segment]) -> dict[int, Things]:
    """Segment → what its conditions name, and what of that is gone."""
    return segment_things.look_up_all(session, account, found)


def query(session: Session, account: Account, segment: Segment) -> Select[int]:
    """The ids of its followers now: to count, or for INSERT … FROM SELECT.  What was deleted lets nobody in."""
    things = things_of(session, account, [segment])[segment.id]
    return compile_tree(account, segment.conditions, things, clock.now(), session.get_bind().dialect.name)


def query_for(session: Session, account: Account, conditions: Node) -> Select[int]:
    """The same for conditions that are not saved.

    Raises:
        Refused: as ``save``.
    """
    things = segment_things.check(session, account, conditions)
    return compile_tree(account, conditions, things, clock.now(), session.get_bind().dialect.name)


def audience(session: Session, found: Select[int], seconds: float = SECONDS) -> Audience:
    return Audience(count(session, found, seconds), newest(session, found, SAMPLE, seconds=seconds) or [])


def members(
    session: Session, account: Account, segment: Segment, before: int | None = None, limit: int = 50
) -> list[Follower]:
    """Newest first; ``before`` is the last id of the page before.

    Raises:
        Refused: finding them took too long.
    """
    found = newest(session, query(session, account, segment), limit, before, 2 * SECONDS)
    if found is None:
        raise Refused("Finding these followers took too long; give the segment a condition that fewer meet.")
    return found


def note_count(session: Session, segment_id: int, counted: int) -> None:
    """Keep how many it had, for lists that do not wait for counting."""
    values = {"counted": counted, "counted_at": clock.now()}
    session.execute(update(Segment).where(Segment.id == segment_id).values(**values))


def rows(session: Session, account: Account, segment: Segment) -> Iterator[Follower]:
    """All of its followers in the order they came, for an export: found once, read a thousand at a time."""
    ids = array("q", session.scalars(query(session, account, segment).order_by(Follower.id)))
    for start in range(0, len(ids), 1000):
        some = select(Follower).where(Follower.id.in_(ids[start : start + 1000])).order_by(Follower.id)
        yield from session.scalars(some)
        session.expunge_all()

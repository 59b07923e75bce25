"""Friends: asking, accepting, and every way to step back.  Each takes effect for all requests after its commit."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, Forbidden, NotFound, Refused
from bot.moments import groups, limits, members, notices, visibility
from models import Edge, FriendGroup, FriendRequest, Member, NoticeKind, RequestSource, RequestState, affected

MOST = 5_000  # with Moments; more are chat-only
MOST_PENDING = 200
REST = timedelta(days=30)  # after a refusal


def list_all(session: Session, owner: Member) -> list[tuple[Member, Edge]]:
    query = (
        select(Member, Edge)
        .join(Edge, (Edge.owner_id == owner.id) & (Edge.other_id == Member.id))
        .where(visibility.friends(owner.id, Member.id))
        .order_by(Member.name, Member.id)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def get(session: Session, owner: Member, member_id: int) -> tuple[Member, Edge]:
    """
    Raises:
        NotFound: not a friend now.
    """
    query = (
        select(Member, Edge)
        .join(Edge, (Edge.owner_id == owner.id) & (Edge.other_id == Member.id))
        .where(Member.id == member_id, visibility.friends(owner.id, member_id))
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise members.nobody()
    return found[0], found[1]


def ask(
    session: Session, member: Member, other_id: int, message: str, source: RequestSource = RequestSource.HANDLE
) -> FriendRequest:
    """Ask somebody to be friends.

    Raises:
        NotFound: no such member, or one who blocks the asker.
        Conflict: friends already, or one of the two has asked already.
        Forbidden: they take no requests, refused one lately, or too many are waiting.
    """
    other = members.profile(session, member, other_id)
    if other.id == member.id:
        raise Refused("That is you.", field="member")
    members.lock(session, member.id, other.id)
    mine = edge(session, member.id, other.id)
    if mine.blocks:
        raise Conflict("You block this member; unblock them first.")
    if mine.since is not None:
        raise Conflict("You are friends already.")
    if session.scalar(select(FriendRequest.id).where(_pending(member.id, other.id) | _pending(other.id, member.id))):
        raise Conflict("One of you has asked already; see the requests.")
    refused = select(func.max(FriendRequest.decided_at)).where(
        FriendRequest.from_id == member.id, FriendRequest.to_id == other.id, FriendRequest.state == RequestState.REFUSED
    )
    last = session.scalar(refused)
    if not other.takes_requests or (last is not None and clock.now() - last < REST):
        raise Forbidden("This member takes no requests at the moment.")
    limits.check(session, member, "requests")
    waiting = select(func.count()).where(
        FriendRequest.from_id == member.id, FriendRequest.state == RequestState.PENDING
    )
    if (session.scalar(waiting) or 0) >= MOST_PENDING:
        raise Forbidden("{most} of your requests wait for an answer; withdraw some first.", most=MOST_PENDING)
    request = FriendRequest(from_id=member.id, to_id=other.id, message=message.strip()[:200], source=source)
    session.add(request)
    session.flush()
    notices.tell(session, other.id, NoticeKind.REQUEST, member.id)
    return request


def requests(session: Session, member: Member) -> list[tuple[FriendRequest, Member]]:
    """Those that wait, of both directions, each with the other member; newest first."""
    query = (
        select(FriendRequest, Member)
        .join(
            Member,
            or_(
                (FriendRequest.to_id == member.id) & (Member.id == FriendRequest.from_id),
                (FriendRequest.from_id == member.id) & (Member.id == FriendRequest.to_id),
            ),
        )
        .outerjoin(Edge, (Edge.owner_id == member.id) & (Edge.other_id == Member.id))
        .where(
            FriendRequest.state == RequestState.PENDING,
            visibility.active(Member.id),
            func.coalesce(Edge.blocks, False).is_(False),
            func.coalesce(Edge.blocked_by, False).is_(False),
        )
        .order_by(FriendRequest.id.desc())
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def mutual(session: Session, member: Member, ids: Sequence[int]) -> dict[int, int]:
    """Member id → how many of one's own friends are their friends too."""
    counts = dict.fromkeys(ids, 0)
    for other_id, count in session.execute(visibility.mutual(), visibility.by(member.id, ids=list(ids))) if ids else ():
        counts[other_id] = count
    return counts


def accept(
    session: Session,
    member: Member,
    other_id: int,
    *,
    into: Sequence[FriendGroup] = (),
    hides: bool = False,
    chat_only: bool = False,
) -> None:
    """Become friends, with one's own choices in force from the first moment.

    Raises:
        NotFound: they have not asked, or not any more.
    """
    stamp = members.lock(session, member.id, other_id)
    _decide(session, other_id, member.id, RequestState.ACCEPTED)
    members.profile(session, member, other_id)
    session.execute(
        update(FriendRequest)
        .where(_pending(member.id, other_id))
        .values(state=RequestState.ACCEPTED, decided_at=clock.now())
    )
    mine, theirs = edge(session, member.id, other_id), edge(session, other_id, member.id)
    mine.blocks = theirs.blocked_by = False
    for own, mirror in ((mine, theirs), (theirs, mine)):
        is_full = (session.scalar(visibility.count_friends(), visibility.by(own.owner_id)) or 0) >= MOST
        only_chat = is_full or (own is mine and chat_only)
        if only_chat or (own is mine and hides):
            own.hides = mirror.hidden_by = True
        own.mutes = own.mutes or only_chat
    mine.since = theirs.since = stamp
    session.flush()
    for group in into:
        groups.put_in(session, member, group, other_id)
    notices.tell(session, other_id, NoticeKind.ACCEPTED, member.id)


def refuse(session: Session, member: Member, other_id: int) -> None:
    """The asker is not told, and may ask again after the rest."""
    _decide(session, other_id, member.id, RequestState.REFUSED)


def withdraw(session: Session, member: Member, other_id: int) -> None:
    _decide(session, member.id, other_id, RequestState.WITHDRAWN)


def unfriend(session: Session, member: Member, other_id: int) -> None:
    """Both ways at once; what each has said stays, hidden, and comes back if they become friends again."""
    stamp = members.lock(session, member.id, other_id)
    mine, theirs = edge(session, member.id, other_id), edge(session, other_id, member.id)
    if mine.since is None:
        raise members.nobody()
    mine.since = theirs.since = None
    session.flush()
    groups.close_between(session, member.id, other_id, stamp)


def set_hiding(session: Session, member: Member, other_id: int, hides: bool) -> None:
    members.lock(session, member.id, other_id)
    edge(session, member.id, other_id).hides = hides
    edge(session, other_id, member.id).hidden_by = hides
    session.flush()


def set_muting(session: Session, member: Member, other_id: int, mutes: bool) -> None:
    edge(session, member.id, other_id).mutes = mutes
    session.flush()


def set_remark(session: Session, member: Member, other_id: int, remark: str) -> None:
    edge(session, member.id, other_id).remark = remark.strip()[:32]
    session.flush()


def block(session: Session, member: Member, other_id: int) -> None:
    """As if both had ended the friendship, and more: no requests, no mentions; unblocking restores."""
    members.lock(session, member.id, other_id)
    if session.get(Member, other_id) is None or other_id == member.id:
        raise members.nobody()
    edge(session, member.id, other_id).blocks = True
    edge(session, other_id, member.id).blocked_by = True
    session.flush()


def unblock(session: Session, member: Member, other_id: int) -> None:
    members.lock(session, member.id, other_id)
    if session.get(Edge, (member.id, other_id)) is not None:
        edge(session, member.id, other_id).blocks = False
        edge(session, other_id, member.id).blocked_by = False
        session.flush()


def blocked(session: Session, member: Member) -> list[Member]:
    query = select(Member).join(Edge, Edge.other_id == Member.id).where(Edge.owner_id == member.id, Edge.blocks)
    return list(session.scalars(query.order_by(Member.id)))


def edge(session: Session, owner_id: int, other_id: int) -> Edge:
    """The row as it is now, made if there is none; whoever writes who may see holds both members (members.lock)."""
    row = session.get(Edge, (owner_id, other_id), populate_existing=True)
    if row is None:
        row = Edge(owner_id=owner_id, other_id=other_id)
        session.add(row)
        session.flush()
    return row


def _pending(from_id: int, to_id: int) -> "visibility.Condition":
    return (
        (FriendRequest.from_id == from_id)
        & (FriendRequest.to_id == to_id)
        & (FriendRequest.state == RequestState.PENDING)
    )


def _decide(session: Session, from_id: int, to_id: int, state: RequestState) -> None:
    decided = session.execute(
        update(FriendRequest).where(_pending(from_id, to_id)).values(state=state, decided_at=clock.now())
    )
    if not affected(decided):
        raise NotFound("There is no such request, or not any more.")

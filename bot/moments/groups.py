"""Groups: private labels for friends.  Nobody but their owner learns that they exist."""

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from bot.errors import NotFound, Refused
from bot.moments import members, visibility
from models import FriendGroup, GroupMember, Member

MOST = 200


def list_all(session: Session, owner: Member) -> list[FriendGroup]:
    query = select(FriendGroup).where(FriendGroup.owner_id == owner.id, ~FriendGroup.is_deleted)
    return list(session.scalars(query.order_by(FriendGroup.id)))


def get(session: Session, owner: Member, group_id: int) -> FriendGroup:
    group = session.get(FriendGroup, group_id)
    if group is None or group.owner_id != owner.id or group.is_deleted:
        raise NotFound("There is no such group.")
    return group


def create(session: Session, owner: Member, name: str) -> FriendGroup:
    members.lock(session, owner.id)
    if len(list_all(session, owner)) >= MOST:
        raise Refused("You have {most} groups; delete one first.", most=MOST)
    group = FriendGroup(owner_id=owner.id, name=_good_name(name))
    session.add(group)
    session.flush()
    return group


def rename(session: Session, group: FriendGroup, name: str) -> None:
    group.name = _good_name(name)
    session.flush()


def remove(session: Session, owner: Member, group: FriendGroup) -> None:
    """Posts for this group close; posts that leave it out stay closed to those who were in it."""
    members.lock(session, owner.id)
    group.is_deleted = True
    session.flush()


def put_in(session: Session, owner: Member, group: FriendGroup, member_id: int) -> None:
    """Opens no old post; closes old posts that leave the group out.

    Raises:
        NotFound: not a friend now.
    """
    stamp = members.lock(session, owner.id)
    if not session.scalar(visibility.are_friends(), {"one": owner.id, "other": member_id}):
        raise members.nobody()
    open_stay = GroupMember.group_id == group.id, GroupMember.member_id == member_id, GroupMember.removed.is_(None)
    if not session.scalar(select(exists().where(*open_stay))):
        session.add(GroupMember(group_id=group.id, member_id=member_id, added=stamp))
        session.flush()


def take_out(session: Session, owner: Member, group: FriendGroup, member_id: int) -> None:
    """Posts for the group close to them; posts that leave it out stay closed."""
    stamp = members.lock(session, owner.id)
    session.execute(
        update(GroupMember)
        .where(GroupMember.group_id == group.id, GroupMember.member_id == member_id, GroupMember.removed.is_(None))
        .values(removed=stamp)
    )


def close_between(session: Session, one: int, other: int, stamp: int) -> None:
    """End the stays of two in each other's groups: they are no longer friends."""
    for owner, member in ((one, other), (other, one)):
        theirs = select(FriendGroup.id).where(FriendGroup.owner_id == owner)
        session.execute(
            update(GroupMember)
            .where(GroupMember.group_id.in_(theirs), GroupMember.member_id == member, GroupMember.removed.is_(None))
            .values(removed=stamp)
        )


def people_in(session: Session, group: FriendGroup) -> list[Member]:
    query = (
        select(Member)
        .join(GroupMember, GroupMember.member_id == Member.id)
        .where(
            GroupMember.group_id == group.id,
            GroupMember.removed.is_(None),
            visibility.friends(group.owner_id, Member.id),
        )
    )
    return list(session.scalars(query.order_by(Member.id)))


def holding(session: Session, owner: Member, member_id: int) -> set[int]:
    """Ids of the owner's groups that a friend is in."""
    query = (
        select(GroupMember.group_id)
        .join(FriendGroup, FriendGroup.id == GroupMember.group_id)
        .where(FriendGroup.owner_id == owner.id, GroupMember.member_id == member_id, GroupMember.removed.is_(None))
    )
    return set(session.scalars(query))


def counts(session: Session, owner: Member) -> dict[int, int]:
    """Group id → how many friends ``people_in`` lists."""
    query = (
        select(GroupMember.group_id, func.count())
        .join(FriendGroup, FriendGroup.id == GroupMember.group_id)
        .where(
            FriendGroup.owner_id == owner.id,
            GroupMember.removed.is_(None),
            visibility.friends(owner.id, GroupMember.member_id),
        )
        .group_by(GroupMember.group_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _good_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 32 or not name.isprintable():
        raise Refused("Give the group a name of 1 to 32 characters.", field="name")
    return name

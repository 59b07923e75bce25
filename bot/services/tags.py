"""Tags: kept with WeChat where the account may, else here only.

What a person does counts at once; WeChat hears of it through the outbox (tag_pushes).  Its limits are told before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, case, exists, func, literal, or_, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.errors import Conflict, NotFound, Refused
from bot.services import abilities, follower_events, segment_uses, tag_pushes, tallies
from bot.wechat import limits
from models import Account, AutoTag, Follower, FollowerTag, PushAction, Rule, Tag, TagPush

MOST_AT_ONCE = 1000  # followers in one call of ours
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """A tag as the list shows it."""

    tag: Tag
    followers: int
    place: str  # wechat; waiting: WeChat has yet to hear of it; here: only we know it; own: WeChat's own


# Tags ----------------------------------------------------------------------------------------------------------------


def list_all(session: Session, account: Account) -> list[Tag]:
    return list(session.scalars(select(Tag).where(Tag.account_id == account.id).order_by(Tag.id)))


def listed(session: Session, account: Account) -> list[Listed]:
    """Every tag with how many have it, and where it lives."""
    query = (
        select(FollowerTag.tag_id, func.count())
        .join(Tag, FollowerTag.tag_id == Tag.id)
        .where(Tag.account_id == account.id)
        .group_by(FollowerTag.tag_id)
    )
    counts = tallies.tally("tags", account.id, lambda: dict(session.execute(query).all()))
    told = set(session.scalars(_told(account)))
    return [Listed(tag, counts.get(tag.id, 0), _place(tag, told)) for tag in list_all(session, account)]


def get(session: Session, account: Account, tag_id: int) -> Tag:
    tag = session.scalar(select(Tag).where(Tag.id == tag_id, Tag.account_id == account.id))
    if tag is None:
        raise NotFound("There is no such tag.")
    return tag


def find(session: Session, account: Account, name: str) -> Tag | None:
    return session.scalar(select(Tag).where(Tag.account_id == account.id, Tag.name == name.strip()))


def add(session: Session, account: Account, name: str) -> Tag:
    """Make a tag, at WeChat too where the account may.

    Raises:
        Refused: the name, or WeChat's number of tags; Conflict: there is one of this name.
    """
    name = _name(session, account, name)
    own = or_(Tag.wechat_id.is_(None), Tag.wechat_id >= limits.FIRST_OWN_TAG)
    count = session.scalar(select(func.count(Tag.id)).where(Tag.account_id == account.id, own)) or 0
    if count >= limits.TAGS:
        raise Refused("An account has {max} tags at most; delete one first.", field="name", max=limits.TAGS)
    tag = Tag(account_id=account.id, name=name)
    session.add(tag)
    session.flush()
    if abilities.may(account, "followers"):
        tag_pushes.note_tag(session, tag)
    return tag


def find_or_add(session: Session, account: Account, name: str) -> Tag:
    return find(session, account, name) or add(session, account, name)


def rename(session: Session, account: Account, tag: Tag, name: str) -> None:
    """
    Raises:
        Refused: one of WeChat's own tags, or the name; Conflict: there is one of this name.
    """
    _must_be_ours(tag)
    if name.strip() == tag.name:
        return
    tag.name = _name(session, account, name)
    session.flush()
    if is_told(session, account, tag):
        tag_pushes.note_tag(session, tag)


def delete(session: Session, account: Account, tag: Tag) -> None:
    """Take a tag from everybody and end it, and what gives it by itself.

    Raises:
        Refused: WeChat's own, too many followers for WeChat, or a rule or a segment asks for it.
    """
    _must_be_ours(tag)
    segment_uses.refuse_if_used(session, "tag", tag.id)
    rule = session.scalar(select(Rule.title).where(Rule.tag_id == tag.id).limit(1))
    if rule is not None:
        raise Refused("The rule “{title}” answers only followers with this tag; change that first.", title=rule)
    members = select(func.count(FollowerTag.id)).where(FollowerTag.tag_id == tag.id)
    if tag.wechat_id is not None and (session.scalar(members) or 0) > limits.TAG_FANS_DELETED:
        raise Refused("WeChat deletes no tag with more than 100,000 followers; take it from some first.")
    if session.scalar(select(AutoTag.id).where(AutoTag.tag_id == tag.id).limit(1)) is not None:
        account.auto_tags_version += 1
    if abilities.may(account, "followers"):
        tag_pushes.note_deleted(session, tag)
    session.delete(tag)
    session.flush()


def share(session: Session, account: Account, tag: Tag) -> None:
    """Keep with WeChat, too, a tag that only we know, and who has it.

    Raises:
        Refused: the account may not.
    """
    if not abilities.may(account, "followers"):
        raise Refused("WeChat lets only verified accounts keep tags; this one stays in Lobby only.")
    if not is_told(session, account, tag):
        tag_pushes.note_tag(session, tag)
        tag_pushes.note_members(session, tag)


def is_told(session: Session, account: Account, tag: Tag) -> bool:
    """Whether WeChat knows this tag, or will be told of it."""
    return abilities.may(account, "followers") and session.scalar(_told(account).where(Tag.id == tag.id)) is not None


# Who has them --------------------------------------------------------------------------------------------------------


def give(session: Session, account: Account, tag: Tag, follower_ids: Sequence[int], who: str) -> int:
    """Give a tag to some followers; how many did not have it.  ``who`` stands in their timelines.

    Raises:
        NotFound: one of them is not this account's; nobody is tagged.
        Refused: WeChat keeps 20 tags of a follower, and somebody has them.
    """
    ids = checked(session, account, follower_ids)
    told = is_told(session, account, tag)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    given: list[int] = []
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        if told:
            _must_have_room(session, account, tag, chunk)
        rows = select(Follower.id, literal(tag.id)).where(Follower.id.in_(chunk)).order_by(Follower.id)
        given += session.scalars(
            insert(FollowerTag)
            .from_select(["follower_id", "tag_id"], rows)
            .on_conflict_do_nothing()
            .returning(FollowerTag.follower_id)
        ).all()
    note_given(session, account, tag, given, who)
    return len(given)


def take(session: Session, account: Account, tag: Tag, follower_ids: Sequence[int], who: str) -> int:
    """Take a tag from some followers; how many had it.

    Raises:
        NotFound: one of them is not this account's; nobody is changed.
    """
    ids = checked(session, account, follower_ids)
    taken: list[int] = []
    for start in range(0, len(ids), CHUNK):
        had = FollowerTag.follower_id.in_(ids[start : start + CHUNK])
        taken += session.scalars(
            delete_rows(FollowerTag)
            .where(FollowerTag.tag_id == tag.id, had)
            .returning(FollowerTag.follower_id)
            .execution_options(synchronize_session=False)
        ).all()
    if taken and is_told(session, account, tag):
        tag_pushes.note(session, account.id, PushAction.UNTAG, taken, tag.id)
    follower_events.note_all(session, account.id, taken, follower_events.UNTAGGED, {"tag": tag.name}, who)
    return len(taken)


def note_given(session: Session, account: Account, tag: Tag, follower_ids: Sequence[int], who: str) -> None:
    """These have just got the tag: tell WeChat, and their timelines."""
    if follower_ids and is_told(session, account, tag):
        tag_pushes.note(session, account.id, PushAction.TAG, follower_ids, tag.id)
    follower_events.note_all(session, account.id, follower_ids, follower_events.TAGGED, {"tag": tag.name}, who)


def came_back(session: Session, account: Account, follower_id: int) -> None:
    """WeChat forgot this follower's tags when they left; we did not."""
    if not abilities.may(account, "followers"):
        return
    has = select(FollowerTag.tag_id).where(FollowerTag.follower_id == follower_id)
    for tag_id in session.scalars(_told(account).where(Tag.id.in_(has)).order_by(Tag.id)).all():
        tag_pushes.note(session, account.id, PushAction.TAG, [follower_id], tag_id)


# Checking ------------------------------------------------------------------------------------------------------------


def _name(session: Session, account: Account, name: str) -> str:
    name = name.strip()
    if not name or len(name.encode()) > limits.TAG_NAME_BYTES:
        raise Refused("A tag's name takes 1 to 30 bytes, some ten Chinese characters.", field="name")
    if name in limits.WECHATS_OWN_TAGS:
        raise Refused("WeChat keeps “{name}” for itself; choose another name.", field="name", name=name)
    if find(session, account, name) is not None:
        raise Conflict("There is a tag “{name}” already.", field="name", name=name)
    return name


def _must_be_ours(tag: Tag) -> None:
    if tag.wechat_id is not None and tag.wechat_id < limits.FIRST_OWN_TAG:
        raise Refused("“{name}” is one of WeChat's own tags, which cannot be changed.", field="name", name=tag.name)


def _must_have_room(session: Session, account: Account, tag: Tag, follower_ids: Sequence[int]) -> None:
    full = session.scalar(
        select(FollowerTag.follower_id)
        .where(FollowerTag.follower_id.in_(follower_ids), FollowerTag.tag_id.in_(_told(account)))
        .group_by(FollowerTag.follower_id)
        .having(func.count() >= limits.TAGS_EACH, func.sum(case((FollowerTag.tag_id == tag.id, 1), else_=0)) == 0)
        .limit(1)
    )
    if full is not None:
        name = session.get_one(Follower, full).name
        raise Refused("{name} has 20 tags, the most WeChat keeps; take one away first.", field="name", name=name)


def checked(session: Session, account: Account, follower_ids: Sequence[int]) -> list[int]:
    ids = sorted(set(follower_ids))
    if len(ids) > MOST_AT_ONCE:
        raise Refused("Choose {max} followers at most at once.", max=MOST_AT_ONCE)
    found = select(func.count(Follower.id)).where(Follower.account_id == account.id, Follower.id.in_(ids))
    if (session.scalar(found) or 0) != len(ids):
        raise NotFound("There is no such follower.")
    return ids


def _told(account: Account) -> Select[int]:
    """Ids of the tags that WeChat knows or will be told of."""
    waits = exists().where(TagPush.tag_id == Tag.id, TagPush.follower_id.is_(None), TagPush.done_at.is_(None))
    return select(Tag.id).where(Tag.account_id == account.id, or_(Tag.wechat_id.is_not(None), waits))


def _place(tag: Tag, told: set[int]) -> str:
    if tag.wechat_id is not None:
        return "own" if tag.wechat_id < limits.FIRST_OWN_TAG else "wechat"
    return "waiting" if tag.id in told else "here"

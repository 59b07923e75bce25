"""Why a friend sees a post or does not: the rows of the specification's table (2.4), in its order.

Whether is ``visibility.sees`` alone; the histories of the privacy test hold the reasons to the oracle.
"""

from enum import StrEnum
from functools import cache

from sqlalchemy import BigInteger, Select, and_, bindparam, case, func, not_, select
from sqlalchemy.orm import aliased

from bot.moments import visibility
from models import Edge, ListKind, Member, Post, PostMode


class Row(StrEnum):
    """The row of the specification's table (2.4) that decides whether a friend sees a post; in its order.

    Where a post names some and leaves out others, those left out come first.
    """

    HELD = "held"
    HIDDEN = "hidden"
    OLD = "old"
    PRIVATE = "private"
    AFTER_POST = "after_post"  # friends only since, and their author shows new friends new posts only
    FRIEND = "friend"
    AFTER_AUDIENCE = "after_audience"  # friends only since its author chose who sees it
    LEFT_OUT = "left_out"
    GROUP_LEFT_OUT = "group_left_out"
    NOT_LEFT_OUT = "not_left_out"
    NAMED = "named"
    IN_GROUP = "in_group"
    NOT_NAMED = "not_named"


@cache
def rows() -> Select[PostMode, str, bool, int]:
    """Of the posts of "author", how many each row decides for VIEWER, a friend, and whether they are seen.

    Whether is ``sees`` alone; the rows say why.  A row that lets through what is not seen is about reshares without
    words, whose root does not show.
    """
    edge, author = aliased(Edge), aliased(Member)
    row = case(
        (Post.is_held, Row.HELD.value),
        (edge.hidden_by, Row.HIDDEN.value),
        (not_(visibility.in_window(Post, author)), Row.OLD.value),
        (Post.mode == PostMode.PRIVATE, Row.PRIVATE.value),
        (and_(Post.mode == PostMode.FRIENDS, author.newonly, edge.since > Post.id), Row.AFTER_POST.value),
        (Post.mode == PostMode.FRIENDS, Row.FRIEND.value),
        (edge.since > Post.aud_at, Row.AFTER_AUDIENCE.value),
        (visibility.is_named(visibility.VIEWER, Post, ListKind.DENY_MEMBER), Row.LEFT_OUT.value),
        (visibility.in_group(visibility.VIEWER, Post, ListKind.DENY_GROUP), Row.GROUP_LEFT_OUT.value),
        (Post.mode == PostMode.DENY, Row.NOT_LEFT_OUT.value),
        (visibility.is_named(visibility.VIEWER, Post, ListKind.ALLOW_MEMBER), Row.NAMED.value),
        (visibility.in_group(visibility.VIEWER, Post, ListKind.ALLOW_GROUP), Row.IN_GROUP.value),
        else_=Row.NOT_NAMED.value,
    )
    each = (
        select(Post.mode, row.label("row"), visibility.sees(visibility.VIEWER).label("is_seen"))
        .join(edge, and_(edge.owner_id == visibility.VIEWER, edge.other_id == Post.author_id))
        .join(author, author.id == Post.author_id)
        .where(Post.author_id == bindparam("author", type_=BigInteger), Post.deleted_at.is_(None))
        .subquery()
    )
    return select(each.c.mode, each.c.row, each.c.is_seen, func.count()).group_by(
        each.c.mode, each.c.row, each.c.is_seen
    )

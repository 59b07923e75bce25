"""What a reader gets to see of posts, comments and people: the only place that turns rows into what goes out."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.moments import (
    addresses,
    audiences,
    feed,
    groups,
    link_cards,
    members,
    notices,
    posts,
    reactions,
    reports,
    stamps,
    visibility,
    web_pages,
    wechat_links,
)
from bot.moments import scheduled as waiting
from bot.moments.media import uploads
from bot.moments.members import Named
from models import Comment, FriendGroup, ListKind, Media, MediaKind, Member, Notice, Post, PostMode, ScheduledPost

LIKES, COMMENTS = 50, 20  # shown on a card; the counts beside them are exact

Values = dict[str, Any]
Names = dict[int, Named]


def person(member_id: int, known: Named) -> Values:
    return {"id": addresses.of("member", member_id), "name": known.name, "avatar": part(known.avatar_id, "thumb")}


def known(member: Member, remark: str = "") -> Values:
    """Somebody whose row is at hand, and the reader's own name for them."""
    return person(member.id, Named(remark or member.name, member.avatar_id))


def part(media_id: int | None, name: str) -> str | None:
    """The path of a photo's or video's part; who asks for it is asked who they are."""
    return f"/moments/api/v1/media/{addresses.of('media', media_id)}/{name}" if media_id is not None else None


def pictures(member: Member) -> Values:
    return {"avatar": part(member.avatar_id, "thumb"), "cover": part(member.cover_id, "feed")}


def media(one: Media) -> Values:
    has_photo, is_video = one.kind is MediaKind.PHOTO or one.has_poster, one.kind is MediaKind.VIDEO
    values = {name: getattr(one, name) for name in ("kind", "width", "height", "duration_ms", "blurhash", "alt")}
    return {
        "id": addresses.of("media", one.id),
        **values,
        **{name: part(one.id if has_photo else None, name) for name in uploads.PHOTO},
        "video": part(one.id if is_video else None, "video"),
    }


def people(session: Session, viewer: Member, ids: Sequence[int]) -> list[Values]:
    names = members.names(session, viewer, ids)
    return [person(member_id, names[member_id]) for member_id in ids]


def one(session: Session, viewer: Member, post: Post) -> Values:
    return many(session, viewer, [post])[0]


def many(session: Session, viewer: Member, found: Sequence[Post], *, most_comments: int = COMMENTS) -> list[Values]:
    """Cards of posts that the viewer may see (``posts.find`` and the lists of ``feed`` see to that)."""
    ids = [post.id for post in found]
    liked: dict[int, list[int]] = {post_id: [] for post_id in ids}
    for like in reactions.likes(session, viewer, ids):
        liked[like.post_id].append(like.member_id)
    said: dict[int, list[Comment]] = {post_id: [] for post_id in ids}
    for comment in reactions.on(session, viewer, ids):
        said[comment.post_id].append(comment)
    roots = _roots(session, viewer, found)
    shown = _Shown(uploads.of(session, [*ids, *roots]), _previews(session, [*found, *roots.values()]))
    lists = audiences.of(session, [post.id for post in found if post.author_id == viewer.id])
    named = {post.author_id for post in (*found, *roots.values())}
    named |= {who for each in liked.values() for who in each[:LIKES]} | {c.member_id for e in said.values() for c in e}
    named |= {who for each in lists.values() for kind in _MEMBERS for who in each.get(kind, ())}
    names = members.names(session, viewer, named)
    labels = _group_names(session, lists)
    cards = []
    for post in found:
        root, is_mine = roots.get(post.root_id or 0), post.author_id == viewer.id
        card = {
            **_words(post, names, shown),
            "is_mine": is_mine,
            "root": _words(root, names, shown) if root else None,
            "comments_open": post.comments_open,
            "can_reshare": root is not None if post.root_id else post.reshare_ok,
            "like_count": len(liked[post.id]),
            "i_like": viewer.id in liked[post.id],
            "likes": [person(who, names[who]) for who in liked[post.id][:LIKES]],
            "comment_count": len(said[post.id]),
            "comments": [_comment(viewer, each, names) for each in said[post.id][:most_comments]],
            "own": None,
        }
        if is_mine:
            card["own"] = {
                "is_held": post.is_held,
                "hold": _hold(post),
                "root_is_gone": post.root_id is not None and root is None,
                "reshare_ok": post.reshare_ok,
                "audience": audience(post.mode, lists[post.id], names, labels),
            }
        cards.append(card)
    return cards


def comments(session: Session, viewer: Member, post: Post, before: int, limit: int) -> tuple[list[Values], int | None]:
    """The newest ones before this id, in the order in which they were written."""
    found = [each for each in reactions.on(session, viewer, [post.id]) if each.id < before]
    kept = found[-limit:]
    return said(session, viewer, kept), (kept[0].id if len(found) > limit else None)


def said(session: Session, viewer: Member, found: Sequence[Comment]) -> list[Values]:
    """Comments that the viewer may see (``reactions.on`` sees to that)."""
    names = members.names(session, viewer, {each.member_id for each in found})
    return [_comment(viewer, each, names) for each in found]


def comment(session: Session, viewer: Member, written: Comment) -> Values:
    return _comment(viewer, written, members.names(session, viewer, {written.member_id}))


def noticed(session: Session, viewer: Member, found: Sequence[Notice]) -> list[Values]:
    names = members.names(session, viewer, {notice.actor_id for notice in found})
    return [
        {
            "id": addresses.of("notice", notice.id),
            "kind": notice.kind,
            "at": stamps.time(notice.id),
            "by": person(notice.actor_id, names[notice.actor_id]),
            "post": addresses.of("post", notice.post_id) if notice.post_id else None,
            "comment": addresses.of("comment", notice.comment_id) if notice.comment_id else None,
            "is_read": notice.read_at is not None,
        }
        for notice in found
    ]


def audience(mode: PostMode, lists: dict[ListKind, list[int]], names: Names, labels: dict[int, str]) -> Values:
    """For the author only."""

    def listed(kind: ListKind) -> list[Values]:
        if kind in _MEMBERS:
            return [person(each, names[each]) for each in lists.get(kind, ()) if each in names]
        found = [each for each in lists.get(kind, ()) if each in labels]
        return [{"id": addresses.of("group", each), "name": labels[each]} for each in found]

    return {"mode": mode, **{kind.value + "s": listed(kind) for kind in ListKind}}


def history(session: Session, viewer: Member, post: Post) -> list[Values]:
    changes = audiences.history(session, post)
    lists = [audiences.read(change.names) for change in changes]
    names = members.names(session, viewer, {who for each in lists for kind in _MEMBERS for who in each.get(kind, ())})
    labels = _group_names(session, dict(enumerate(lists)))
    return [
        {
            "since": stamps.time(change.since),
            "until": stamps.time(change.until),
            "audience": audience(change.mode, each, names, labels),
        }
        for change, each in zip(changes, lists, strict=True)
    ]


def export(session: Session, me: Member) -> Values:
    """All that a member has put in; of others only what stands in the member's own lists."""
    everything, _next = feed.album(session, me, me.id, feed.FIRST, 1 << 31)
    friends = session.scalars(select(Member.id).where(visibility.friends(me.id, Member.id)).order_by(Member.id)).all()
    written = many(session, me, everything, most_comments=1 << 31)
    found, _next = notices.page(session, me, feed.FIRST, 1_000)
    return {
        "handle": me.handle,
        "name": me.name,
        "about": me.about,
        **pictures(me),
        "posts": written,
        "scheduled": scheduled(session, me, waiting.list_all(session, me)),
        "friends": people(session, me, friends),
        "groups": [
            {"name": group.name, "members": people(session, me, [one.id for one in groups.people_in(session, group)])}
            for group in groups.list_all(session, me)
        ],
        "notices": noticed(session, me, found),
        "staff_views": staff_views(session, me),
        "wechat": [
            {"account": account.slug, "openid": link.openid, "at": link.created_at}
            for link, account in wechat_links.of(session, me)
        ],
        **activity(session, me),
    }


def activity(session: Session, me: Member) -> Values:
    """One's own comments, likes and reshares, also where the post is no longer shown: own words and dates only."""
    return {
        "comments": [
            {
                "id": addresses.of("comment", each.id),
                "at": stamps.time(each.id),
                "body": each.body,
                "is_removed": each.deleted_at is not None,
            }
            for each in reactions.own_comments(session, me)
        ],
        "likes": [
            {"post": addresses.of("post", like.post_id), "at": stamps.time(like.at)}
            for like in reactions.own_likes(session, me)
        ],
        "reshares": [
            {"id": addresses.of("post", post.id), "at": stamps.time(post.id), "body": post.body}
            for post in posts.own_reshares(session, me)
        ],
    }


def staff_views(session: Session, me: Member) -> list[Values]:
    return [
        {
            "at": view.at,
            "who": view.who,
            "post": None if view.comment_id else addresses.of("post", view.post_id),
            "comment": addresses.of("comment", view.comment_id) if view.comment_id else None,
        }
        for view in reports.views(session, me)
    ]


def scheduled(session: Session, me: Member, rows: Sequence[ScheduledPost]) -> list[Values]:
    kept = uploads.kept_for(session, [row.id for row in rows])
    lists = {row.id: audiences.read(row.names) for row in rows}
    named = {int(who) for row in rows for who in row.mentions}
    named |= {who for each in lists.values() for kind in _MEMBERS for who in each.get(kind, ())}
    names, labels = members.names(session, me, named), _group_names(session, lists)
    return [
        {
            "id": addresses.of("scheduled", row.id),
            "at": row.at,
            "is_late": waiting.is_late(row),
            **{name: getattr(row, name) for name in ("body", "place", "link", "reshare_ok")},
            "media": [media(each) for each in kept[row.id]],
            "mentions": [person(int(who), names[int(who)]) for who in row.mentions if int(who) in names],
            "audience": audience(row.mode, lists[row.id], names, labels),
        }
        for row in rows
    ]


_MEMBERS = (ListKind.ALLOW_MEMBER, ListKind.DENY_MEMBER)


class _Shown(NamedTuple):
    """What stands beside the words of posts."""

    media: dict[int, list[Media]]
    previews: dict[int, Values]


def _previews(session: Session, found: Sequence[Post]) -> dict[int, Values]:
    links = {post.id: post.link for post in found if post.link}
    known = link_cards.of(session, list(links))
    previews = {}
    for post_id, link in links.items():
        card = known.get(post_id)
        previews[post_id] = {
            "host": web_pages.host(link),
            "title": card.title if card else "",
            "text": card.text if card else "",
            "picture": part(card.media_id, "thumb") if card else None,
        }
    return previews


def _roots(session: Session, viewer: Member, found: Sequence[Post]) -> dict[int, Post]:
    ids = {post.root_id for post in found if post.root_id is not None}
    if not ids:
        return {}
    return {root.id: root for root in session.scalars(visibility.roots(), visibility.by(viewer.id, ids=list(ids)))}


def _group_names(session: Session, lists: dict[int, dict[ListKind, list[int]]]) -> dict[int, str]:
    ids = {one for each in lists.values() for kind in set(ListKind) - set(_MEMBERS) for one in each.get(kind, ())}
    query = select(FriendGroup.id, FriendGroup.name).where(FriendGroup.id.in_(ids))
    return {row[0]: row[1] for row in session.execute(query)} if ids else {}


def _words(post: Post, names: Names, shown: _Shown) -> Values:
    return {
        "id": addresses.of("post", post.id),
        "author": person(post.author_id, names[post.author_id]),
        "at": stamps.time(post.id),
        "body": post.body,
        "place": post.place,
        "link": post.link,
        "preview": shown.previews.get(post.id),
        "media": [media(each) for each in shown.media[post.id]],
        "edited_at": post.edited_at,
    }


def _comment(viewer: Member, written: Comment, names: Names) -> Values:
    is_gone = written.deleted_at is not None
    return {
        "id": addresses.of("comment", written.id),
        "by": None if is_gone else person(written.member_id, names[written.member_id]),
        "at": stamps.time(written.id),
        "reply_to": addresses.of("comment", written.reply_to) if written.reply_to else None,
        "body": "" if is_gone else written.body,
        "is_deleted": is_gone,
        "is_mine": written.member_id == viewer.id and not is_gone,
        "hold": _hold(written),
    }


def _hold(matter: Post | Comment) -> Values | None:
    """Why a moderator holds it; whoever is not its writer does not see a held thing at all."""
    return {"reason": matter.hold_reason, "words": matter.hold_words} if matter.hold_reason else None

"""Posts: publishing, correcting, passing on, and taking away."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, not_, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, Forbidden, NotFound, Refused
from bot.moments import audiences, limits, link_cards, members, notices, stamps, visibility
from bot.moments.audiences import Choice
from bot.moments.media import uploads
from models import Comment, LinkCard, Media, Member, NoticeKind, Post, PostEdit, PostMode, ReportReason

MOST_TEXT = 5_000
UNDO = timedelta(seconds=60)
ERASED_AFTER = timedelta(hours=23)  # of a deleted post's or comment's words; the promise is 24


@dataclass(frozen=True)
class Draft:
    body: str = ""
    place: str = ""
    link: str = ""
    audience: Choice = field(default_factory=Choice)
    reshare_ok: bool | None = None  # None: as the author's setting says
    mentions: tuple[int, ...] = ()
    root_id: int | None = None
    media: tuple[int, ...] = ()


def find(session: Session, viewer: Member, post_id: int) -> Post:
    """A post that the viewer may see.

    Raises:
        NotFound: no such post, or not for them: the two look alike.
    """
    post = session.scalar(visibility.posts(), visibility.by(viewer.id, ids=[post_id]))
    if post is None:
        raise nothing()
    return post


def those(session: Session, viewer: Member, ids: Collection[int]) -> dict[int, Post]:
    """Of these posts the ones that the viewer may see."""
    if not ids:
        return {}
    return {post.id: post for post in session.scalars(visibility.posts(), visibility.by(viewer.id, ids=list(ids)))}


def own(session: Session, author: Member, post_id: int) -> Post:
    post = find(session, author, post_id)
    if post.author_id != author.id:
        raise nothing()
    return post


def nothing() -> NotFound:
    return NotFound("There is no such post.")


def publish(session: Session, author: Member, draft: Draft) -> Post:
    """
    Raises:
        Refused: nothing in it, somebody mentioned who could not see it, or photos that do not go together.
        NotFound: a root, a friend or a group that is not there.
        Conflict: a photo that is not there.
        TooMany: the author's limit.
    """
    root = _root(session, author, draft.root_id) if draft.root_id is not None else None
    check(session, author, draft)
    post = write(session, author, draft, root)
    for member_id in dict.fromkeys(draft.mentions):
        if not mention(session, post, member_id):
            raise Refused("Somebody you mention would not see this post.", field="mentions")
    return post


def check(session: Session, author: Member, draft: Draft) -> None:
    """What ``publish`` asks of a draft, but for its root and its mentions."""
    if not (_good_text(draft.body) or draft.link or draft.root_id is not None or draft.media):
        raise Refused("Write something first.", field="body")
    _check_media(draft.root_id, draft.media)
    limits.check(session, author, "reshares" if draft.root_id is not None else "posts")
    audiences.check(session, author, draft.audience)


def write(session: Session, author: Member, draft: Draft, root: Post | None = None) -> Post:
    """Make a checked draft a post, as of now."""
    stamp = members.lock(session, author.id)
    may = draft.audience.mode == PostMode.FRIENDS
    wants = author.lets_reshare if draft.reshare_ok is None else draft.reshare_ok
    post = Post(
        author_id=author.id,
        mode=draft.audience.mode,
        aud_at=stamp,
        body=draft.body.strip(),
        place=draft.place.strip(),
        link=draft.link.strip(),
        root_id=root.id if root else None,
        reshare_ok=may and wants,
    )
    stamps.place(session, post, stamp)
    author.stamp = post.id
    audiences.name(session, post, draft.audience)
    if draft.media:
        uploads.attach(session, author.id, post.id, draft.media)
    if post.link:
        link_cards.want(session, post)
    if root:
        notices.tell(session, root.author_id, NoticeKind.RESHARE, author.id, post.id)
    return post


def mention(session: Session, post: Post, member_id: int) -> bool:
    """Tell somebody of a post that they see; False: they do not."""
    if not session.scalar(visibility.posts(), visibility.by(member_id, ids=[post.id])):
        return False
    notices.tell(session, member_id, NoticeKind.MENTION, post.author_id, post.id)
    return True


def edit(
    session: Session, author: Member, post: Post, body: str | None = None, media: Sequence[int] | None = None
) -> None:
    """Correct the words, and which photos it has; the old words stay with the author.  None: as it is."""
    body = post.body if body is None else _good_text(body)
    has_media = bool(uploads.of(session, [post.id])[post.id] if media is None else media)
    if not (body or post.link or post.root_id or has_media):
        raise Refused("Write something, or delete the post.", field="body")
    if media is not None:
        _check_media(post.root_id, media)
        members.lock(session, author.id)
        uploads.attach(session, author.id, post.id, media)
    if body != post.body:
        session.add(PostEdit(post_id=post.id, body=post.body))
        post.body, post.edited_at = body, clock.now()
        session.flush()


def edits(session: Session, post: Post) -> list[PostEdit]:
    return list(session.scalars(select(PostEdit).where(PostEdit.post_id == post.id).order_by(PostEdit.id.desc())))


def set_comments(session: Session, post: Post, is_open: bool) -> None:
    post.comments_open = is_open
    session.flush()


def set_resharing(session: Session, author: Member, post: Post, allowed: bool) -> None:
    """Off: what was passed on loses this post's content at once."""
    if allowed and post.mode != PostMode.FRIENDS:
        raise Refused("Only a post for all friends can be passed on.", field="reshare_ok")
    members.lock(session, author.id)
    post.reshare_ok = allowed
    session.flush()


def remove(session: Session, author: Member, post: Post) -> None:
    """Gone for everybody, the author included."""
    members.lock(session, author.id)
    post.deleted_at = clock.now()
    uploads.erase(session, Media.post_id == post.id)
    session.flush()


def restore(session: Session, author: Member, post_id: int) -> Post:
    """Take the deletion back, within ``UNDO``.

    Raises:
        NotFound: no such post of theirs, or too late.
    """
    members.lock(session, author.id)
    post = session.scalar(
        select(Post)
        .where(Post.id == post_id, Post.author_id == author.id, Post.deleted_at >= clock.now() - UNDO)
        .execution_options(populate_existing=True)
    )
    if post is None or post.deleted_at is None:
        raise nothing()
    # Not what an edit took away before.
    uploads.bring_back(session, Media.post_id == post_id, Media.erased_at >= post.deleted_at)
    post.deleted_at = None
    session.flush()
    return own(session, author, post_id)


def hold(session: Session, post_id: int, is_held: bool, reason: ReportReason | None = None, words: str = "") -> None:
    """A moderator's: only the author sees a held post, marked, and why."""
    post = session.get(Post, post_id)
    if post is None:
        raise nothing()
    members.lock(session, post.author_id)
    post.is_held, post.hold_reason, post.hold_words = is_held, reason, words
    session.flush()


def reshares(session: Session, viewer: Member, root: Post) -> list[Post]:
    """Those of a post that its author may see."""
    if root.author_id != viewer.id:
        raise nothing()
    ids = session.scalars(select(Post.id).where(Post.root_id == root.id)).all()
    return list(session.scalars(visibility.posts(), visibility.by(viewer.id, ids=ids)))


def own_reshares(session: Session, member: Member) -> list[Post]:
    """Newest first, also of what is no longer shown."""
    query = select(Post).where(Post.author_id == member.id, Post.root_id.is_not(None), Post.deleted_at.is_(None))
    return list(session.scalars(query.order_by(Post.id.desc())))


def erase_due(session: Session, most: int = 10_000) -> None:
    """Forget the words of what was deleted a day ago; of so many posts at a time."""
    before = clock.now() - ERASED_AFTER
    gone = list(session.scalars(select(Post.id).where(Post.deleted_at < before, not_(Post.is_erased)).limit(most)))
    session.execute(delete(PostEdit).where(PostEdit.post_id.in_(gone)))
    session.execute(delete(LinkCard).where(LinkCard.post_id.in_(gone)))
    nothing_left = {"body": "", "place": "", "link": "", "is_erased": True}
    session.execute(update(Post).where(Post.id.in_(gone)).values(nothing_left))
    session.execute(update(Comment).where(Comment.deleted_at < before, Comment.body != "").values(body=""))


def _root(session: Session, member: Member, post_id: int) -> Post:
    """What a reshare of this post points at: never a reshare itself."""
    post = find(session, member, post_id)
    root_id = post.root_id or post.id
    root = session.scalar(visibility.roots(), visibility.by(member.id, ids=[root_id]))
    if root is not None:
        return root
    if post.author_id == member.id and post.root_id is None:
        raise Conflict("Allow passing this post on first.")
    # A reshare whose root does not show is refused like any other post: it is one to this member.
    raise Forbidden("This post cannot be passed on.")


def _check_media(root_id: int | None, media: Sequence[int]) -> None:
    if root_id is not None and media:
        raise Refused("A post that passes another one on takes no photos.", field="media")


def _good_text(body: str) -> str:
    body = body.strip()
    if len(body) > MOST_TEXT:
        raise Refused("Write at most {most} characters.", field="body", most=MOST_TEXT)
    return body

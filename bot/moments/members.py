"""Members: joining, proving who one is, and what one decides for all of one's Moments."""

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import timedelta
from functools import cache
from typing import NamedTuple

from sqlalchemy import Select, bindparam, case, delete, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from bot.fault_points import fault_point
from bot.moments import stamps, visibility
from bot.moments.media import uploads
from bot.services import passwords
from models import Edge, Media, MediaUse, Member, MemberSignIn, MemberStatus, MemberToken, affected

LIFETIME = timedelta(days=30)  # of one browser's sign-in
GRACE = timedelta(days=15)  # to change one's mind about deleting everything
WINDOWS = (None, 180, 30, 3)
ALL = "all"
PREFIX = "lbm_"  # lets secret scanners find one that was published by mistake
NOUNS = ("profile", "friends", "groups", "posts", "reactions", "notices")
SCOPES = (ALL, *(f"{noun}:{act}" for noun in NOUNS for act in ("read", "write")))
_HANDLE = re.compile(r"[a-z][a-z0-9_-]{2,31}")


def join(session: Session, handle: str, name: str, password: str) -> Member:
    """Add a member.  Call it first in a transaction: hashing takes 0.1 to 0.2 s.

    Raises:
        Refused: a bad handle, name or password.
        Conflict: the handle is taken.
    """
    return add(session, handle, name, passwords.hash_new(password))


def add(session: Session, handle: str, name: str, password_hash: str = "") -> Member:
    """The same with a hash; "": nobody signs in by password."""
    handle = handle.strip().lower()
    if not _HANDLE.fullmatch(handle):
        raise Refused(
            "Choose 3 to 32 letters, digits, “-” or “_”, beginning with a letter; friends find you by it.",
            field="handle",
        )
    if find(session, handle) is not None:
        raise Conflict("“{handle}” is taken; choose another.", field="handle", handle=handle)
    member = Member(handle=handle, name=_good_name(name), password_hash=password_hash, stamp=stamps.after())
    session.add(member)
    session.flush()
    return member


def find(session: Session, handle: str) -> Member | None:
    return session.scalar(select(Member).where(Member.handle == handle.strip().lower()))


def get(session: Session, member_id: int) -> Member:
    member = session.get(Member, member_id)
    if member is None:
        raise nobody()
    return member


def lock(session: Session, *ids: int) -> int:
    """Hold these members until the commit, and return a stamp larger than all of theirs, which becomes theirs.

    Whatever changes who sees what of somebody goes through here, so that its order is the order of the commits.
    """
    rows = session.scalars(
        select(Member)
        .where(Member.id.in_(ids))
        .order_by(Member.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    stamp = stamps.after(*(row.stamp for row in rows))
    for row in rows:
        row.stamp = stamp
    session.flush()
    return stamp


def profile(session: Session, viewer: Member, member_id: int) -> Member:
    """A member as others find them.

    Raises:
        NotFound: no such member, not active, or one who blocks the viewer: they look alike.
    """
    member = session.scalar(select(Member).where(Member.id == member_id, visibility.finds(viewer.id, Member.id)))
    if member is None:
        raise nobody()
    return member


def look_up(session: Session, viewer: Member, handle: str) -> Member:
    found = find(session, handle)
    return profile(session, viewer, found.id if found else 0)


def by_code(session: Session, viewer: Member, code: str) -> Member:
    """Whose code this is: renewed ones and those of whoever blocks the viewer look like none.

    Raises:
        NotFound: nobody's.
    """
    found = session.scalar(select(Member.id).where(Member.code == code)) if code else None
    return profile(session, viewer, found or 0)


def renew_code(session: Session, member: Member) -> str:
    """A new code to be found by; the one before is nobody's any more."""
    member.code = secrets.token_urlsafe(12)
    session.flush()
    return member.code


def nobody() -> NotFound:
    return NotFound("There is no such member.")


class Named(NamedTuple):
    """How a viewer knows somebody."""

    name: str
    avatar_id: int | None


def names(session: Session, viewer: Member, ids: Collection[int]) -> dict[int, Named]:
    """Names as this viewer knows them: an own remark first.  Whom to name is decided by visibility."""
    if not ids:
        return {}
    rows = session.execute(_names(), {"viewer": viewer.id, "ids": list(ids)})
    return {member_id: Named(remark or name, avatar_id) for member_id, name, remark, avatar_id in rows}


def change_profile(session: Session, member: Member, *, name: str | None, about: str | None) -> None:
    if name is not None:
        member.name = _good_name(name)
    if about is not None:
        member.about = about.strip()[:200]
    session.flush()


def show(session: Session, member: Member, use: MediaUse, media_id: int | None) -> None:
    """Choose one's avatar or cover, or none; the one before is erased.

    Raises:
        Refused: it is a video.
        Conflict: it is not there any more, or another's.
    """
    lock(session, member.id)
    uploads.erase(session, Media.owner_id == member.id, Media.use == use)
    if media_id is not None:
        uploads.show(session, member.id, media_id, use)
    if use is MediaUse.AVATAR:
        member.avatar_id = media_id
    else:
        member.cover_id = media_id
    session.flush()


def change_privacy(
    session: Session,
    member: Member,
    *,
    window_days: int | None,
    newonly: bool,
    takes_requests: bool,
    lets_reshare: bool,
) -> None:
    """What holds for all posts, at once, the old ones too."""
    if window_days not in WINDOWS:
        raise Refused("Choose 3, 30 or 180 days, or none for everything.", field="window_days")
    lock(session, member.id)
    member.window_days, member.newonly = window_days, newonly
    member.takes_requests, member.lets_reshare = takes_requests, lets_reshare
    session.flush()


def switch_off(session: Session, member: Member) -> None:
    """Hide everything of theirs, reactions too, until they come back."""
    lock(session, member.id)
    member.status = MemberStatus.OFF
    session.flush()


def delete_all(session: Session, member: Member) -> None:
    """Hide everything at once, and erase it when the grace is over."""
    lock(session, member.id)
    member.status, member.erase_at = MemberStatus.GONE, clock.now() + GRACE
    session.flush()


def come_back(session: Session, member: Member) -> None:
    """From off, or from deleted within the grace; whoever was suspended meanwhile is that afterwards.

    Raises:
        Forbidden: an operator suspended them, and there is nothing else to come back from.
    """
    lock(session, member.id)
    if member.suspended_at is None:
        member.status = MemberStatus.ACTIVE
    elif member.status == MemberStatus.SUSPENDED:
        raise Forbidden("Your Moments were suspended; write to whoever runs this place.")
    else:
        member.status = MemberStatus.SUSPENDED
    member.erase_at = None
    session.flush()


def suspend(session: Session, member: Member) -> None:
    """An operator's: hide everything of theirs until ``release``; whoever is off or gone finds it on coming back."""
    lock(session, member.id)
    member.suspended_at = clock.now()
    if member.status == MemberStatus.ACTIVE:
        member.status = MemberStatus.SUSPENDED
    session.flush()


def release(session: Session, member: Member) -> None:
    lock(session, member.id)
    member.suspended_at = None
    if member.status == MemberStatus.SUSPENDED:
        member.status = MemberStatus.ACTIVE
    session.flush()


def erase_due(session: Session, most: int = 20) -> int:
    """Erase those whose grace is over, with all that is theirs; returns how many."""
    due = select(Member.id).where(Member.status == MemberStatus.GONE, Member.erase_at <= clock.now()).limit(most)
    ids = list(session.scalars(due))
    uploads.erase(session, Media.owner_id.in_(ids))
    session.execute(delete(Member).where(Member.id.in_(ids)))
    fault_point("K23 between erasure's tables")
    return len(ids)


def count_try(handle: str, address: str) -> None:
    """Count a try before its password is looked at, so that many at once cannot slip through.

    Raises:
        TooManyTries: for this handle from this address, or from this address at all.
    """
    try:
        passwords.count_try(f"member {handle}", address)
    except passwords.TooManyTries as late:
        raise passwords.TooManyTries(
            "Too many tries. Wait {seconds} seconds.", field=late.field, seconds=late.values["seconds"]
        ) from None


def forget_tries(handle: str, address: str) -> None:
    passwords.forget_tries(f"member {handle}", address)


def sign_in(session: Session, member: Member, device: str) -> str:
    """Begin a sign-in for someone who has proved who they are; return the new cookie's value."""
    cookie = secrets.token_urlsafe(32)
    session.execute(delete(MemberSignIn).where(MemberSignIn.expires_at < clock.now()))
    ends = clock.now() + LIFETIME
    session.add(MemberSignIn(member_id=member.id, digest=_digest(cookie), device=device[:200], expires_at=ends))
    session.flush()
    return cookie


def sign_out(session: Session, cookie: str) -> None:
    session.execute(delete(MemberSignIn).where(MemberSignIn.digest == _digest(cookie)))


def by_cookie(session: Session, cookie: str) -> Member:
    """
    Raises:
        Unauthenticated: not signed in, or no longer.
    """
    query = (
        select(Member)
        .join(MemberSignIn, MemberSignIn.member_id == Member.id)
        .where(MemberSignIn.digest == _digest(cookie), MemberSignIn.expires_at > clock.now())
    )
    member = session.scalar(query)
    if member is None:
        raise Unauthenticated("Sign in first.")
    return member


def by_token(session: Session, plain: str) -> tuple[Member, list[str]]:
    """Whose key this is, and what it may do.

    Raises:
        Unauthenticated: never made, or ended.
    """
    row = session.execute(_token_holder(), {"digest": _digest(plain)}).one_or_none()
    if row is None:
        raise Unauthenticated("This token is unknown or was ended.")
    return row[0], row[1]


def make_token(session: Session, member: Member, name: str, scopes: list[str]) -> tuple[MemberToken, str]:
    """A key for a member's program; its text cannot be shown again."""
    scopes = list(dict.fromkeys(scopes))
    for scope in scopes:
        if scope not in SCOPES:
            choices = ", ".join(SCOPES)
            raise Refused("“{scope}” is not one of {choices}.", field="scopes", scope=scope[:64], choices=choices)
    if not scopes:
        raise Refused("Say what the token may do, for example “posts:read”, or “all”.", field="scopes")
    plain = PREFIX + secrets.token_urlsafe(32)
    token = MemberToken(member_id=member.id, name=name.strip()[:64], digest=_digest(plain), scopes=scopes)
    session.add(token)
    session.flush()
    return token, plain


def tokens(session: Session, member: Member) -> list[MemberToken]:
    return list(session.scalars(select(MemberToken).where(MemberToken.member_id == member.id).order_by(MemberToken.id)))


def end_token(session: Session, member: Member, token_id: int) -> None:
    session.execute(delete(MemberToken).where(MemberToken.id == token_id, MemberToken.member_id == member.id))


def new_hash(member: Member, old: str, new: str) -> str:
    """What ``change_password`` takes, once the old password fits; for outside of transactions, as it takes 0.2 s.

    Raises:
        Refused: the old one is wrong, or the new one no good.
    """
    has_one = member.password_hash != ""  # who came in by WeChat alone has none yet
    if has_one and not passwords.fits(member.password_hash, old):
        raise Refused("That is not your present password.", field="old")
    return passwords.hash_new(new)


def change_password(session: Session, member: Member, password_hash: str, keep: str = "") -> None:
    """The member's own doing, in the browser with the cookie ``keep``: it alone stays signed in.

    Raises:
        Conflict: it is no longer the password that was asked for.
    """
    present = Member.id == member.id, Member.password_hash == member.password_hash
    if affected(session.execute(update(Member).where(*present).values(password_hash=password_hash))) == 0:
        raise Conflict("Your password was changed a moment ago; use the new one.")
    theirs = delete(MemberSignIn).where(MemberSignIn.member_id == member.id)
    session.execute(theirs.where(MemberSignIn.digest != _digest(keep)))
    session.execute(delete(MemberToken).where(MemberToken.member_id == member.id))


def sign_ins(session: Session, member: Member, cookie: str = "") -> list[tuple[MemberSignIn, bool]]:
    """The member's signed-in browsers, the newest first; and whether it is the one with this cookie."""
    query = select(MemberSignIn).where(MemberSignIn.member_id == member.id, MemberSignIn.expires_at > clock.now())
    found = session.scalars(query.order_by(MemberSignIn.id.desc()))
    return [(each, each.digest == _digest(cookie)) for each in found]


def end_sign_in(session: Session, member: Member, sign_in_id: int) -> None:
    session.execute(delete(MemberSignIn).where(MemberSignIn.id == sign_in_id, MemberSignIn.member_id == member.id))


@cache
def _token_holder() -> Select[Member, list[str]]:
    query = select(Member, MemberToken.scopes).join(MemberToken, MemberToken.member_id == Member.id)
    return query.where(MemberToken.digest == bindparam("digest"))


@cache
def _names() -> Select[int, str, str | None, int | None]:
    named = (Edge.owner_id == visibility.VIEWER) & (Edge.other_id == Member.id)
    avatar = case((visibility.is_found(Member, Edge), Member.avatar_id))
    query = select(Member.id, Member.name, Edge.remark, avatar).outerjoin(Edge, named)
    return query.where(Member.id.in_(visibility.IDS))


def _good_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 32 or not name.isprintable():
        raise Refused("Give a name of 1 to 32 characters.", field="name")
    return name


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()  # 256 random bits: no slow hash needed

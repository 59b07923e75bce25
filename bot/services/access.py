"""Who may do what: a role is a set of permissions, which are spelled as the API's scopes are."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from bot.errors import Conflict, Forbidden, NotFound, Refused
from bot.services import operators
from models import Account, Membership, Operator, Role, SignIn

NOUNS = (
    "accounts",
    "rules",
    "menus",
    "followers",
    "messages",
    "conversations",
    "sends",
    "tasks",
    "people",
    "tokens",
    "tags",
    "segments",
    "fields",
    "campaigns",
    "assistant",
    "moments",
)
EVERYTHING_IN_ORDER = (*(f"{noun}:{act}" for noun in NOUNS for act in ("read", "write")), "health:read", "audit:read")
EVERYTHING = frozenset(EVERYTHING_IN_ORDER)
_COMMON = frozenset(
    f"{noun}:read"
    for noun in ("accounts", "rules", "followers", "messages", "tasks", "tags", "segments", "fields", "campaigns")
) | {"assistant:read"}

# The one table.  Whoever sees people, keys and the log could make themselves more than they are: owners only.
PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.OWNER: EVERYTHING,
    Role.EDITOR: _COMMON
    | {"rules:write", "menus:read", "menus:write", "followers:write", "fields:write", "tags:write", "segments:write"}
    | {"conversations:read", "conversations:write", "sends:read", "sends:write", "tasks:write", "messages:write"}
    | {"health:read", "campaigns:write", "assistant:write"},
    Role.MARKETER: _COMMON
    | {"menus:read", "menus:write", "followers:write", "fields:write", "tags:write", "segments:write", "health:read"}
    | {"campaigns:write"},
    Role.AGENT: _COMMON | {"followers:write", "conversations:read", "conversations:write", "sends:read", "sends:write"},
    Role.ANALYST: _COMMON | {"menus:read", "health:read"},
}

INVITATION_MINUTES = 3 * 24 * 60


@dataclass(frozen=True, slots=True)
class Access:
    """What an operator or a token may do, by account; None: in all of them and in the install itself."""

    granted: Mapping[int | None, frozenset[str]]

    def at(self, account_id: int | None) -> frozenset[str]:
        nothing: frozenset[str] = frozenset()
        return self.granted.get(None, nothing) | self.granted.get(account_id, nothing)

    def covers(self, other: "Access") -> bool:
        return all(permissions <= self.at(where) for where, permissions in other.granted.items())


def of_operator(session: Session, operator_id: int) -> Access:
    rows = session.execute(
        select(Membership.account_id, Membership.role).where(Membership.operator_id == operator_id)
    ).all()
    return Access({account_id: PERMISSIONS[role] for account_id, role in rows})


def list_members(session: Session, account: Account) -> list[Membership]:
    """Those of this account and those of all accounts, in the order in which they came."""
    return list(
        session.scalars(
            select(Membership)
            .where((Membership.account_id == account.id) | Membership.account_id.is_(None))
            .options(joinedload(Membership.operator))
            .order_by(Membership.operator_id, Membership.account_id)
        )
    )


def who_may(session: Session, account: Account, permission: str) -> list[Operator]:
    """Those who may sign in and do this here, in the order in which they came."""
    allowed = [
        each.operator
        for each in list_members(session, account)
        if each.operator.is_active and permission in PERMISSIONS[each.role]
    ]
    return list(dict.fromkeys(allowed))  # one may have two roles: here, and in all accounts


def get_member(session: Session, account: Account, operator_id: int) -> Operator:
    """
    Raises:
        NotFound: nobody by this number works on this account.
    """
    for membership in list_members(session, account):
        if membership.operator_id == operator_id:
            return membership.operator
    raise NotFound("Nobody like that works on this account.")


def get_managed(session: Session, account: Account, operator_id: int, by: Access) -> Operator:
    """A member whose whole sign-in ``by`` may decide about: who gets in as them gets all that they may.

    Raises:
        NotFound: nobody by this number works on this account.
        Forbidden: they may do more, here or elsewhere, than whoever asks.
    """
    operator = get_member(session, account, operator_id)
    must_cover(session, operator, by)
    return operator


def must_cover(session: Session, operator: Operator, by: Access) -> None:
    if not by.covers(of_operator(session, operator.id)):
        raise Forbidden("{name} may do more than you, here or in another account; ask an owner.", name=operator.name)


def give(session: Session, operator: Operator, role: Role, account: Account | None, by: Access | None = None) -> None:
    """Make this the operator's role in an account, or in all of them (None).

    ``by``: who gives it, for the rule that nobody gives more than they have; None: whoever owns the server.

    Raises:
        Forbidden: the role may do more than whoever gives it.
        Conflict: nobody would own the install any more.
    """
    place = account.id if account else None
    if by is not None and not PERMISSIONS[role] <= by.at(place):
        raise Forbidden("You cannot give a role that may do more than you may.", field="role")
    kept = _find(session, operator.id, place)
    if kept is None:
        session.add(Membership(operator_id=operator.id, account_id=place, role=role))
    elif kept.role != role:
        if place is None and kept.role is Role.OWNER:
            _must_leave_an_owner(session, operator)
        kept.role = role
    session.flush()
    _renew_cookies(session, operator)


def change(session: Session, operator: Operator, role: Role, account: Account | None, by: Access) -> None:
    """Another role in place of the one they have there.

    Raises:
        NotFound: they have none there.
        Forbidden, Conflict: as ``give``.
    """
    if _find(session, operator.id, account.id if account else None) is None:
        raise NotFound("Nobody like that works on this account.")
    give(session, operator, role, account, by)


def take(session: Session, operator: Operator, account: Account | None, by: Access | None = None) -> None:
    """End the operator's role in an account, or the one in all of them (None); from the next request on.

    Raises:
        NotFound: there is none there.
        Forbidden: a role for all accounts, and whoever takes it owns less.
        Conflict: nobody would own the install any more.
    """
    place = account.id if account else None
    if by is not None and "people:write" not in by.at(place):
        raise Forbidden("This role is for all accounts; only an owner of all can change it.")
    kept = _find(session, operator.id, place)
    if kept is None:
        raise NotFound("Nobody like that works on this account.")
    if place is None and kept.role is Role.OWNER:
        _must_leave_an_owner(session, operator)
    session.delete(kept)
    session.flush()
    _renew_cookies(session, operator)


def invite(session: Session, name: str, role: Role, account: Account | None, by: Access) -> tuple[Operator, str]:
    """Give a role to a name; a new one gets a secret that signs them in once, for three days, else it is "".

    Raises:
        Refused, Forbidden: as ``operators.create`` and ``give``.
        Conflict: this person has a role there already.
    """
    known = operators.find(session, name)
    if known is not None and _find(session, known.id, account.id if account else None):
        raise Conflict("{name} has a role here already; change it in the list.", field="name", name=known.name)
    operator = known or operators.create(session, name)
    give(session, operator, role, account, by)
    return operator, "" if known else operators.sign_in_link(session, operator, INVITATION_MINUTES)


def set_active(session: Session, operator: Operator, is_active: bool) -> None:
    """Let nobody in by this name any more, or let them in again.

    Raises:
        Conflict: nobody would own the install any more.
    """
    if not is_active:
        if _find(session, operator.id, None, Role.OWNER):
            _must_leave_an_owner(session, operator)
        operators.end_all_sign_ins(session, operator)
    operator.is_active = is_active
    session.flush()


def role_of(value: str) -> Role:
    try:
        return Role(value)
    except ValueError:
        raise Refused("Choose one of the roles.", field="role") from None


def _find(session: Session, operator_id: int, account_id: int | None, role: Role | None = None) -> Membership | None:
    query = select(Membership).where(Membership.operator_id == operator_id, Membership.account_id.is_(account_id))
    if account_id is not None:
        query = select(Membership).where(Membership.operator_id == operator_id, Membership.account_id == account_id)
    return session.scalar(query.where(Membership.role == role) if role else query)


def _must_leave_an_owner(session: Session, leaving: Operator) -> None:
    """The rows of all owners are held: of two who remove each other at once, the second finds nobody left."""
    owners = session.scalars(
        select(Membership)
        .join(Operator)
        .where(Membership.account_id.is_(None), Membership.role == Role.OWNER, Operator.is_active)
        .order_by(Membership.id)
        .with_for_update()
    ).all()
    if not any(owner.operator_id != leaving.id for owner in owners):
        raise Conflict("{name} is the last owner; make somebody else one first.", name=leaving.name)


def _renew_cookies(session: Session, operator: Operator) -> None:
    """T17: with the role the cookie changes too; browsers get the new one with their next request."""
    session.execute(update(SignIn).where(SignIn.operator_id == operator.id).values(must_renew=True))

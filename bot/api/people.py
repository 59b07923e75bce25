"""/api/v1/accounts/<account>/members and …/invitations: who works on an account, and with which role."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, endpoint
from bot.services import access, operators, second_factor
from bot.services.access import Access
from bot.settings import settings
from models import Role

Everywhere = Annotated[bool, Field(description="the role in all accounts; needs a token for all of them")]


class Member(Out):
    """A role of one person: in this account, or (``everywhere``) in all of them."""

    operator_id: int
    name: str
    role: Role
    everywhere: bool
    is_active: bool
    has_second_factor: bool
    created_at: datetime


class Members(Out):
    items: list[Member]


class MemberChange(In):
    """What is left out stays as it is."""

    role: Role | None = None
    everywhere: Everywhere = False
    is_active: Annotated[bool | None, Field(description="false: signed out, and let in no more")] = None


class MemberQuery(In):
    everywhere: Everywhere = False


class InvitationDraft(In):
    name: Annotated[str, Field(max_length=200)]
    role: Role
    everywhere: Everywhere = False


class Invitation(Out):
    """``url`` signs a new person in once, within three days; it cannot be shown again.  Null: they could sign in."""

    operator_id: int
    url: str | None


@endpoint(
    "GET",
    "/accounts/<slug>/members",
    scope="people:read",
    summary="List who works on an account",
    returns=Members,
)
def list_members(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": [_shown(each) for each in access.list_members(session, account)]}


@endpoint(
    "PATCH",
    "/accounts/<slug>/members/<int:operator_id>",
    scope="people:write",
    summary="Change somebody's role, or whether they may sign in; a token gives no role that may do more than itself",
    body=MemberChange,
    returns=Members,
)
def change_member(
    session: Session, account: models.Account, operator_id: int, body: MemberChange, by: Access
) -> dict[str, Any]:
    operator = access.get_member(session, account, operator_id)
    if body.is_active is not None:
        access.must_cover(session, operator, by)
        access.set_active(session, operator, body.is_active)
    if body.role is not None:
        access.change(session, operator, body.role, None if body.everywhere else account, by)
    theirs = [each for each in access.list_members(session, account) if each.operator_id == operator.id]
    return {"items": [_shown(each) for each in theirs]}


@endpoint(
    "DELETE",
    "/accounts/<slug>/members/<int:operator_id>",
    scope="people:write",
    summary="Take somebody's role away, from their next request on",
    query=MemberQuery,
    status=204,
)
def remove_member(session: Session, account: models.Account, operator_id: int, query: MemberQuery, by: Access) -> None:
    operator = access.get_member(session, account, operator_id)
    access.take(session, operator, None if query.everywhere else account, by)


@endpoint(
    "DELETE",
    "/accounts/<slug>/members/<int:operator_id>/sign-ins",
    scope="people:write",
    summary="Sign somebody out of all browsers",
    status=204,
)
def end_member_sign_ins(session: Session, account: models.Account, operator_id: int, by: Access) -> None:
    operators.end_all_sign_ins(session, access.get_managed(session, account, operator_id, by))


@endpoint(
    "DELETE",
    "/accounts/<slug>/members/<int:operator_id>/second-factor",
    scope="people:write",
    summary="Switch somebody's second factor off, for instance when their phone is lost",
    status=204,
)
def reset_member_second_factor(session: Session, account: models.Account, operator_id: int, by: Access) -> None:
    second_factor.switch_off(session, access.get_managed(session, account, operator_id, by))


@endpoint(
    "POST",
    "/accounts/<slug>/invitations",
    scope="people:write",
    summary="Give somebody a role, and a new person a link that signs them in once",
    body=InvitationDraft,
    returns=Invitation,
    status=201,
)
def invite_member(session: Session, account: models.Account, body: InvitationDraft, by: Access) -> dict[str, Any]:
    place = None if body.everywhere else account
    operator, secret = access.invite(session, body.name, body.role, place, by)
    url = f"{settings().base_url}/console/sign-in/{secret}" if secret else None
    return {"operator_id": operator.id, "url": url}


def _shown(membership: models.Membership) -> dict[str, Any]:
    operator = membership.operator
    return {
        "operator_id": operator.id,
        "name": operator.name,
        "role": membership.role,
        "everywhere": membership.account_id is None,
        "is_active": operator.is_active,
        "has_second_factor": second_factor.is_on(operator),
        "created_at": membership.created_at,
    }

"""/api/v1/operators: who may open the console, and links that let them in.  For tokens of all accounts only."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, endpoint
from bot.errors import Forbidden
from bot.services import access, operators
from bot.services.access import Access
from bot.settings import settings
from models import Role

Name = Annotated[str, Field(max_length=200)]


class Operator(Out):
    id: int
    name: str
    is_active: bool
    has_password: bool
    created_at: datetime


class Operators(Out):
    items: list[Operator]


class OperatorDraft(In):
    name: Name
    role: Annotated[Role | None, Field(description="in all accounts; none: an account gives one")] = None


class SignInLinkDraft(In):
    operator: Annotated[Name, Field(description="their name")]


class SignInLink(Out):
    """Whoever opens it is that operator, once and for 15 minutes; it cannot be shown again."""

    url: str


@endpoint("GET", "/operators", scope="people:read", summary="List who may open the console", returns=Operators)
def list_operators(session: Session, token: models.ApiToken) -> dict[str, Any]:
    _for_all_accounts(token)
    return {"items": [_shown(each) for each in operators.list_all(session)]}


@endpoint(
    "POST",
    "/operators",
    scope="people:write",
    summary="Add an operator, who comes in by a sign-in link and may then set a password",
    body=OperatorDraft,
    returns=Operator,
    status=201,
)
def create_operator(session: Session, token: models.ApiToken, body: OperatorDraft, by: Access) -> dict[str, Any]:
    _for_all_accounts(token)
    made = operators.create(session, body.name)
    if body.role is not None:
        access.give(session, made, body.role, None, by)
    return _shown(made)


@endpoint(
    "POST",
    "/sign-in-links",
    scope="people:write",
    summary="Make a link that signs an operator in once",
    body=SignInLinkDraft,
    returns=SignInLink,
    status=201,
)
def create_sign_in_link(session: Session, token: models.ApiToken, body: SignInLinkDraft, by: Access) -> dict[str, Any]:
    _for_all_accounts(token)
    operator = operators.get(session, body.operator)
    access.must_cover(session, operator, by)  # whoever gets in as them gets all that they may
    secret = operators.sign_in_link(session, operator)
    return {"url": f"{settings().base_url}/console/sign-in/{secret}"}


def _for_all_accounts(token: models.ApiToken) -> None:
    """The list is of all accounts' people; a token for one finds its own under …/members."""
    if token.account_id is not None:
        raise Forbidden("This token is for one account; its people are under /accounts/<account>/members.")


def _shown(operator: models.Operator) -> dict[str, Any]:
    columns = {name: getattr(operator, name, None) for name in Operator.model_fields}
    return {**columns, "has_password": bool(operator.password_hash)}

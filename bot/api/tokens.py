"""/api/v1/accounts/<account>/tokens: programs' keys to the API."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, endpoint
from bot.services import api_tokens
from bot.services.access import Access


class Token(Out):
    id: int
    name: str
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None


class Tokens(Out):
    items: list[Token]


class TokenDraft(In):
    name: Annotated[str, Field(max_length=64)] = ""
    scopes: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=50, description="or “all”")]


class NewToken(Out):
    """``token`` cannot be shown again."""

    token: str


@endpoint(
    "GET",
    "/accounts/<slug>/tokens",
    scope="tokens:read",
    summary="List the tokens of an account, newest first, revoked ones too",
    returns=Tokens,
)
def list_tokens(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": api_tokens.list_all(session, account)}


@endpoint(
    "POST",
    "/accounts/<slug>/tokens",
    scope="tokens:write",
    summary="Make a token for an account, with scopes that this one has itself",
    body=TokenDraft,
    returns=NewToken,
    status=201,
)
def create_token(session: Session, account: models.Account, body: TokenDraft, by: Access) -> dict[str, Any]:
    return {"token": api_tokens.create(session, account=account, name=body.name, scopes=body.scopes, by=by)}


@endpoint(
    "DELETE",
    "/accounts/<slug>/tokens/<int:token_id>",
    scope="tokens:write",
    summary="Revoke a token of this account: it opens nothing from the next request on",
    status=204,
)
def revoke_token(session: Session, account: models.Account, token_id: int, by: Access) -> None:
    api_tokens.revoke(session, api_tokens.get(session, token_id, account, by).id)

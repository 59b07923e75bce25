"""/api/v1/accounts: official accounts."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, endpoint
from bot.errors import Forbidden
from bot.services import accounts, tokens
from bot.settings import settings
from models import AccountKind, Assigning, CallbackMode, Desk

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Spans = list[Annotated[list[str], Field(min_length=2, max_length=2)]]
Short = Annotated[str, Field(max_length=64)]


class Account(Out):
    """An official account.  Its secrets are never shown."""

    slug: str
    title: str
    appid: str
    original_id: str
    kind: AccountKind
    is_verified: bool
    mode: CallbackMode
    timezone: str
    human_words: list[str]
    human_reply: str
    handover_minutes: int
    desk: Desk
    assigning: Assigning
    offline_minutes: int
    opening_hours: dict[str, Any]
    away_reply: str
    signs_members_in: bool
    cap_messages: int
    cap_days: int
    approval_above: int | None
    opt_out_words: list[str]
    opt_out_reply: str
    opt_in_words: list[str]
    opt_in_reply: str
    has_secret: bool
    callback_url: str
    created_at: datetime


class Accounts(Out):
    items: list[Account]


class OpeningHours(In):
    """Times such as ["09:00", "18:00"]; a day that is left out is closed."""

    days: Annotated[dict[Day, Spans], Field(default_factory=dict)]
    holidays: Annotated[list[str], Field(default_factory=list, max_length=400, description="dates that are closed")]
    workdays: Annotated[
        dict[str, Spans], Field(default_factory=dict, description="dates with hours of their own: a Saturday worked")
    ]


class AccountChange(In):
    """What is left out stays as it is; so does what is null, but for `approval_above`."""

    title: Short | None = None
    appid: Short | None = None
    original_id: Short | None = None
    kind: AccountKind | None = None
    is_verified: bool | None = None
    mode: CallbackMode | None = None
    secret: Annotated[str | None, Field(max_length=64, description="the AppSecret; written, never read")] = None
    token: Annotated[str | None, Field(max_length=64, description="of the callback; written, never read")] = None
    aes_key: Annotated[str | None, Field(max_length=64, description="EncodingAESKey; written, never read")] = None
    timezone: Short | None = None
    human_words: Annotated[list[Short] | None, Field(max_length=50)] = None
    human_reply: Annotated[str | None, Field(max_length=2048, description="to whoever asks for a person")] = None
    handover_minutes: Annotated[int | None, Field(ge=1, le=2880)] = None
    desk: Annotated[Desk | None, Field(description="who answers whoever asks for a person")] = None
    assigning: Annotated[Assigning | None, Field(description="how a new conversation is given to somebody")] = None
    offline_minutes: Annotated[
        int | None, Field(ge=1, le=1440, description="so long away, and who waits goes back to the queue")
    ] = None
    opening_hours: Annotated[
        OpeningHours | None, Field(description="in the account's time zone; an empty object: always open")
    ] = None
    away_reply: Annotated[
        str | None, Field(max_length=2048, description="outside the hours; {{opens}} is when somebody is there again")
    ] = None
    signs_members_in: Annotated[
        bool | None, Field(description="whether people may sign in to Moments through it; a verified service account")
    ] = None
    cap_messages: Annotated[
        int | None, Field(ge=0, le=1000, description="of campaigns to one follower within `cap_days`; 0: any number")
    ] = None
    cap_days: Annotated[int | None, Field(ge=1, le=90)] = None
    approval_above: Annotated[
        int | None,
        Field(ge=0, le=100_000_000, description="a campaign to more followers needs a second person; null: none does"),
    ] = None
    opt_out_words: Annotated[
        list[Short] | None, Field(max_length=50, description="who writes one of them gets no more campaigns")
    ] = None
    opt_out_reply: Annotated[str | None, Field(max_length=2048)] = None
    opt_in_words: Annotated[list[Short] | None, Field(max_length=50)] = None
    opt_in_reply: Annotated[str | None, Field(max_length=2048)] = None


class AccountDraft(AccountChange):
    slug: Annotated[str, Field(max_length=32, description="in the account's addresses; never changes")]


def shown(account: models.Account) -> dict[str, Any]:
    columns = {name: getattr(account, name, None) for name in Account.model_fields}
    callback_url = f"{settings().base_url}/wechat/{account.slug}"
    return {**columns, "has_secret": bool(account.sealed_secret), "callback_url": callback_url}


@endpoint("GET", "/accounts", scope="accounts:read", summary="List the accounts this token is for", returns=Accounts)
def list_accounts(session: Session, token: models.ApiToken) -> dict[str, Any]:
    ours = [each for each in accounts.list_all(session) if token.account_id in (None, each.id)]
    return {"items": [shown(account) for account in ours]}


@endpoint("GET", "/accounts/<slug>", scope="accounts:read", summary="Get an account", returns=Account)
def get_account(session: Session, account: models.Account) -> dict[str, Any]:
    return shown(account)


@endpoint(
    "POST",
    "/accounts",
    scope="accounts:write",
    summary="Add an account; needs a token for all accounts",
    body=AccountDraft,
    returns=Account,
    status=201,
)
def create_account(session: Session, token: models.ApiToken, body: AccountDraft) -> dict[str, Any]:
    if token.account_id is not None:
        raise Forbidden("This token is for one account; adding accounts needs one for all.")
    values = body.model_dump(exclude_unset=True, exclude_none=True, exclude={"slug", "title"})
    return shown(accounts.create(session, body.slug, body.title or "", **values))


@endpoint(
    "PATCH",
    "/accounts/<slug>",
    scope="accounts:write",
    summary="Change some of an account",
    body=AccountChange,
    returns=Account,
)
def change_account(session: Session, account: models.Account, body: AccountChange) -> dict[str, Any]:
    values = body.model_dump(exclude_unset=True, exclude_none=True)
    if "approval_above" in body.model_fields_set:
        values["approval_above"] = body.approval_above  # null says something here
    accounts.update(session, account, values)
    if values.keys() & {"appid", "secret"}:
        tokens.forget(session, account.id)
    return shown(account)

"""/api/v1/accounts/<account>/messages: what came in, what was answered, and why."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, PageQuery, endpoint
from bot.errors import Refused
from bot.services import followers, message_search, messages
from bot.services.message_search import Side


class Message(Out):
    """One push of WeChat's with its reply; ``trace`` tells who was asked and what each said."""

    id: int
    openid: str
    follower_id: int | None
    kind: str
    event: str
    key: str
    text: str
    fields: dict[str, Any]
    received_at: datetime
    reply: dict[str, Any] | None
    rule_id: int | None
    trace: list[dict[str, Any]]
    flag: str


class MessagePage(Out):
    items: list[Message]
    next: int | None


class SearchQuery(PageQuery):
    follower_id: Annotated[int | None, Field(ge=1, le=LARGEST)] = None
    search: Annotated[
        str | None,
        Field(
            max_length=200,
            description="only texts that hold all of these words: whole ones, or two Chinese characters and more; what "
            "came in the last seconds is not among them yet. Not together with follower_id",
        ),
    ] = None


def found(session: Session, account: models.Account, query: SearchQuery, side: Side) -> dict[str, Any]:
    """The rows of one side that hold the words; ``next`` is a number of the search's own."""
    if query.follower_id:
        raise Refused("Give “search” or “follower_id”, not both.", field="search")
    page = message_search.find(
        session, account, query.search or "", sides=[side], before=query.before, limit=query.limit
    )
    return {"items": [each.row for each in page], "next": page[-1].id if len(page) == query.limit else None}


class Turn(Out):
    """One thing that was said, by either side."""

    id: str
    at: datetime
    side: Annotated[str, Field(description="follower, bot or operator")]
    kind: str
    text: str
    reply: dict[str, Any] | None
    status: str
    who: str
    error: str
    trace: Annotated[list[dict[str, Any]], Field(description="why the bot said this, or said nothing")]


class Timeline(Out):
    items: list[Turn]


class TimelineQuery(In):
    before: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, le=200, description="how many at most")] = 50


@endpoint(
    "GET",
    "/accounts/<slug>/messages",
    scope="messages:read",
    summary="List messages, newest first; of one follower, with some words, or all",
    query=SearchQuery,
    returns=MessagePage,
)
def list_messages(session: Session, account: models.Account, query: SearchQuery) -> dict[str, Any]:
    if query.search is not None:
        return found(session, account, query, Side.FOLLOWER)
    follower = followers.get(session, account, query.follower_id) if query.follower_id else None
    page = messages.page(session, account, follower=follower, before=query.before, limit=query.limit)
    return {"items": page, "next": page[-1].id if len(page) == query.limit else None}


@endpoint(
    "GET",
    "/accounts/<slug>/messages/<int:message_id>",
    scope="messages:read",
    summary="Get a message with its trace",
    returns=Message,
)
def get_message(session: Session, account: models.Account, message_id: int) -> models.InboundMessage:
    return messages.get(session, account, message_id)


@endpoint(
    "GET",
    "/accounts/<slug>/followers/<int:follower_id>/timeline",
    scope="messages:read",
    summary="What was said with one follower, by either side, oldest first",
    query=TimelineQuery,
    returns=Timeline,
)
def get_timeline(session: Session, account: models.Account, follower_id: int, query: TimelineQuery) -> dict[str, Any]:
    follower = followers.get(session, account, follower_id)
    return {"items": messages.timeline(session, account, follower, query.before, query.limit)}

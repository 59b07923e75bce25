"""/api/v1/accounts/<account>/sends: customer-service messages."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, endpoint
from bot.api.messages import SearchQuery, found
from bot.services import followers, sends
from bot.services.message_search import Side
from bot.wechat.messages import Reply
from models import SendStatus


class Send(Out):
    """One message.  "unknown": WeChat did not answer, so it may have arrived; it is not sent again by itself."""

    id: int
    follower_id: int
    message_id: int | None
    reply: dict[str, Any]
    status: SendStatus
    errcode: int | None
    error: str
    created_at: datetime
    sent_at: datetime | None


class SendPage(Out):
    items: list[Send]
    next: int | None


class SendDraft(In):
    reply: Reply


@endpoint(
    "GET",
    "/accounts/<slug>/sends",
    scope="sends:read",
    summary="List messages sent, newest first; to one follower, those of people with some words, or all",
    query=SearchQuery,
    returns=SendPage,
)
def list_sends(session: Session, account: models.Account, query: SearchQuery) -> dict[str, Any]:
    if query.search is not None:
        return found(session, account, query, Side.OPERATOR)
    follower = followers.get(session, account, query.follower_id) if query.follower_id else None
    page = sends.page(session, account, follower=follower, before=query.before, limit=query.limit)
    return {"items": page, "next": page[-1].id if len(page) == query.limit else None}


@endpoint("GET", "/accounts/<slug>/sends/<int:send_id>", scope="sends:read", summary="Get a message sent", returns=Send)
def get_send(session: Session, account: models.Account, send_id: int) -> models.Send:
    return sends.get(session, account, send_id)


@endpoint(
    "POST",
    "/accounts/<slug>/followers/<int:follower_id>/sends",
    scope="sends:write",
    summary="Send a customer-service message, if WeChat's window allows",
    body=SendDraft,
    returns=Send,
    status=202,
)
def create_send(session: Session, account: models.Account, follower_id: int, body: SendDraft) -> models.Send:
    follower = followers.get(session, account, follower_id)
    sends.must_be_allowed(session, follower.id)
    return sends.create(session, account.id, follower.id, body.reply)

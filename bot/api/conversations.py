"""/api/v1/accounts/<account>/conversations: followers who talk with a person."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, endpoint
from bot.api.messages import Timeline, TimelineQuery
from bot.api.sends import Send, SendDraft
from bot.services import conversations, followers, messages


class Conversation(Out):
    """From the request for a person to the hand-back; while it is open the bot is silent for this follower."""

    id: int
    follower_id: int
    is_open: bool
    opened_at: datetime
    waiting_since: Annotated[datetime | None, Field(description="the follower wrote and nobody answered yet")]
    updated_at: datetime
    closed_at: datetime | None
    closed_why: str


class Conversations(Out):
    items: list[Conversation]


class ConversationQuery(In):
    state: Literal["open", "closed"] = "open"
    limit: Annotated[int, Field(ge=1, le=200, description="how many at most")] = 50


class ConversationDraft(In):
    follower_id: Annotated[int, Field(ge=1, le=LARGEST)]


@endpoint(
    "GET",
    "/accounts/<slug>/conversations",
    scope="conversations:read",
    summary="List conversations, who waits longest first",
    query=ConversationQuery,
    returns=Conversations,
)
def list_conversations(session: Session, account: models.Account, query: ConversationQuery) -> dict[str, Any]:
    if query.state == "open":
        return {"items": conversations.list_open(session, account)[: query.limit]}
    return {"items": conversations.list_closed(session, account, query.limit)}


@endpoint(
    "POST",
    "/accounts/<slug>/conversations",
    scope="conversations:write",
    summary="Take a follower over from the bot, or find the conversation that is open",
    body=ConversationDraft,
    returns=Conversation,
    status=201,
)
def open_conversation(session: Session, account: models.Account, body: ConversationDraft) -> models.Conversation:
    return conversations.take(session, account, followers.get(session, account, body.follower_id))


@endpoint(
    "GET",
    "/accounts/<slug>/conversations/<int:conversation_id>",
    scope="conversations:read",
    summary="Get a conversation",
    returns=Conversation,
)
def get_conversation(session: Session, account: models.Account, conversation_id: int) -> models.Conversation:
    return conversations.get(session, account, conversation_id)


@endpoint(
    "GET",
    "/accounts/<slug>/conversations/<int:conversation_id>/thread",
    scope="conversations:read",
    summary="What was said with its follower, oldest first",
    query=TimelineQuery,
    returns=Timeline,
)
def get_thread(session: Session, account: models.Account, conversation_id: int, query: TimelineQuery) -> dict[str, Any]:
    follower = conversations.get(session, account, conversation_id).follower
    return {"items": messages.timeline(session, account, follower, query.before, query.limit)}


@endpoint(
    "POST",
    "/accounts/<slug>/conversations/<int:conversation_id>/replies",
    scope="conversations:write",
    summary="Answer as a person; 409 when it was closed meanwhile",
    body=SendDraft,
    returns=Send,
    status=202,
)
def reply_to_conversation(
    session: Session, account: models.Account, conversation_id: int, body: SendDraft
) -> models.Send:
    conversation = conversations.get(session, account, conversation_id)
    return conversations.reply(session, account, conversation, None, body.reply)


@endpoint(
    "POST",
    "/accounts/<slug>/conversations/<int:conversation_id>/hand-back",
    scope="conversations:write",
    summary="Let the bot answer again",
    returns=Conversation,
)
def hand_back_conversation(session: Session, account: models.Account, conversation_id: int) -> models.Conversation:
    conversation = conversations.get(session, account, conversation_id)
    conversations.hand_back(session, account, conversation)
    return conversation

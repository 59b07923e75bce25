"""/api/v1/accounts/<account>/conversations: followers who talk with a person."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, endpoint
from bot.api.messages import Timeline, TimelineQuery
from bot.api.sends import Send, SendDraft
from bot.services import conversation_queues, conversations, followers, messages
from bot.services.conversation_queues import Queue
from bot.services.conversation_states import TRANSITIONS, Command
from models import ConversationStatus


class Conversation(Out):
    """From the request for a person to the hand-back; while it is open the bot is silent for this follower."""

    id: int
    follower_id: int
    is_open: bool
    opened_at: datetime
    waiting_since: Annotated[datetime | None, Field(description="the follower wrote and nobody answered yet")]
    status: Annotated[ConversationStatus, Field(description="how it may move: see docs/conversations.md")]
    assignee_id: Annotated[int | None, Field(description="the operator who has it")]
    first_replied_at: datetime | None
    snoozed_until: datetime | None
    updated_at: Annotated[datetime, Field(description="something was last said")]
    closed_at: datetime | None
    closed_why: str
    preview: Annotated[str, Field(description="the last thing said")]
    seq: Annotated[int, Field(description="grows with every change; the number to give as “seen” with a reply")]


class Conversations(Out):
    items: list[Conversation]


class ConversationQuery(In):
    queue: Literal["open", "unassigned", "snoozed", "closed"] = "open"
    limit: Annotated[int, Field(ge=1, le=200, description="how many at most")] = 50


class Move(Out):
    """One thing that may be done to a conversation; what is not listed is refused with 409."""

    command: Command
    state: Annotated[str, Field(description="where it is: a status, or “bot” while there is no open one")]
    to: Annotated[list[ConversationStatus], Field(description="where it is then; the second: while nobody has it")]


class Moves(Out):
    items: list[Move]


class ReplyDraft(SendDraft):
    seen: Annotated[
        int | None,
        Field(ge=0, le=LARGEST, description="the conversation's seq as you last read it; 409 when more was said since"),
    ] = None
    intent: Annotated[
        str | None,
        Field(min_length=8, max_length=64, description="your own key for this message: repeated, it is sent once"),
    ] = None


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
    return {"items": conversation_queues.page(session, account, Queue(query.queue), limit=query.limit)}


@endpoint(
    "GET",
    "/accounts/<slug>/conversations/states",
    scope="conversations:read",
    summary="How a conversation may move: the same for every account",
    returns=Moves,
)
def list_moves(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": [{"command": command, "state": state, "to": to} for (command, state), to in TRANSITIONS.items()]}


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
    summary="Answer as a person; 409 when it was closed, or something was said that you have not seen",
    body=ReplyDraft,
    returns=Send,
    status=202,
)
def reply_to_conversation(
    session: Session, account: models.Account, conversation_id: int, body: ReplyDraft
) -> models.Send:
    conversation = conversations.get(session, account, conversation_id)
    return conversations.reply(session, account, conversation, None, body.reply, seen=body.seen, intent=body.intent)


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

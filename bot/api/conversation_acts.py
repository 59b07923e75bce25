"""/api/v1/accounts/<account>/conversations/…: what changed, acting on many and taking it back, notes."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, endpoint
from bot.api.conversations import Conversation
from bot.errors import NotFound
from bot.services import conversation_bulk, conversations, inbox_feed, labels, mentions
from bot.services.conversation_bulk import Bulk


class Changes(Out):
    """The conversations that changed since ``after``, as they are now; replace yours by id."""

    changed: list[Conversation]
    head: Annotated[int, Field(description="the number to ask with next")]
    reload: Annotated[bool, Field(description="too much changed: list the conversations again")]


class ChangesQuery(In):
    after: Annotated[int, Field(ge=0, le=LARGEST, description="`head` of the answer before")] = 0


class Press(In):
    ids: Annotated[list[int], Field(min_length=1, max_length=conversation_bulk.MOST)]
    act: Literal["assign", "give_back", "snooze", "wake", "label", "unlabel", "close"]
    operator_id: Annotated[int | None, Field(ge=1, le=LARGEST, description="to whom, for assign")] = None
    until: Annotated[AwareDatetime | None, Field(description="for snooze")] = None
    label_id: Annotated[int | None, Field(ge=1, le=LARGEST, description="for label and unlabel")] = None


class Stayed(Out):
    id: int
    why: str


class Pressed(Out):
    id: Annotated[str, Field(description="as the journal bears it")]
    done: list[int]
    refused: Annotated[list[Stayed], Field(description="which stayed as they were, and why")]


class Undo(In):
    id: Annotated[str, Field(min_length=1, max_length=64, description="of the press to take back")]


class ConversationNoteDraft(In):
    text: Annotated[str, Field(max_length=20_000, description="“@name” tells an operator")]


class Noted(Out):
    id: int
    follower_id: int
    text: str


@endpoint(
    "GET",
    "/accounts/<slug>/conversations/changes",
    scope="conversations:read",
    summary="What changed in the inbox since a number: ask again with `head`, and nothing is missed",
    query=ChangesQuery,
    returns=Changes,
)
def list_changes(session: Session, account: models.Account, query: ChangesQuery) -> inbox_feed.Changes:
    return inbox_feed.changes(session, account.id, query.after)


@endpoint(
    "POST",
    "/accounts/<slug>/conversations/acts",
    scope="conversations:write",
    summary="Assign, give back, snooze, wake, label or close conversations, as many as are named",
    body=Press,
    returns=Pressed,
)
def act_on_conversations(session: Session, account: models.Account, body: Press) -> dict[str, Any]:
    to = None
    if body.operator_id is not None:
        to = next((each for each in mentions.possible(session, account) if each.id == body.operator_id), None)
        if to is None:
            raise NotFound("There is no such operator.")
    label = labels.get(session, account, body.label_id) if body.label_id is not None else None
    return _told(conversation_bulk.run(session, account, body.ids, Bulk(body.act, to, body.until, label)))


@endpoint(
    "POST",
    "/accounts/<slug>/conversations/undo",
    scope="conversations:write",
    summary="Take a press back within half a minute; what has moved on since stays; 409 when it is too late",
    body=Undo,
    returns=Pressed,
)
def undo_conversations(session: Session, account: models.Account, body: Undo) -> dict[str, Any]:
    return _told(conversation_bulk.undo(session, account, body.id))


@endpoint(
    "POST",
    "/accounts/<slug>/conversations/<int:conversation_id>/reopen",
    scope="conversations:write",
    summary="Take a closing back within half a minute; 409 when it is too late, or there is a newer one",
    returns=Conversation,
)
def reopen_conversation(session: Session, account: models.Account, conversation_id: int) -> models.Conversation:
    conversation = conversations.get(session, account, conversation_id)
    conversations.reopen(session, account, conversation)
    return conversation


@endpoint(
    "POST",
    "/accounts/<slug>/conversations/<int:conversation_id>/notes",
    scope="conversations:write",
    summary="Write a note that only operators see",
    body=ConversationNoteDraft,
    returns=Noted,
    status=201,
)
def note_on_conversation(
    session: Session, account: models.Account, conversation_id: int, body: ConversationNoteDraft
) -> models.Note:
    return mentions.add_note(session, account, conversations.get(session, account, conversation_id), body.text)


def _told(outcome: conversation_bulk.Outcome) -> dict[str, Any]:
    refused = [{"id": each, "why": why.sentence()} for each, why in outcome.refused.items()]
    return {"id": outcome.id, "done": outcome.done, "refused": refused}

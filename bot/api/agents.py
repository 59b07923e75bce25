"""/api/v1/accounts/<account>/agents: who answers, who is there; and a conversation's journal: who did what."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot import clock
from bot.api.contract import LARGEST, In, Out, endpoint
from bot.errors import NotFound
from bot.services import assignments, conversations, journal, mentions, presence


class Place(Out):
    """A conversation that somebody has in sight."""

    conversation: int
    writes: bool


class Agent(Out):
    """How an operator takes part in the inbox; who never opened it is not listed."""

    operator_id: int
    name: str
    is_available: Annotated[bool, Field(description="says so themselves; else nothing is assigned to them")]
    is_present: Annotated[bool, Field(description="their browser spoke within the last 45 seconds")]
    seen_at: datetime
    capacity: Annotated[int, Field(description="open conversations that the account's rule assigns, at most")]
    open: Annotated[int, Field(description="open conversations that they have")]
    looks_at: list[Place]


class Agents(Out):
    items: list[Agent]


class Part(In):
    is_available: bool | None = None
    capacity: Annotated[int | None, Field(ge=assignments.CAPACITY[0], le=assignments.CAPACITY[1])] = None


class Entry(Out):
    """Something that was done in a conversation."""

    seq: Annotated[int, Field(description="grows by one with every entry of the account")]
    kind: str
    operator_id: int | None
    who: Annotated[str, Field(description="an operator's name, “API”, or empty: the follower or the clock")]
    detail: dict[str, Any]
    at: datetime


class Entries(Out):
    items: list[Entry]


class JournalQuery(In):
    after: Annotated[int, Field(ge=0, le=LARGEST, description="the last `seq` you have")] = 0
    limit: Annotated[int, Field(ge=1, le=500, description="how many at most, the newest")] = 100


@endpoint(
    "GET",
    "/accounts/<slug>/agents",
    scope="conversations:read",
    summary="List who takes part in the inbox, who is there, and what they look at",
    returns=Agents,
)
def list_agents(session: Session, account: models.Account) -> dict[str, Any]:
    there = presence.everybody(account.id)
    return {"items": [_shown(each, load, there) for each, load in assignments.list_agents(session, account)]}


@endpoint(
    "PATCH",
    "/accounts/<slug>/agents/<int:operator_id>",
    scope="conversations:write",
    summary="Change whether, and how many, conversations an operator is assigned",
    body=Part,
    returns=Agent,
)
def change_agent(session: Session, account: models.Account, operator_id: int, body: Part) -> dict[str, Any]:
    operator = next((each for each in mentions.possible(session, account) if each.id == operator_id), None)
    if operator is None:
        raise NotFound("There is no such operator.")
    was = assignments.agent(session, account, operator)
    found = assignments.set_part(
        session,
        account,
        operator,
        is_available=was.is_available if body.is_available is None else body.is_available,
        capacity=was.capacity if body.capacity is None else body.capacity,
    )
    loads = {each.id: load for each, load in assignments.list_agents(session, account)}
    return _shown(found, loads.get(found.id, 0), presence.everybody(account.id))


@endpoint(
    "GET",
    "/accounts/<slug>/conversations/<int:conversation_id>/journal",
    scope="conversations:read",
    summary="Who did what in a conversation, and when, oldest first",
    query=JournalQuery,
    returns=Entries,
)
def get_journal(session: Session, account: models.Account, conversation_id: int, query: JournalQuery) -> dict[str, Any]:
    conversation = conversations.get(session, account, conversation_id)
    return {"items": journal.of_conversation(session, conversation, query.after, query.limit)}


def _shown(agent: models.Agent, load: int, there: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "operator_id": agent.operator_id,
        "name": agent.operator.name,
        "is_available": agent.is_available,
        "is_present": agent.seen_at > clock.now() - assignments.PRESENT,
        "seen_at": agent.seen_at,
        "capacity": agent.capacity,
        "open": load,
        "looks_at": [each for each in there if each["operator"] == agent.operator_id],
    }

"""/api/v1/accounts/<account>/assistant: its settings, what it knows, and what it answered."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot import clock
from bot.api.contract import In, Out, PageQuery, endpoint
from bot.services import assistant, assistant_answers, assistant_limits, knowledge
from models import AnswerState, SourceKind, Way

Limit = Annotated[int, Field(ge=0, le=assistant.MOST, description="0: none")]
Words = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=500)]


class AssistantUsage(Out):
    """Of today, in the account's own time zone."""

    messages: int
    tokens: int
    fen: float


class AssistantSettings(Out):
    """The key itself is never shown."""

    is_enabled: bool
    url: Annotated[str, Field(description="of an OpenAI-compatible API; “practice”: the stand-in of practice mode")]
    model: str
    has_key: bool
    is_streamed: bool
    prompt: str
    prefix: Annotated[str, Field(description="it answers texts that begin so; empty: all that no rule answers")]
    turns: Annotated[int, Field(description="of the same follower that the model is told")]
    max_tokens: int
    fallback_reply: str
    link_reply: str
    signature: str
    words_in: list[str]
    words_out: list[str]
    follower_messages: int
    follower_tokens: int
    follower_fen: int
    account_messages: int
    account_tokens: int
    account_fen: int
    price_in_fen: Annotated[int, Field(description="for a million tokens")]
    price_out_fen: int
    today: AssistantUsage


class AssistantChange(In):
    is_enabled: bool | None = None
    url: Annotated[str | None, Field(max_length=500)] = None
    model: Annotated[str | None, Field(max_length=100)] = None
    key: Annotated[str | None, Field(max_length=500, description="empty: none")] = None
    is_streamed: bool | None = None
    prompt: Annotated[str | None, Field(max_length=4000)] = None
    prefix: Annotated[str | None, Field(max_length=16)] = None
    turns: Annotated[int | None, Field(ge=0, le=20)] = None
    max_tokens: Annotated[int | None, Field(ge=16, le=4000)] = None
    fallback_reply: Annotated[str | None, Field(max_length=500)] = None
    link_reply: Annotated[str | None, Field(max_length=500)] = None
    signature: Annotated[str | None, Field(max_length=64)] = None
    words_in: Words | None = None
    words_out: Words | None = None
    follower_messages: Limit | None = None
    follower_tokens: Limit | None = None
    follower_fen: Limit | None = None
    account_messages: Limit | None = None
    account_tokens: Limit | None = None
    account_fen: Limit | None = None
    price_in_fen: Limit | None = None
    price_out_fen: Limit | None = None


class KnowledgeSource(Out):
    id: int
    name: str
    kind: SourceKind
    passages: int
    updated_at: datetime


class KnowledgeContent(KnowledgeSource):
    content: str


class KnowledgeSources(Out):
    items: list[KnowledgeSource]


class KnowledgeDraft(In):
    """`kind`: csv has a question and its answer in the first two columns; markdown is cut by its headings."""

    name: Annotated[str, Field(max_length=64)]
    kind: SourceKind
    content: Annotated[str, Field(description="at most 600 kB")]


class KnowledgeSearch(In):
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class Passage(Out):
    passage_id: int
    source: str
    title: str
    text: str
    score: float


class Passages(Out):
    items: list[Passage]


class TrialQuestion(In):
    question: Annotated[str, Field(min_length=1, max_length=500)]


class AssistantAnswer(Out):
    """`trouble`: why the text is the fallback sentence, or why the answer was dropped; empty when all went well."""

    id: int
    follower_id: Annotated[int | None, Field(description="null: a trial")]
    message_id: int | None
    question: str
    state: AnswerState
    way: Way
    text: str
    trouble: str
    trace: list[dict[str, Any]]
    tokens_in: int
    tokens_out: int
    milliseconds: int
    created_at: datetime
    ended_at: datetime | None


class AssistantAnswers(Out):
    items: list[AssistantAnswer]
    next: int | None


@endpoint(
    "GET", "/accounts/<slug>/assistant", scope="assistant:read", summary="Get the assistant", returns=AssistantSettings
)
def get_assistant(session: Session, account: models.Account) -> dict[str, Any]:
    return _shown(session, account)


@endpoint(
    "PATCH",
    "/accounts/<slug>/assistant",
    scope="assistant:write",
    summary="Change the assistant",
    body=AssistantChange,
    returns=AssistantSettings,
)
def change_assistant(session: Session, account: models.Account, body: AssistantChange) -> dict[str, Any]:
    assistant.update(session, account, body.model_dump(exclude_none=True))
    return _shown(session, account)


@endpoint(
    "GET",
    "/accounts/<slug>/assistant/sources",
    scope="assistant:read",
    summary="List what the assistant knows",
    returns=KnowledgeSources,
)
def list_sources(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": knowledge.list_all(session, account)}


@endpoint(
    "POST",
    "/accounts/<slug>/assistant/sources",
    scope="assistant:write",
    summary="Add a source",
    body=KnowledgeDraft,
    returns=KnowledgeContent,
    status=201,
)
def create_source(session: Session, account: models.Account, body: KnowledgeDraft) -> models.Source:
    return knowledge.save(session, account, body.name, body.kind, body.content)


@endpoint(
    "GET",
    "/accounts/<slug>/assistant/sources/<int:source_id>",
    scope="assistant:read",
    summary="Get a source with its content",
    returns=KnowledgeContent,
)
def get_source(session: Session, account: models.Account, source_id: int) -> models.Source:
    return knowledge.get(session, account, source_id)


@endpoint(
    "PUT",
    "/accounts/<slug>/assistant/sources/<int:source_id>",
    scope="assistant:write",
    summary="Replace a source",
    body=KnowledgeDraft,
    returns=KnowledgeContent,
)
def replace_source(session: Session, account: models.Account, source_id: int, body: KnowledgeDraft) -> models.Source:
    source = knowledge.get(session, account, source_id)
    return knowledge.save(session, account, body.name, body.kind, body.content, source)


@endpoint(
    "DELETE",
    "/accounts/<slug>/assistant/sources/<int:source_id>",
    scope="assistant:write",
    summary="Delete a source",
    status=204,
)
def delete_source(session: Session, account: models.Account, source_id: int) -> None:
    knowledge.remove(session, knowledge.get(session, account, source_id))


@endpoint(
    "POST",
    "/accounts/<slug>/assistant/search",
    scope="assistant:read",
    summary="Find the passages that a question leads to",
    body=KnowledgeSearch,
    returns=Passages,
    only_reads=True,
)
def search_knowledge(session: Session, account: models.Account, body: KnowledgeSearch) -> dict[str, Any]:
    return {"items": knowledge.search(session, account.id, body.text)}


@endpoint(
    "POST",
    "/accounts/<slug>/assistant/trials",
    scope="assistant:write",
    summary="Ask it something that no follower sees; read the answer by its id",
    body=TrialQuestion,
    returns=AssistantAnswer,
    status=202,
)
def try_assistant(session: Session, account: models.Account, body: TrialQuestion) -> models.Answer:
    return assistant_answers.try_out(session, account, body.question, clock.now())


@endpoint(
    "GET",
    "/accounts/<slug>/assistant/answers",
    scope="assistant:read",
    summary="List its answers, newest first",
    query=PageQuery,
    returns=AssistantAnswers,
)
def list_answers(session: Session, account: models.Account, query: PageQuery) -> dict[str, Any]:
    found = assistant_answers.page(session, account, query.before, query.limit)
    return {"items": found, "next": found[-1].id if len(found) == query.limit else None}


@endpoint(
    "GET",
    "/accounts/<slug>/assistant/answers/<int:answer_id>",
    scope="assistant:read",
    summary="Get an answer with its trace",
    returns=AssistantAnswer,
)
def get_answer(session: Session, account: models.Account, answer_id: int) -> models.Answer:
    return assistant_answers.get(session, account, answer_id)


def _shown(session: Session, account: models.Account) -> dict[str, Any]:
    found = assistant.get(session, account)
    spent = assistant_limits.spent(session, account, clock.now())
    today = {"messages": spent.messages, "tokens": spent.tokens, "fen": spent.cost / assistant_limits.FEN}
    return {name: getattr(found, name) for name in assistant.SHOWN} | {
        "has_key": bool(found.sealed_key),
        "today": today,
    }

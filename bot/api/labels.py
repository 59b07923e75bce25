"""/api/v1/accounts/<account>/labels and …/canned-replies: what the inbox's operators choose from."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, endpoint
from bot.services import canned_replies, labels


class Label(Out):
    id: int
    name: str


class Labels(Out):
    items: list[Label]


class LabelDraft(In):
    name: Annotated[str, Field(max_length=200)]


class CannedReply(Out):
    id: int
    name: str
    text: Annotated[str, Field(description="{{nickname}}, {{account}} and {{operator}} stand for what differs")]
    updated_at: datetime


class CannedReplies(Out):
    items: list[CannedReply]


class CannedReplyDraft(In):
    name: Annotated[str, Field(max_length=200)]
    text: Annotated[str, Field(max_length=20_000)]


@endpoint(
    "GET", "/accounts/<slug>/labels", scope="conversations:read", summary="List conversation labels", returns=Labels
)
def list_labels(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": labels.list_all(session, account)}


@endpoint(
    "POST",
    "/accounts/<slug>/labels",
    scope="conversations:write",
    summary="Make a label",
    body=LabelDraft,
    returns=Label,
    status=201,
)
def add_label(session: Session, account: models.Account, body: LabelDraft) -> models.Label:
    return labels.add(session, account, body.name)


@endpoint(
    "PATCH",
    "/accounts/<slug>/labels/<int:label_id>",
    scope="conversations:write",
    summary="Rename a label",
    body=LabelDraft,
    returns=Label,
)
def rename_label(session: Session, account: models.Account, label_id: int, body: LabelDraft) -> models.Label:
    label = labels.get(session, account, label_id)
    labels.rename(session, account, label, body.name)
    return label


@endpoint(
    "DELETE",
    "/accounts/<slug>/labels/<int:label_id>",
    scope="conversations:write",
    summary="Delete a label, and take it off every conversation",
    status=204,
)
def delete_label(session: Session, account: models.Account, label_id: int) -> None:
    labels.remove(session, labels.get(session, account, label_id))


@endpoint(
    "GET",
    "/accounts/<slug>/canned-replies",
    scope="conversations:read",
    summary="List canned replies",
    returns=CannedReplies,
)
def list_canned_replies(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": canned_replies.list_all(session, account)}


@endpoint(
    "POST",
    "/accounts/<slug>/canned-replies",
    scope="conversations:write",
    summary="Write a canned reply",
    body=CannedReplyDraft,
    returns=CannedReply,
    status=201,
)
def add_canned_reply(session: Session, account: models.Account, body: CannedReplyDraft) -> models.CannedReply:
    return canned_replies.save(session, account, body.name, body.text)


@endpoint(
    "PUT",
    "/accounts/<slug>/canned-replies/<int:canned_id>",
    scope="conversations:write",
    summary="Change a canned reply",
    body=CannedReplyDraft,
    returns=CannedReply,
)
def change_canned_reply(
    session: Session, account: models.Account, canned_id: int, body: CannedReplyDraft
) -> models.CannedReply:
    known = canned_replies.get(session, account, canned_id)
    return canned_replies.save(session, account, body.name, body.text, known)


@endpoint(
    "DELETE",
    "/accounts/<slug>/canned-replies/<int:canned_id>",
    scope="conversations:write",
    summary="Delete a canned reply",
    status=204,
)
def delete_canned_reply(session: Session, account: models.Account, canned_id: int) -> None:
    canned_replies.remove(session, canned_replies.get(session, account, canned_id))

"""/api/v1/accounts/<account>/stages and …/fields: what an account keeps of its followers."""

from typing import Annotated, Any

from pydantic import Field as About
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, endpoint
from bot.services import fields, stages
from models import FieldKind

Name = Annotated[str, About(max_length=100)]
Position = Annotated[int | None, About(ge=0, le=LARGEST, description="its place, counted from 0")]


class Stage(Out):
    id: int
    name: str
    position: int


class Stages(Out):
    items: list[Stage]


class StageDraft(In):
    name: Name


class StageChange(In):
    """What is left out stays."""

    name: Name | None = None
    position: Position = None


class Field(Out):
    id: int
    name: str
    kind: FieldKind
    choices: list[str]
    position: int


class Fields(Out):
    items: list[Field]


class FieldDraft(In):
    name: Name
    kind: FieldKind = FieldKind.TEXT
    choices: Annotated[list[str], About(max_length=fields.MOST_CHOICES, description="of the kind choice")] = About(
        default_factory=list
    )


class FieldChange(In):
    """What is left out stays; the kind never changes."""

    name: Name | None = None
    choices: Annotated[list[str] | None, About(max_length=fields.MOST_CHOICES)] = None
    position: Position = None


@endpoint("GET", "/accounts/<slug>/stages", scope="fields:read", summary="List the stages in order", returns=Stages)
def list_stages(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": stages.list_all(session, account)}


@endpoint(
    "POST",
    "/accounts/<slug>/stages",
    scope="fields:write",
    summary="Add a stage at the end",
    body=StageDraft,
    returns=Stage,
    status=201,
)
def create_stage(session: Session, account: models.Account, body: StageDraft) -> models.Stage:
    return stages.add(session, account, body.name)


@endpoint(
    "PATCH",
    "/accounts/<slug>/stages/<int:stage_id>",
    scope="fields:write",
    summary="Rename or move a stage",
    body=StageChange,
    returns=Stage,
)
def change_stage(session: Session, account: models.Account, stage_id: int, body: StageChange) -> models.Stage:
    stage = stages.get(session, account, stage_id)
    if body.name is not None:
        stages.rename(session, account, stage, body.name)
    if body.position is not None:
        stages.move(session, account, stage, body.position)
    return stage


@endpoint(
    "DELETE",
    "/accounts/<slug>/stages/<int:stage_id>",
    scope="fields:write",
    summary="Delete a stage; its followers are in none then",
    status=204,
)
def delete_stage(session: Session, account: models.Account, stage_id: int) -> None:
    stages.delete(session, stages.get(session, account, stage_id))


@endpoint("GET", "/accounts/<slug>/fields", scope="fields:read", summary="List the fields in order", returns=Fields)
def list_fields(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": fields.list_all(session, account)}


@endpoint(
    "POST",
    "/accounts/<slug>/fields",
    scope="fields:write",
    summary="Add a field at the end",
    body=FieldDraft,
    returns=Field,
    status=201,
)
def create_field(session: Session, account: models.Account, body: FieldDraft) -> models.Field:
    return fields.add(session, account, body.name, body.kind, body.choices)


@endpoint(
    "PATCH",
    "/accounts/<slug>/fields/<int:field_id>",
    scope="fields:write",
    summary="Rename or move a field, or change its choices",
    body=FieldChange,
    returns=Field,
)
def change_field(session: Session, account: models.Account, field_id: int, body: FieldChange) -> models.Field:
    field = fields.get(session, account, field_id)
    fields.change(session, account, field, field.name if body.name is None else body.name, body.choices)
    if body.position is not None:
        fields.move(session, account, field, body.position)
    return field


@endpoint(
    "DELETE",
    "/accounts/<slug>/fields/<int:field_id>",
    scope="fields:write",
    summary="Delete a field with what every follower has in it",
    status=204,
)
def delete_field(session: Session, account: models.Account, field_id: int) -> None:
    fields.delete(session, fields.get(session, account, field_id))

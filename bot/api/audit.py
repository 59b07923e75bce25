"""/api/v1/accounts/<account>/audit: who changed what, and what it was before."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, Out, PageQuery, endpoint
from bot.services import audit
from bot.services.access import Access


class Record(Out):
    id: int
    at: datetime
    operator_id: int | None
    action: str
    detail: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class RecordPage(Out):
    items: list[Record]
    next: int | None


class RecordQuery(PageQuery):
    operator_id: Annotated[int | None, Field(ge=1, le=LARGEST)] = None
    kind: Annotated[str, Field(max_length=32, description="what it is about: rules, menus, people, …")] = ""


@endpoint(
    "GET",
    "/accounts/<slug>/audit",
    scope="audit:read",
    summary="List what was changed, newest first; with a token for all accounts also what concerns the install",
    query=RecordQuery,
    returns=RecordPage,
)
def list_audit_records(session: Session, account: models.Account, query: RecordQuery, by: Access) -> dict[str, Any]:
    found = audit.page(
        session,
        account.id,
        with_install="audit:read" in by.at(None),
        operator_id=query.operator_id,
        kind=query.kind,
        before=query.before,
        limit=query.limit,
    )
    return {"items": found, "next": found[-1].id if len(found) == query.limit else None}

"""/api/v1/accounts/<account>/health: is everything in order, and if not, what to do."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import Out, endpoint
from bot.services import health
from bot.services.checks import State


class Check(Out):
    """One thing that was looked at."""

    name: str
    state: State
    message: str
    fix: Annotated[str, Field(description="what to do; empty when it is in order")]


class Health(Out):
    items: list[Check]


@endpoint(
    "GET",
    "/accounts/<slug>/health",
    scope="health:read",
    summary="Check the install and the account's connection; takes seconds when something does not answer",
    returns=Health,
)
def get_health(session: Session, account: models.Account) -> dict[str, Any]:
    slug = account.slug
    session.close()  # WeChat is asked: no transaction may wait for it
    found = health.report(slug)
    return {
        "items": [
            {"name": each.name(), "state": each.state, "message": each.sentence(), "fix": each.fix()} for each in found
        ]
    }

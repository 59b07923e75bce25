"""/api/v1/accounts/<account>/health: is everything in order, and if not, what to do."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import Out, endpoint
from bot.services import account_health, health
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
    summary="Check the account's connection and, with a token for all accounts, the install; may take seconds",
    returns=Health,
)
def get_health(session: Session, account: models.Account, token: models.ApiToken) -> dict[str, Any]:
    session.expunge_all()
    session.close()  # WeChat is asked: no transaction may wait for it
    # Folders, queues and disk are the install's, not this account's.
    found = account_health.report(account) if token.account_id else health.report(account.slug)
    return {
        "items": [
            {"name": each.name(), "state": each.state, "message": each.sentence(), "fix": each.fix()} for each in found
        ]
    }

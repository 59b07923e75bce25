"""/api/v1/accounts/<account>/takeovers, /connection, /abilities: connecting an account without losing what it had."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import Out, endpoint
from bot.api.health import Check
from bot.api.tasks import Task
from bot.services import abilities, account_health, checks, takeovers, tasks
from bot.services.abilities import May
from bot.services.rules import RuleDraft
from models import TakeoverStatus


class TakeoverNote(Out):
    sentence: str
    is_loss: Annotated[bool, Field(description="false: it works, a little differently")]


class Takeover(Out):
    """What WeChat's console holds, word for word, and what it becomes here."""

    id: int
    status: TakeoverStatus
    read_at: datetime
    applied_at: datetime | None
    selfmenu: dict[str, Any]
    autoreply: dict[str, Any]
    buttons: list[dict[str, Any]]
    publishes: Annotated[bool, Field(description="false: there is no menu, or it is switched off at WeChat")]
    rules: list[RuleDraft]
    left_behind: list[TakeoverNote]
    collisions: list[TakeoverNote]


class Takeovers(Out):
    items: Annotated[list[Takeover], Field(description="the newest, or none")]


class Connection(Out):
    """The newest check; its lines come one by one while the task runs."""

    task: Task | None
    items: list[Check]


class Ability(Out):
    """Something accounts can do at WeChat."""

    name: str
    use: str
    may: May
    why: str
    refused_at: datetime | None


class Abilities(Out):
    items: list[Ability]


def _shown(session: Session, account: models.Account, row: models.Takeover) -> dict[str, Any]:
    plan = takeovers.plan(session, account, row)
    columns = {name: getattr(row, name, None) for name in Takeover.model_fields}
    return {
        **columns,
        "buttons": plan.converted.buttons,
        "publishes": bool(plan.converted.buttons) and plan.converted.is_menu_on,
        "rules": plan.converted.drafts,
        "left_behind": [{"sentence": note.sentence(), "is_loss": note.is_loss} for note in plan.converted.notes],
        "collisions": [{"sentence": note.sentence(), "is_loss": note.is_loss} for note in plan.meets],
    }


@endpoint(
    "POST",
    "/accounts/<slug>/takeovers",
    scope="accounts:write",
    summary="Read the menu and the automatic replies of WeChat's console; nothing is changed",
    returns=Task,
    status=202,
)
def read_console(session: Session, account: models.Account) -> models.Task:
    return takeovers.start(session, account)


@endpoint(
    "GET",
    "/accounts/<slug>/takeovers",
    scope="accounts:read",
    summary="Get what was read last",
    returns=Takeovers,
)
def list_takeovers(session: Session, account: models.Account) -> dict[str, Any]:
    row = takeovers.latest(session, account)
    return {"items": [_shown(session, account, row)] if row else []}


@endpoint(
    "GET",
    "/accounts/<slug>/takeovers/<int:takeover_id>",
    scope="accounts:read",
    summary="Get one reading, with what it becomes here and what stays behind",
    returns=Takeover,
)
def get_takeover(session: Session, account: models.Account, takeover_id: int) -> dict[str, Any]:
    return _shown(session, account, takeovers.get(session, account, takeover_id))


@endpoint(
    "POST",
    "/accounts/<slug>/takeovers/<int:takeover_id>/approve",
    scope="accounts:write",
    summary="Make the rules and publish the menu; a second time changes nothing",
    returns=Takeover,
)
def approve_takeover(
    session: Session, account: models.Account, token: models.ApiToken, takeover_id: int
) -> dict[str, Any]:
    return _shown(session, account, takeovers.approve(session, account, takeover_id, f"token {token.id}"))


@endpoint(
    "POST",
    "/accounts/<slug>/takeovers/<int:takeover_id>/restore",
    scope="accounts:write",
    summary="Bring back the rules and the menu from before; a second time changes nothing",
    returns=Takeover,
)
def restore_takeover(
    session: Session, account: models.Account, token: models.ApiToken, takeover_id: int
) -> dict[str, Any]:
    return _shown(session, account, takeovers.restore(session, account, takeover_id, f"token {token.id}"))


@endpoint(
    "POST",
    "/accounts/<slug>/connection",
    scope="accounts:write",
    summary="Check the connection line by line",
    returns=Task,
    status=202,
)
def check_connection(session: Session, account: models.Account) -> models.Task:
    return tasks.start(session, account, account_health.CHECK)


@endpoint(
    "GET",
    "/accounts/<slug>/connection",
    scope="accounts:read",
    summary="Get the newest check of the connection",
    returns=Connection,
)
def get_connection(session: Session, account: models.Account) -> dict[str, Any]:
    task = tasks.latest(session, account, account_health.CHECK)
    found = [checks.read(each) for each in task.state.get("checks", [])] if task else []
    items = [
        {"name": each.name(), "state": each.state, "message": each.sentence(), "fix": each.fix()} for each in found
    ]
    return {"task": task, "items": items}


@endpoint(
    "GET",
    "/accounts/<slug>/abilities",
    scope="accounts:read",
    summary="What WeChat lets this account do",
    returns=Abilities,
)
def list_abilities(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": abilities.of(account)}

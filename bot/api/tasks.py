"""/api/v1/accounts/<account>/tasks: long work and how far it is."""

from datetime import datetime

from sqlalchemy.orm import Session

import models
from bot.api.contract import Out, endpoint
from bot.services import tasks
from models import TaskStatus


class Task(Out):
    """Long work.  Ask again until ``status`` is done or failed."""

    id: int
    kind: str
    status: TaskStatus
    done: int
    total: int | None
    error: str
    created_at: datetime
    finished_at: datetime | None


@endpoint("GET", "/accounts/<slug>/tasks/<int:task_id>", scope="tasks:read", summary="Get a task", returns=Task)
def get_task(session: Session, account: models.Account, task_id: int) -> models.Task:
    return tasks.get(session, account, task_id)

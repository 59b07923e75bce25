"""Stages: how far followers have come, in the account's own words and order."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.errors import Conflict, NotFound, Refused
from bot.services import segment_uses
from models import Account, Field, Follower, Stage

Row = TypeVar("Row", Stage, Field)

MOST = 30
NAME_LENGTH = 30


def list_all(session: Session, account: Account) -> list[Stage]:
    """In the account's order."""
    return list(session.scalars(select(Stage).where(Stage.account_id == account.id).order_by(Stage.position, Stage.id)))


def get(session: Session, account: Account, stage_id: int) -> Stage:
    stage = session.scalar(select(Stage).where(Stage.id == stage_id, Stage.account_id == account.id))
    if stage is None:
        raise NotFound("There is no such stage.")
    return stage


def add(session: Session, account: Account, name: str) -> Stage:
    """At the end.

    Raises:
        Refused: the name does not fit, or there are MOST already.
        Conflict: a stage has this name.
    """
    known = list_all(session, account)
    if len(known) >= MOST:
        raise Refused("An account has {max} stages at most.", field="name", max=MOST)
    stage = Stage(account_id=account.id, name=_free_name(known, name), position=len(known))
    session.add(stage)
    session.flush()
    return stage


def add_first(session: Session, account: Account, names: Sequence[str]) -> None:
    """The offer for an account that has none; whoever pressed it twice gets one set."""
    if not list_all(session, account):
        for name in names:
            add(session, account, name)


def rename(session: Session, account: Account, stage: Stage, name: str) -> None:
    stage.name = _free_name([each for each in list_all(session, account) if each is not stage], name)
    session.flush()


def move(session: Session, account: Account, stage: Stage, position: int) -> None:
    """To this place, counted from 0; past the end is the end."""
    place(list_all(session, account), stage, position)


def delete(session: Session, stage: Stage) -> None:
    """Its followers stay, in no stage; their timelines keep the name.

    Raises:
        Refused: a segment asks for it.
    """
    segment_uses.refuse_if_used(session, "stage", stage.id)
    session.delete(stage)
    session.flush()


def count(session: Session, stages: Sequence[Stage]) -> dict[int, int]:
    """Stage → how many followers are in it."""
    query = select(Follower.stage_id, func.count()).where(Follower.stage_id.in_([each.id for each in stages]))
    return {stage_id: number for stage_id, number in session.execute(query.group_by(Follower.stage_id)) if stage_id}


def place(rows: Sequence[Row], row: Row, position: int) -> None:
    """Number the rows anew, with this one at its new place."""
    others = [each for each in rows if each is not row]
    others.insert(max(position, 0), row)
    for at, each in enumerate(others):
        each.position = at


def fitting(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_LENGTH:
        raise Refused("A name takes 1 to {max} characters.", field="name", max=NAME_LENGTH)
    return name


def _free_name(others: Sequence[Stage], name: str) -> str:
    name = fitting(name)
    if name in {each.name for each in others}:
        raise Conflict("There is a stage “{name}” already.", field="name", name=name)
    return name

"""Gives waiting conversations to whoever is there."""

from sqlalchemy import select

from bot import clock
from bot.database import reading, transaction
from bot.services import assignments
from models import Account, Assigning


def assign(account_id: int) -> None:
    with transaction() as session:
        account = session.get(Account, account_id)
        if account is not None:
            assignments.assign_waiting(session, account, clock.now())


def look_after() -> None:
    """For the clock: whose agent has gone waits in the queue again, and the queue is given away."""
    with reading() as session:
        ids = session.scalars(select(Account.id).order_by(Account.id)).all()
    for account_id in ids:
        with transaction() as session:
            account = session.get_one(Account, account_id)
            returned = assignments.return_offline(session, account, clock.now())
        if returned or account.assigning is not Assigning.BY_HAND:
            assign(account_id)


JOBS = (assign,)

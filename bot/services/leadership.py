"""Who is the clock: one process leads for as long as it keeps saying so, the others stand by."""

from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import clock
from models import Leadership

LEASE = timedelta(seconds=30)


def lead(session: Session, name: str, holder: str) -> bool:
    """Become or remain the leader for another LEASE; False: somebody else leads."""
    now = clock.now()
    if session.scalar(select(Leadership.id).where(Leadership.name == name)) is None:
        try:
            with session.begin_nested():
                session.add(Leadership(name=name, until=now))
        except IntegrityError:
            return False  # another stand-by made the row at this moment; ask again later
    held = session.scalar(
        update(Leadership)
        .where(
            Leadership.name == name,
            # A lease that ends much later than any we give was given before the clock was put back.
            or_(Leadership.holder == holder, Leadership.until <= now, Leadership.until > now + 2 * LEASE),
        )
        .values(holder=holder, until=now + LEASE)
        .returning(Leadership.id)
        .execution_options(synchronize_session=False)
    )
    return held is not None


def step_down(session: Session, name: str, holder: str) -> None:
    """Let a stand-by take over at once."""
    session.execute(
        update(Leadership)
        .where(Leadership.name == name, Leadership.holder == holder)
        .values(until=clock.now())
        .execution_options(synchronize_session=False)
    )

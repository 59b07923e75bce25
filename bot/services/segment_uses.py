"""Which segments name a tag, field, stage, owner or rule: to be told before it is deleted."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.errors import Refused
from models import Segment, SegmentUse


def using(session: Session, kind: str, number: int) -> list[Segment]:
    """By name; ``kind`` is "tag", "field", "stage", "owner" or "rule"."""
    query = select(Segment).join(SegmentUse).where(getattr(SegmentUse, f"{kind}_id") == number)
    return list(session.scalars(query.order_by(Segment.name)))


def refuse_if_used(session: Session, kind: str, number: int) -> None:
    """
    Raises:
        Refused: it would let nobody in any more; names the segments.
    """
    if segments := using(session, kind, number):
        names = " · ".join(segment.name for segment in segments[:5])
        names += " …" if len(segments) > 5 else ""
        raise Refused("Segments ask for this: {names}. Change or delete them first.", names=names)

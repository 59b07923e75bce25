"""Who did what: one record for each change, written in the change's own transaction."""

from sqlalchemy.orm import Session

from models import AuditRecord


def record(
    session: Session, action: str, detail: str = "", *, account_id: int | None = None, operator_id: int | None = None
) -> None:
    """Add a record; ``detail`` holds no secret and nothing a follower wrote."""
    session.add(AuditRecord(account_id=account_id, operator_id=operator_id, action=action, detail=detail[:2000]))

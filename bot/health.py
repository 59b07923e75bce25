"""Door: is this process alive, can it work, and a few figures for Prometheus."""

from flask import Blueprint, Response
from sqlalchemy import func, select

from bot.database import reading
from bot.services import health
from models import Conversation, InboundMessage, Send, Task

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> Response:
    return Response("ok\n", content_type="text/plain")


@bp.get("/readyz")
def ready() -> Response:
    """503 while the database does not answer or has tables of another version than this code."""
    if not health.is_ready():
        return Response("The database does not answer, or lobby migrate has not run.\n", 503, content_type="text/plain")
    return Response("ready\n", content_type="text/plain")


@bp.get("/metrics")
def metrics() -> Response:
    """Counts out of the tables, so that every process tells the same."""
    with reading() as session:
        lines = [
            "# TYPE lobby_messages_total counter",
            f"lobby_messages_total {session.scalar(select(func.max(InboundMessage.id))) or 0}",
            "# TYPE lobby_conversations_open gauge",
            "lobby_conversations_open "
            f"{session.scalar(select(func.count(Conversation.id)).where(Conversation.closed_at.is_(None)))}",
        ]
        for name, table in (("sends", Send), ("tasks", Task)):
            lines.append(f"# TYPE lobby_{name} gauge")
            for status, count in session.execute(select(table.status, func.count(table.id)).group_by(table.status)):
                lines.append(f'lobby_{name}{{status="{status}"}} {count}')
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4")

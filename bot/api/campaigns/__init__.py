"""/api/v1/accounts/<account>/campaigns: planned, sent, and what became of each recipient."""

from bot.api.campaigns import planning, recipients, results, sending

__all__ = ["planning", "recipients", "results", "sending"]

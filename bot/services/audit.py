"""Who did what: one record for each change, written in the change's own transaction.

What a change touched is read off the session's own rows as they are flushed, so that no service can forget to tell.
Only the columns that are named here are kept: no secret, and nothing that a follower wrote.
"""

from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session, UOWTransaction

from bot.fault_points import fault_point
from models import AuditRecord, Base

COLUMNS: dict[str, tuple[str, ...]] = {
    "accounts": ("slug", "title", "appid", "original_id", "kind", "is_verified", "mode", "timezone", "human_words",
                 "human_reply", "handover_minutes", "signs_members_in", "cap_messages", "cap_days", "approval_above",
                 "opt_out_words", "opt_out_reply", "opt_in_words", "opt_in_reply", "sealed_secret", "sealed_token",
                 "sealed_aes_key"),
    "rules": ("title", "trigger", "keywords", "replies", "reply_mode", "is_enabled", "starts_on", "ends_on",
              "time_from", "time_to", "tag_id", "group_name"),
    "menus": ("buttons", "conditional"),
    "menu_versions": ("number", "buttons", "conditional"),
    "takeovers": ("status",),
    "followers": ("remark", "blocked_at", "stage_id", "owner_id", "opted_out_at", "timezone"),
    "tags": ("name",),
    "auto_tags": ("trigger", "mode", "pattern", "tag_id", "is_enabled"),
    "segments": ("name", "conditions"),
    "campaigns": ("name", "channel", "reach", "variants", "held_out", "to_everyone", "segment_id", "excluded_ids",
                  "tag_id", "starts", "in_own_zone", "quiet_from", "quiet_until", "missed_minutes", "pace",
                  "ignores_cap", "goal", "status", "approved_by"),
    "assistants": ("is_enabled", "url", "model", "sealed_key", "is_streamed", "prompt", "prefix", "turns", "max_tokens",
                   "fallback_reply", "link_reply", "signature", "words_in", "words_out", "follower_messages",
                   "follower_tokens", "follower_fen", "account_messages", "account_tokens", "account_fen",
                   "price_in_fen", "price_out_fen"),
    "knowledge_sources": ("name", "kind", "passages"),
    "stages": ("name", "position"),
    "fields": ("name", "kind", "choices", "position"),
    "operators": ("name", "is_active"),
    "memberships": ("role",),
    "labels": ("name",),
    "canned_replies": ("name", "text"),
    "agents": ("is_available", "capacity"),
    "api_tokens": ("name", "scopes", "revoked_at"),
}  # fmt: skip
MOST_ROWS = 20
HIDDEN = "•••"
_KEY = "audit.touched"

Values = dict[str, Any]
_Touched = tuple[Base, Values, Values]


def record(
    session: Session,
    action: str,
    detail: str = "",
    *,
    account_id: int | None = None,
    operator_id: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add a record with all that this transaction touched since the last one.

    ``detail`` holds no secret and nothing a follower wrote; ``before`` and ``after`` add what no row shows.
    """
    session.flush()
    touched: dict[int, _Touched] = session.info.pop(_KEY, {})
    was = _told([(row.__tablename__, first) for row, first, _last in touched.values()])
    became = _told([(row.__tablename__, last) for row, _first, last in touched.values()])
    session.add(
        AuditRecord(
            account_id=account_id,
            operator_id=operator_id,
            action=action,
            detail=detail[:2000],
            before={**was, **(before or {})} or None,
            after={**became, **(after or {})} or None,
        )
    )
    fault_point("K24 in audit append")


def page(
    session: Session,
    account_id: int | None,
    *,
    with_install: bool = False,
    operator_id: int | None = None,
    kind: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[AuditRecord]:
    """Newest first: one account's records, with those of no account if ``with_install``.

    ``kind``: the noun an action begins with, from whichever door it came.
    """
    query = select(AuditRecord).order_by(AuditRecord.id.desc()).limit(limit)
    of_account = AuditRecord.account_id == account_id
    query = query.where(of_account | AuditRecord.account_id.is_(None) if with_install else of_account)
    if operator_id is not None:
        query = query.where(AuditRecord.operator_id == operator_id)
    if kind:
        begins = [AuditRecord.action.startswith(f"{door}{kind}.", autoescape=True) for door in ("", "api.")]
        query = query.where(begins[0] | begins[1])
    if before is not None:
        query = query.where(AuditRecord.id < before)
    return list(session.scalars(query))


@event.listens_for(Session, "before_flush")
def _touch(session: Session, flush: UOWTransaction, instances: object) -> None:
    """Note what is about to be written, as it was and as it becomes; a row keeps its first state and its last."""
    rows: list[_Touched] = [(row, {}, _all(row)) for row in session.new]
    rows += [(row, _all(row), {}) for row in session.deleted]
    rows += [(row, *_changed(row)) for row in session.dirty]
    touched: dict[int, _Touched] = session.info.setdefault(_KEY, {})
    for row, was, became in rows:
        if was == became or (id(row) not in touched and len(touched) >= MOST_ROWS):
            continue
        _row, first, last = touched.get(id(row), (row, {}, {}))  # the row itself is kept, or its id could be another's
        touched[id(row)] = (row, {**was, **first}, {**last, **became})


def _all(row: Base) -> Values:
    kept = {name: _plain(name, getattr(row, name)) for name in COLUMNS.get(row.__tablename__, ())}
    return {name: value for name, value in kept.items() if value not in (None, "")}


def _changed(row: Base) -> tuple[Values, Values]:
    was, became = {}, {}
    for name in COLUMNS.get(row.__tablename__, ()):
        history = inspect(row).attrs[name].history
        if history.has_changes():
            was[name] = _plain(name, history.deleted[0] if history.deleted else None)
            became[name] = _plain(name, history.added[0] if history.added else None)
            if was[name] == became[name] == HIDDEN:
                became[name] = f"{HIDDEN} (new)"
    return was, became


def _told(rows: list[tuple[str, Values]]) -> Values:
    """One row's columns as they are; those of several under "rules 1", "rules 2"."""
    if len(rows) == 1:
        return rows[0][1]
    nouns = [noun for noun, _values in rows]
    return {f"{noun} {nouns[: at + 1].count(noun)}": values for at, (noun, values) in enumerate(rows) if values}


def _plain(name: str, value: Any) -> Any:
    if name.startswith("sealed_"):
        return HIDDEN if value else ""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value if isinstance(value, str | int | float | list | dict | None) else str(value)

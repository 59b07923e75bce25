"""The live inbox: an event stream with a cursor, or the same as JSON for whoever polls; who is here; drafts."""

import json
import threading
import time
from collections.abc import Iterator

from flask import Response, request
from flask.typing import ResponseReturnValue

from bot import clock
from bot.console import inbox_watch
from bot.console.blueprint import (
    account_slug,
    acting_operator,
    blueprint,
    cookie_name,
    current_account,
    requires,
)
from bot.database import reading, transaction
from bot.services import access, accounts, assignments, conversations, drafts, inbox_feed, operators, presence

MOST = 200  # streams of one process; each takes a thread, which sleeps (bot/supervisor/stack.py)
BEAT_SECONDS = 15.0
LASTS_SECONDS = 300.0  # then the browser comes again with its cursor
LARGEST = 2**63 - 1

_open: dict[str, object] = {}  # a tab → its newest stream: an older one ends at once
_lock = threading.Lock()


@blueprint.get("/<account>/conversations/stream")
@requires("conversations:read")
def inbox_stream() -> ResponseReturnValue:
    """Frames of what changed after a number.  Too many streams: 503, and the page polls the same address."""
    account_id, operator_id = current_account().id, acting_operator().id
    after = _number(request.headers.get("Last-Event-ID") or request.args.get("after", ""))
    if "text/event-stream" not in request.headers.get("Accept", "") or "once" in request.args:
        return _once(account_id, after)
    tab = f"{operator_id}:{account_id}:{request.args.get('page', '')[:40]}"
    mine = object()
    with _lock:
        if len(_open) >= MOST and tab not in _open:
            return Response("", 503, {"Retry-After": "3"})
        _open[tab] = mine
    inbox_watch.of_account(account_id).wake()
    cookie = request.cookies.get(cookie_name(), "")
    frames = _Stream(account_id, operator_id, cookie, after, tab, mine)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(frames, mimetype="text/event-stream", headers=headers)


class _Stream:
    """Frames until its time is over; ``close`` gives its place back, also when nothing was ever read."""

    def __init__(self, account_id: int, operator_id: int, cookie: str, after: int, tab: str, mine: object) -> None:
        self._account_id, self._operator_id, self._cookie = account_id, operator_id, cookie
        self._cursor, self._tab, self._mine = after, tab, mine
        self._frames = self._run()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._frames)

    def close(self) -> None:
        self._frames.close()  # type: ignore[attr-defined]  # a generator's
        with _lock:
            if _open.get(self._tab) is self._mine:
                del _open[self._tab]

    def _run(self) -> Iterator[bytes]:
        watch = inbox_watch.of_account(self._account_id)
        watch.join()
        try:
            yield b"retry: 1500\n\n"
            here, beat_at = 0, time.monotonic() + BEAT_SECONDS
            ends_at = time.monotonic() + LASTS_SECONDS
            while _open.get(self._tab) is self._mine and time.monotonic() < ends_at:
                frame, who = watch.news(self._cursor, here, max(0.0, beat_at - time.monotonic()))
                if frame is not None:
                    self._cursor = frame.head
                    yield frame.sent
                if who is not None:
                    here = who[0]
                    yield who[1]
                if time.monotonic() >= beat_at:
                    if not self._may_go_on():
                        return
                    beat_at = time.monotonic() + BEAT_SECONDS
                    yield b": beat\n\n"
        finally:
            watch.leave()

    def _may_go_on(self) -> bool:
        with reading() as session:
            sign_in = operators.find_sign_in(session, self._cookie)
            may = access.of_operator(session, self._operator_id).at(self._account_id)
        return sign_in is not None and "conversations:read" in may


@blueprint.post("/<account>/conversations/here")
@requires("conversations:read")
def inbox_here() -> ResponseReturnValue:
    """A page speaks every five seconds while it is in sight."""
    account, operator, now = current_account(), acting_operator(), clock.now()
    page, talk = request.form.get("page", ""), _number(request.form.get("conversation", ""))
    presence.here(account.id, operator.id, operator.name, page, talk, writes=request.form.get("writes") == "1")
    with reading() as session:
        must_tell = assignments.must_tell(session, account, operator, now)
    if must_tell:
        with transaction() as session:
            assignments.seen(session, account, operator, now)
    return {}


@blueprint.post("/<account>/conversations/<int:conversation_id>/draft")
@requires("conversations:write")
def save_draft(conversation_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = conversations.get(session, account, conversation_id)
        drafts.save(session, found, acting_operator(), request.form.get("text", "").replace("\r\n", "\n"))
    return {}


def forget() -> None:
    """For tests: every stream ends."""
    with _lock:
        _open.clear()
    inbox_watch.forget()


def _once(account_id: int, after: int) -> ResponseReturnValue:
    with reading() as session:
        changes = inbox_feed.changes(session, account_id, after)
        counts = inbox_feed.counts(session, account_id)
        told = inbox_watch.told(changes, counts) | {"here": presence.everybody(account_id)}
    return Response(json.dumps(told, ensure_ascii=False), mimetype="application/json")


def _number(text: str) -> int:
    return min(int(text), LARGEST) if text.isascii() and text.isdigit() and len(text) < 20 else 0

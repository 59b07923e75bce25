"""Door: WeChat's messages.  Check, enter into the ledger, answer; no network call on the way."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import structlog
from flask import Blueprint, Response, request
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from bot import clock, queue, waiting
from bot.database import database, inbound, reading, transaction
from bot.errors import NotFound
from bot.fault_points import fault_point
from bot.services import accounts, assistant_answers, audit, messages, sends
from bot.services.accounts import CallbackAccount
from bot.services.assistant_answers import Waiting
from bot.services.vault import Unreadable
from bot.wechat import envelope, limits
from bot.wechat.messages import Message, Reply, ReplyAdapter, Text
from bot.wechat.replies import split_text
from handlers import FAILED, dispatch, receipts
from handlers.incoming import Incoming

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

bp = Blueprint("webhook", __name__)
log = structlog.get_logger()

CACHE_SECONDS = 1.0  # how long a process may go on with settings that an operator has just changed
PLAIN_TEXT = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
XML = {"Content-Type": "text/xml; charset=utf-8", "X-Content-Type-Options": "nosniff"}
STATUS = {code: f"{code} {HTTPStatus(code).phrase}" for code in (200, 400, 403, 404, 413, 503)}

Answer = tuple[bytes, int, dict[str, str]]  # body, status, headers


class Decided(NamedTuple):
    """What becomes of one push."""

    reply: Reply | None
    hints: list[queue.Hint] = []  # noqa: RUF012 - nobody adds to it
    waits: Waiting | None = None  # for the assistant's answer, instead of the reply


_accounts: dict[str, tuple[float, CallbackAccount]] = {}


@bp.get("/wechat/<slug>")
def verify(slug: str) -> Response:
    """WeChat tries the address before it takes it."""
    try:
        query = envelope.read_query(request.query_string.decode("latin-1"))
        echo = envelope.verify(_account(slug).credentials, query, clock.timestamp())
    except (envelope.Rejected, NotFound) as error:
        return Response(*_refuse(slug, error))
    with suppress(OperationalError), transaction() as session:  # busy: WeChat gets its echo all the same
        accounts.note_verified(session, slug)
    return Response(echo, 200, PLAIN_TEXT)


@bp.post("/wechat/<slug>")
def receive(slug: str) -> Response:
    """One push: 200 with a reply or "success"; 4xx with one line; 503 when only trying again can help."""
    return Response(*respond(slug, request.query_string.decode("latin-1"), request.stream.read))


class Front:
    """The same for POST /wechat/… without Flask's dispatch, which costs as much as a third of the rest.

    Flask's hooks do not run for it; everything else goes on to Flask (docs/decisions.md, 15).
    """

    def __init__(self, flask: "WSGIApplication") -> None:
        self.flask = flask

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        head, slug = environ["PATH_INFO"][:8], environ["PATH_INFO"][8:]
        length = environ.get("CONTENT_LENGTH") or ""
        # Without a length (chunked) reading needs care that Flask takes.
        if head != "/wechat/" or environ["REQUEST_METHOD"] != "POST" or not length.isdecimal():
            return self.flask(environ, start_response)

        def read(most: int) -> bytes:
            return environ["wsgi.input"].read(min(most, int(length)))  # type: ignore[no-any-return]

        body, status, headers = respond(slug, environ.get("QUERY_STRING", ""), read)
        start_response(STATUS[status], [*headers.items(), ("Content-Length", str(len(body)))])
        return [body]


def respond(slug: str, query_string: str, read: Callable[[int], bytes]) -> Answer:
    """Body, status and headers for one push; ``read`` gives at most so many bytes of what was posted."""
    began = time.monotonic()
    try:
        account = _account(slug)
        query = envelope.read_query(query_string)
        body = read(limits.CALLBACK_BYTES + 1)
        with waiting.Seat() as seat:
            with database().callback_turn:
                message = envelope.open_envelope(account.credentials, query, body, clock.timestamp())
                reply, hints, waits = answer(account, message, query["signature"], seat)
                fault_point("K15 after commit before reply")
                sealed = b"" if waits else envelope.seal(account.credentials, message, reply, clock.timestamp())
            queue.send(hints)
            if waits:  # for the assistant: outside of the transaction, and of the turn that others wait for
                taken = waiting.wait(seat, waits, began)
                if taken is None:
                    return b"No answer yet; ask again.", 503, PLAIN_TEXT
                sealed = envelope.seal(account.credentials, message, taken.reply, clock.timestamp())
    except (envelope.Rejected, NotFound) as error:
        return _refuse(slug, error)
    except (OperationalError, NoConnection) as error:  # busy or away: WeChat asks again, and then the ledger knows
        log.error("callback.database", account=slug, error=type(getattr(error, "orig", error)).__name__)
        return b"The database is busy; try again.", 503, PLAIN_TEXT
    except Unreadable as error:  # the master key is gone: `lobby doctor` says what to do
        log.error("callback.secrets", account=slug, error=str(error))
        return b"The account's secrets cannot be read.", 503, PLAIN_TEXT
    return sealed, 200, PLAIN_TEXT if sealed == envelope.SILENT else XML


def answer(account: CallbackAccount, message: Message, signature: str, seat: waiting.Seat) -> Decided:
    """The one reply to a message, however often and wherever it arrives; and what to hint once it is out of hand.

    Raises:
        Rejected: plain mode, and the signature was used for another message.
    """
    try:
        return _answer(account, message, signature, seat, dispatch_it=True)
    except (envelope.Rejected, OperationalError, NoConnection):
        raise
    except Exception:
        log.exception("handler.failed", account=account.slug, kind=message.kind, message_event=message.event)
        return _answer(account, message, signature, seat, dispatch_it=False)


def _answer(
    account: CallbackAccount, message: Message, signature: str, seat: waiting.Seat, *, dispatch_it: bool
) -> Decided:
    now = clock.now()
    with inbound() as connection:
        if account.credentials.mode == "plain" and messages.is_replay(connection, account.id, signature, message, now):
            raise envelope.Rejected(403, "This signature was used before.", "replayed signature", is_signed=True)
        if message.is_receipt:
            trace, flag = receipts.handle(connection, account.id, message)
            messages.enter(connection, account.id, message, now, follower_id=None, trace=trace, flag=flag)
            fault_point("K14 callback before inbox commit")
            return Decided(None)

        writer = messages.meet(connection, account.id, message, now)
        known = messages.find_answered(connection, account.id, message)
        if known is not None:
            return _again(connection, writer, message, known, now)
        messages.open_window(connection, writer.id, message, now)
        if not dispatch_it:  # a handler failed on it before: silence, and kept as such
            messages.enter(connection, account.id, message, now, follower_id=writer.id, trace=FAILED, flag="failed")
            return Decided(None)
        incoming = Incoming(connection, account, writer, message, now)
        passive, later = _fitting(dispatch(incoming))
        message_id = messages.enter(
            connection,
            account.id,
            message,
            now,
            follower_id=writer.id,
            reply=passive.model_dump(mode="json") if passive else None,
            rule_id=incoming.rule_id,
            trace=incoming.trace,
        )
        for reply in later:
            sends.create(incoming.session, account.id, writer.id, reply, message_id=message_id)
        waits = None
        if incoming.question and message_id is not None:
            asked = assistant_answers.ask(
                incoming.session, account.id, writer.id, message_id, message, incoming.question, now
            )
            if seat.take():
                waits = asked
            else:
                passive = assistant_answers.go_elsewhere(incoming.session, asked.answer_id).reply
        written = incoming.__dict__.get("session")  # only if somebody asked for it
        if written is not None:
            written.flush()  # the transaction is the connection's: it commits nothing that was only added
        return Decided(passive, queue.taken_from(written), waits)


def _again(
    connection: Connection, writer: messages.Writer, message: Message, known: messages.Answered, now: datetime
) -> Decided:
    """WeChat repeats a message: the same reply, or it waits for the assistant's with the attempt before."""
    if known.reply is None:
        return Decided(None, [], assistant_answers.ask_again(connection, known.id, message, now))
    if (
        writer.silent_until is not None
        and writer.silent_until > now
        and assistant_answers.is_answers(connection, known.id)
    ):
        return Decided(None)  # a person took over before the follower saw it
    return Decided(ReplyAdapter.validate_python(known.reply))


def _fitting(replies: list[Reply]) -> tuple[Reply | None, list[Reply]]:
    """One passive reply, and the rest as customer-service messages: more replies, and what a text has too much.

    What is blank, as a variable without a value may be, is no reply: WeChat would show an error for it.
    """
    parts: list[Reply] = []
    for reply in replies:
        if isinstance(reply, Text) and len(reply.text) * 4 > limits.TEXT_BYTES:  # no character takes more than four
            parts += [Text(text=part) for part in split_text(reply.text) if part.strip()]
        elif not isinstance(reply, Text) or reply.text.strip():
            parts.append(reply)
    return (parts[0], parts[1:]) if parts else (None, [])


def _account(slug: str) -> CallbackAccount:
    """The account's settings, at most a second old.

    Raises:
        NotFound: there is none.
    """
    known = _accounts.get(slug)
    if known is not None and time.monotonic() - known[0] < CACHE_SECONDS:
        return known[1]
    with reading() as session:
        account = accounts.for_callback(session, slug)
    _accounts[slug] = (time.monotonic(), account)
    return account


def forget() -> None:
    """Read the accounts' settings again at once."""
    _accounts.clear()


def _refuse(slug: str, error: envelope.Rejected | NotFound) -> Answer:
    """One plain line; nothing of what came is kept, but that somebody holds a valid signature is worth a record."""
    if isinstance(error, NotFound):
        return b"There is no such account.", 404, PLAIN_TEXT
    log.warning("callback.refused", account=slug, status=error.status, reason=error.reason)
    if error.is_signed:
        with suppress(OperationalError), transaction() as session:  # busy: then the log has to do
            account = accounts.get(session, slug)
            audit.record(session, "callback.refused", error.reason, account_id=account.id)
    return error.sentence.encode(), error.status, PLAIN_TEXT

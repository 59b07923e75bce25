"""What every endpoint of Moments shares: who calls, in which transaction, and how addresses become ids.

An endpoint is a function of (session, me, …) under ``@endpoint``, which takes its scope; nothing is reachable without
one.  A reading one runs in one snapshot: whatever was taken away before the request began is not in its answer.
"""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import structlog
from apiflask import APIBlueprint
from flask import Response, g, request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from bot.database import snapshot, transaction
from bot.errors import Forbidden, Unauthenticated
from bot.json_api import Endpoint, In, Out, guard, read_body, read_query
from bot.moments import addresses, feed, members
from bot.services import passwords
from bot.settings import settings
from models import Member, MemberStatus

__all__ = ["ENDPOINTS", "OPEN", "Endpoint", "In", "Out", "PageQuery", "bp", "endpoint", "start_of"]

OPEN = ""  # the scope of what needs no member
COOKIE = "lobby_moments"
HEADER = "Lobby-Moments"  # no other site's page can send it with a cookie

bp = APIBlueprint("moments_api", __name__, url_prefix="/moments/api/v1", enable_openapi=False)
ENDPOINTS: list[Endpoint] = []


class PageQuery(In):
    after: Annotated[str, Field(max_length=100, description="`next` of the page before")] = ""
    limit: Annotated[int, Field(ge=1, le=100, description="how many at most")] = 20


def start_of(query: PageQuery, place: str) -> int:
    """The id before which a page of this list begins."""
    return addresses.read_cursor(place, query.after) if query.after else feed.FIRST


def endpoint(
    method: str,
    path: str,
    *,
    scope: str,
    summary: str,
    returns: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    status: int = 200,
    takes_file: bool = False,
    gives_file: bool = False,
    is_slow: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Open a path to members' browsers and programs with this scope.

    The function takes ``session``, ``me``, an id for each address of the path (``<post>``: ``post_id``), ``body`` and
    ``query``; it runs in one transaction and returns what ``returns`` is read from.  One that takes a file or is slow
    gets no ``session``, and opens its own where it is quick.  One that gives a file returns the response.
    """
    if scope != OPEN and (scope not in members.SCOPES or scope == members.ALL):
        raise ValueError(f"{method} {path}: there is no scope {scope!r}")

    def add(run: Callable[..., Any]) -> Callable[..., Any]:
        only_reads = method == "GET"
        known = Endpoint(
            method, path, scope, summary, run, returns, body, query, status, only_reads, takes_file, gives_file
        )
        ENDPOINTS.append(known)
        bp.add_url_rule(path, known.name, _view(known, is_slow or takes_file), methods=[method])
        return run

    return add


def _view(known: Endpoint, is_slow: bool) -> Callable[..., Response]:
    wants = set(inspect.signature(known.run).parameters)

    def view(**parts: str) -> Response:
        values: dict[str, Any] = {f"{kind}_id": addresses.read(kind, address) for kind, address in parts.items()}
        values |= parts
        if is_slow:
            with snapshot() as session:  # before a byte of a file is read
                values["me"] = _authenticate(session, known)
            if known.body is not None:
                values["body"] = read_body(known.body)
            values["query"] = read_query(known.query or In)
            return _answered(known, known.run(**{name: value for name, value in values.items() if name in wants}))
        with snapshot() if known.only_reads else transaction() as session:
            if known.scope != OPEN:
                values["me"] = _authenticate(session, known)
            if known.body is not None:
                values["body"] = read_body(known.body)
            values["query"] = read_query(known.query or In)
            result = known.run(session, **{name: value for name, value in values.items() if name in wants})
            session.flush()  # what the database refuses is told from here, not after the answer is made
            response = _answered(known, result)
        cookie: str | None = g.pop("moments_cookie", None)
        if cookie:
            keep(response, cookie)
        return response

    return view


def _answered(known: Endpoint, result: Any) -> Response:
    if known.gives_file:
        return result  # type: ignore[no-any-return]
    shown = known.returns.model_validate(result).model_dump_json() if known.returns else ""
    response = Response(shown, known.status, content_type="application/json")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _authenticate(session: Session, known: Endpoint) -> Member:
    kind, _, plain = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        member, scopes = members.by_token(session, plain.strip())
        if members.ALL not in scopes and known.scope not in scopes:
            raise Forbidden("This token may not do that: it needs the scope “{scope}”.", scope=known.scope)
    else:
        member = members.by_cookie(session, request.cookies.get(COOKIE, ""))
        if not known.only_reads and not request.headers.get(HEADER):
            raise Forbidden("A browser sends the header “{header}: 1” with every change.", header=HEADER)
    return let_in(member, also_off=known.scope.startswith("profile:"))


def by_browser(session: Session, *, also_off: bool = False) -> Member:
    """Whose browser this is, for the pages, which check their forms themselves."""
    return let_in(members.by_cookie(session, request.cookies.get(COOKIE, "")), also_off=also_off)


def let_in(member: Member, *, also_off: bool) -> Member:
    if member.status != MemberStatus.ACTIVE and not also_off:
        raise Forbidden("Your Moments are switched off; come back first.")
    structlog.contextvars.bind_contextvars(member=member.id)
    return member


def keep(response: AnyResponse, cookie: str) -> None:
    """Sign this browser in."""
    is_https = settings().base_url.startswith("https://")
    response.set_cookie(
        COOKIE, cookie, members.LIFETIME, path="/moments", secure=is_https, httponly=True, samesite="Lax"
    )


def prove(handle: str, password: str) -> None:
    """Check a password and count the tries.  Call it outside of transactions: verifying takes 0.1 to 0.2 s.

    Raises:
        Unauthenticated: not theirs.
        TooManyTries: naming how long to wait.
    """
    handle, address = handle.strip().lower(), request.remote_addr or ""
    members.count_try(handle, address)
    with snapshot() as session:
        found = members.find(session, handle)
    if not passwords.fits(found.password_hash if found else "", password):
        raise Unauthenticated("The name or the password is wrong.", field="password")
    members.forget_tries(handle, address)


def replace_password(me: Member, old: str, new: str) -> None:
    """For both doors, and outside of transactions as ``prove``: this browser alone stays signed in.

    Raises:
        Refused: the old one is wrong, or the new one no good.
        TooManyTries: naming how long to wait.
        Conflict: somebody else changed it meanwhile.
    """
    address = request.remote_addr or ""
    members.count_try(me.handle, address)
    password_hash = members.new_hash(me, old, new)
    with transaction() as session:
        members.change_password(session, me, password_hash, request.cookies.get(COOKIE, ""))
    members.forget_tries(me.handle, address)


guard(bp)

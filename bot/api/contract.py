"""What every endpoint shares: who may call it, how its input is read, how it answers, how a refusal reads.

An endpoint is a function of (session, account, …) under ``@endpoint``, which takes its scope; nothing is reachable
without one.  What is declared here is also what the OpenAPI document says, so the two cannot differ.
"""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import structlog
from apiflask import APIBlueprint
from flask import Response, g, request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

import models
from bot.database import reading, snapshot, transaction
from bot.errors import Forbidden, NotFound, Unauthenticated
from bot.json_api import LARGEST, Endpoint, In, Out, guard, read_body, read_query, told
from bot.services import accounts, api_tokens, audit

__all__ = ["ENDPOINTS", "LARGEST", "Endpoint", "In", "Out", "PageQuery", "bp", "endpoint", "told"]

bp = APIBlueprint("api", __name__, url_prefix="/api/v1", enable_openapi=False)


class PageQuery(In):
    before: Annotated[int | None, Field(ge=1, le=LARGEST, description="`next` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="how many at most")] = 50


ENDPOINTS: list[Endpoint] = []


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
    only_reads: bool = False,
    takes_file: bool = False,
    gives_file: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Open a path to tokens with this scope.

    The function takes ``session``, ``account`` when the path has <slug>, the path's ids, ``body`` and ``query``, and
    ``token`` or ``by`` (what the token may do) where more than the scope decides;
    it runs in one transaction (GET and ``only_reads``: nothing is changed or recorded) and
    returns what ``returns`` is read from.  One that takes a file gets no ``session``: it passes the file on.  One that
    gives a file returns the response.
    """
    if scope not in api_tokens.SCOPES or scope == api_tokens.ALL:
        raise ValueError(f"{method} {path}: there is no scope {scope!r}")

    def add(run: Callable[..., Any]) -> Callable[..., Any]:
        looks = only_reads or method == "GET"
        known = Endpoint(method, path, scope, summary, run, returns, body, query, status, looks, takes_file, gives_file)
        ENDPOINTS.append(known)
        bp.add_url_rule(path, known.name, _view(known), methods=[method])
        return run

    return add


def _view(known: Endpoint) -> Callable[..., Response]:
    wants = set(inspect.signature(known.run).parameters)

    def view(**ids: Any) -> Response:
        token = _authenticate(known.scope)
        slug = ids.pop("slug", None)
        # A number larger than any row's is looked for like any other that is not there.
        values: dict[str, Any] = {name: 0 if value > LARGEST else value for name, value in ids.items()}
        values["token"], values["by"] = token, api_tokens.access_of(token)
        if known.body is not None:
            values["body"] = read_body(known.body)
        values["query"] = read_query(known.query or In)

        def run(*session: Session) -> Any:
            return known.run(*session, **{name: value for name, value in values.items() if name in wants})

        result: Any = None
        if known.takes_file:
            with snapshot() as session:  # before a byte of the file is read
                values["account"] = _account(session, token, slug)
            result = run()
        with snapshot() if known.only_reads else transaction() as session:
            account = _account(session, token, slug) if slug is not None else None
            values["account"] = account
            if not known.takes_file:
                result = run(session)
            if not known.only_reads:
                action, detail = f"api.{known.noun}.{known.name}", ", ".join([f"token {token.id}", *_named(ids)])
                audit.record(session, action, detail, account_id=account.id if account else None)
                session.flush()  # what the database refuses is told from here, not after the answer is made
            if known.gives_file:
                return result  # type: ignore[no-any-return]
            shown = known.returns.model_validate(result).model_dump_json() if known.returns else ""
        return Response(shown, known.status, content_type="application/json")

    return view


def _named(ids: dict[str, Any]) -> list[str]:
    """What a path is about: "campaign 7"."""
    return [f"{name.removesuffix('_id').replace('_', ' ')} {value}" for name, value in ids.items()]


def _authenticate(scope: str) -> models.ApiToken:
    kind, _, plain = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise Unauthenticated("Send your token: “Authorization: Bearer lby_…”.")
    with reading() as session:
        token = api_tokens.find(session, plain.strip())
    if token is None:
        raise Unauthenticated("This token is unknown or was revoked.")
    g.api_token = token
    structlog.contextvars.bind_contextvars(api_token=token.id)
    if not api_tokens.allows(token, scope):
        raise Forbidden("This token may not do that: it needs the scope “{scope}”.", scope=scope)
    return token


def _account(session: Session, token: models.ApiToken, slug: str) -> models.Account:
    account = accounts.get(session, slug)
    if token.account_id not in (None, account.id):  # the very words of one that is not there (T21)
        raise NotFound("There is no account “{slug}”.", slug=slug)
    structlog.contextvars.bind_contextvars(account=account.slug)
    return account


guard(bp)

"""What every endpoint shares: who may call it, how its input is read, how it answers, how a refusal reads.

An endpoint is a function of (session, account, …) under ``@endpoint``, which takes its scope; nothing is reachable
without one.  What is declared here is also what the OpenAPI document says, so the two cannot differ.
"""

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import structlog
from apiflask import APIBlueprint
from flask import Response, g, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

import models
from bot.database import reading, transaction
from bot.errors import Forbidden, NotFound, Refused, Unauthenticated
from bot.services import accounts, api_tokens, audit

LARGEST = 2**63 - 1  # of a database's numbers
CODES = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    422: "invalid",
    429: "too_many",
}

bp = APIBlueprint("api", __name__, url_prefix="/api/v1", enable_openapi=False)
log = structlog.get_logger()


class In(BaseModel):
    """What a caller sends: a field we do not know is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """What a caller gets, read from a row's attributes."""

    model_config = ConfigDict(from_attributes=True)


class PageQuery(In):
    before: Annotated[int | None, Field(ge=1, le=LARGEST, description="`next` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="how many at most")] = 50


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the API."""

    method: str
    path: str  # as Flask writes it, below /api/v1
    scope: str
    summary: str
    run: Callable[..., Any]
    returns: type[BaseModel] | None
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    status: int
    only_reads: bool

    @property
    def name(self) -> str:
        return self.run.__name__

    @property
    def noun(self) -> str:
        return self.run.__module__.split(".")[2]  # of bot.api.campaigns.sending too: campaigns

    @property
    def is_of_account(self) -> bool:
        return "<slug>" in self.path


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
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Open a path to tokens with this scope.

    The function takes ``session``, ``account`` when the path has <slug>, the path's ids, ``body`` and ``query``, and
    ``token`` or ``by`` (what the token may do) where more than the scope decides;
    it runs in one transaction (GET and ``only_reads``: nothing is changed or recorded) and
    returns what ``returns`` is read from.
    """
    if scope not in api_tokens.SCOPES or scope == api_tokens.ALL:
        raise ValueError(f"{method} {path}: there is no scope {scope!r}")

    def add(run: Callable[..., Any]) -> Callable[..., Any]:
        known = Endpoint(method, path, scope, summary, run, returns, body, query, status, only_reads or method == "GET")
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
            values["body"] = _read_body(known.body)
        values["query"] = _read_query(known.query or In)
        with reading() if known.only_reads else transaction() as session:
            account = _account(session, token, slug) if slug is not None else None
            values["account"] = account
            result = known.run(session, **{name: value for name, value in values.items() if name in wants})
            if not known.only_reads:
                action, detail = f"api.{known.noun}.{known.name}", ", ".join([f"token {token.id}", *_named(ids)])
                audit.record(session, action, detail, account_id=account.id if account else None)
                session.flush()  # what the database refuses is told from here, not after the answer is made
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


def _read_body(model: type[BaseModel]) -> BaseModel:
    raw = request.get_data()
    try:
        data = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON.") from None
    if _has_nul(data):
        raise Refused("Text cannot hold the character U+0000.")
    return _validated(model, data)


def _read_query(model: type[BaseModel]) -> BaseModel:
    data = request.args.to_dict()
    if _has_nul(data):
        raise Refused("Text cannot hold the character U+0000.")
    return _validated(model, data)


def _validated(model: type[BaseModel], data: Any) -> BaseModel:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        words = str(first["msg"]).removeprefix("Value error, ")
        raise Refused("{words}.", words=words.rstrip("."), field=_field(first["loc"], data)) from None


def _field(loc: tuple[int | str, ...], data: Any) -> str:
    """The path as the caller wrote it: without the names of the alternatives that were tried."""
    parts: list[str] = []
    for at, part in enumerate(loc):
        is_last = at == len(loc) - 1
        if isinstance(data, dict) and (part in data or is_last):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        parts.append(str(part))
    return ".".join(parts)


def _has_nul(data: Any) -> bool:
    """PostgreSQL keeps no U+0000."""
    if isinstance(data, str):
        return "\0" in data
    if isinstance(data, dict):
        return any(_has_nul(key) or _has_nul(value) for key, value in data.items())
    return isinstance(data, list) and any(map(_has_nul, data))


class Malformed(Refused):
    status = 400


@bp.errorhandler(Refused)
def refused(error: Refused) -> Response:
    return told(error.status, error.sentence(), error.field)


@bp.errorhandler(OverflowError)
@bp.errorhandler(DataError)
def too_large(error: Exception) -> Response:
    log.info("api.value_too_large", error=type(error).__name__)
    return told(422, "A number or a text is larger than we can keep.")


@bp.errorhandler(HTTPException)
def http_refused(error: HTTPException) -> Response:
    words = {413: "The body is larger than 1 MB.", 400: "The request is malformed."}
    return told(error.code or 500, words.get(error.code or 500, error.description or error.name))


def told(status: int, message: str, field: str = "") -> Response:
    code = CODES.get(status, "error")
    body = {"error": {"code": code, "message": message, "field": field or None}}
    response = Response(json.dumps(body), status, content_type="application/json")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Lobby"'
    return response

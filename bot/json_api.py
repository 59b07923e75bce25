"""What every door of JSON shares: how its input is read, how it answers, how a refusal reads."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from bot.errors import Refused

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
    503: "busy",
    507: "full",
}

log = structlog.get_logger()


class In(BaseModel):
    """What a caller sends: a field we do not know is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """What a caller gets, read from a row's attributes."""

    model_config = ConfigDict(from_attributes=True)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the API."""

    method: str
    path: str  # as Flask writes it, below the door's own
    scope: str
    summary: str
    run: Callable[..., Any]
    returns: type[BaseModel] | None
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    status: int
    only_reads: bool
    takes_file: bool = False  # as the body, or as a form's part "file"
    gives_file: bool = False  # ``run`` returns the response

    @property
    def name(self) -> str:
        return self.run.__name__

    @property
    def noun(self) -> str:
        return self.run.__module__.partition(".api.")[2].split(".")[0]  # of bot.api.campaigns.sending too: campaigns

    @property
    def is_of_account(self) -> bool:
        return "<slug>" in self.path


def guard(bp: Blueprint) -> None:
    """Word what goes wrong below this blueprint as JSON."""
    bp.register_error_handler(Refused, refused)
    bp.register_error_handler(OverflowError, too_large)
    bp.register_error_handler(DataError, too_large)
    bp.register_error_handler(HTTPException, http_refused)


def read_body(model: type[BaseModel]) -> BaseModel:
    raw = request.get_data()
    try:
        data = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON.") from None
    if _has_nul(data):
        raise Refused("Text cannot hold the character U+0000.")
    return _validated(model, data)


def read_query(model: type[BaseModel]) -> BaseModel:
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


def refused(error: Refused) -> Response:
    return told(error.status, error.sentence(), error.field)


def too_large(error: Exception) -> Response:
    log.info("api.value_too_large", error=type(error).__name__)
    return told(422, "A number or a text is larger than we can keep.")


def http_refused(error: HTTPException) -> Response:
    words = {413: "The body is larger than 1 MB.", 400: "The request is malformed."}
    return told(error.code or 500, words.get(error.code or 500, error.description or error.name))


def told(status: int, message: str, field: str = "") -> Response:
    code = CODES.get(status, "error")
    body = {"error": {"code": code, "message": message, "field": field or None}}
    response = Response(json.dumps(body), status, content_type="application/json")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Lobby"'
    if status == 503:
        response.headers["Retry-After"] = "60"
    return response

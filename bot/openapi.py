"""OpenAPI 3.1 documents, made from what endpoints declare."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from bot.json_api import LARGEST, Endpoint

_REFUSALS = {
    400: "The body is not JSON",
    401: "No token, or one that is unknown or revoked",
    403: "The token does not have the scope",
    404: "No such thing, or not for you",
    409: "Somebody else was first",
    413: "The body is larger than 1 MB",
    422: "A field is wrong; `field` names it",
}


class Refusal(BaseModel):
    code: str = Field(description="for programs: not_found, invalid, conflict, …")
    message: str = Field(description="for people: what is wrong and what to do")
    field: str | None = Field(description="the field at fault, such as replies.0.text")


class Error(BaseModel):
    """How every refusal reads."""

    error: Refusal


def build(
    endpoints: Sequence[Endpoint], *, info: dict[str, str], servers: list[dict[str, str]], scheme: dict[str, Any]
) -> dict[str, Any]:
    """The whole document of one door; ``scheme``: how a caller says who it is."""
    bodies = {known.body for known in endpoints if known.body}
    answers = {known.returns for known in endpoints if known.returns} | {Error}
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in _sorted(bodies)]
    wanted += [(model, "serialization") for model in _sorted(answers)]
    refs, schemas = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = {}
    for known in endpoints:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", known.path)
        paths.setdefault(path, {})[known.method.lower()] = _operation(known, refs)
    return {
        "openapi": "3.1.0",
        "info": {"version": "1", **info},
        "servers": servers,
        "security": [{"token": []}],
        "tags": [{"name": noun} for noun in dict.fromkeys(known.noun for known in endpoints)],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": scheme},
            "responses": {f"Refused{status}": _refused(words) for status, words in _REFUSALS.items()},
        },
    }


def _operation(known: Endpoint, refs: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": known.name,
        "tags": [known.noun],
        "summary": known.summary,
        "description": f"Scope: `{known.scope}`",
        "parameters": [*_path_parameters(known.path), *_query_parameters(known.query)],
        "responses": {str(known.status): _answer(known, refs)},
    }
    statuses = [401, 403, 422]
    if "<" in known.path:
        statuses.append(404)
    if known.body:
        statuses += [400, 413]
        operation["requestBody"] = {"required": True, "content": _json(refs[known.body, "validation"])}
    if known.takes_file:
        statuses.append(413)
        form = {"type": "object", "properties": {"file": {}}, "required": ["file"]}
        content = {"application/octet-stream": {}, "multipart/form-data": {"schema": form}}
        operation["requestBody"] = {"required": True, "content": content}
    if known.method != "GET":
        statuses.append(409)
    for status in sorted(statuses):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/Refused{status}"}
    return operation


def _answer(known: Endpoint, refs: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    words = {200: "As asked", 201: "Made", 202: "Under way", 204: "Done"}[known.status]
    if known.gives_file:
        return {"description": words, "content": {"image/jpeg": {}, "video/mp4": {}}}
    if known.returns is None:
        return {"description": words}
    return {"description": words, "content": _json(refs[known.returns, "serialization"])}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    number = {"type": "integer", "minimum": 1, "maximum": LARGEST}
    account = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,31}$"}
    return [
        {"name": name, "in": "path", "required": True, "schema": number if kind == "int" else account}
        for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", path)
    ]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    parameters = []
    for name, field in schema["properties"].items():
        # A parameter that may be left out needs no null.
        kinds = [kind for kind in field.pop("anyOf", []) if kind != {"type": "null"}]
        field |= kinds[0] if kinds else {}
        if "$ref" in field:  # its own kind, such as a list of words: written out
            field |= schema["$defs"][field.pop("$ref").rpartition("/")[2]]
        if field.get("default", 0) is None:
            del field["default"]
        about = {"description": field.pop("description")} if "description" in field else {}
        is_needed = name in schema.get("required", ())
        parameters.append({"name": name, "in": "query", "required": is_needed, "schema": field, **about})
    return parameters


def _refused(words: str) -> dict[str, Any]:
    return {"description": words, "content": _json({"$ref": "#/components/schemas/Error"})}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _sorted(models: set[type[BaseModel]]) -> Sequence[type[BaseModel]]:
    return sorted(models, key=lambda model: (model.__module__, model.__name__))

"""Door: the REST API under /api/v1, its OpenAPI document, and a page to read it at /api/docs."""

from apiflask import APIFlask
from flask import Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from bot.api import (
    accounts,
    agents,
    assistant,
    audit,
    campaigns,
    connecting,
    conversation_acts,
    conversation_reports,
    conversations,
    docs,
    fields,
    followers,
    health,
    labels,
    media,
    menus,
    messages,
    moments,
    openapi,
    operators,
    people,
    rule_versions,
    rules,
    segments,
    sends,
    tags,
    tasks,
    tokens,
)
from bot.api.contract import ENDPOINTS, bp, told

NOUNS = (
    accounts,
    connecting,
    rules,
    rule_versions,
    menus,
    followers,
    fields,
    media,
    messages,
    conversation_reports,
    conversations,
    conversation_acts,
    agents,
    labels,
    sends,
    tasks,
    health,
    people,
    operators,
    tokens,
    audit,
    segments,
    tags,
    campaigns,
    assistant,
    moments,
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OPEN = {"api.document", "api.nothing_here"}  # what needs no token


def register(app: APIFlask) -> None:
    """Add the API to the application.

    Raises:
        RuntimeError: a path under /api/v1 that declares no scope.
    """
    app.register_blueprint(bp)
    app.register_blueprint(docs.bp)
    declared = {f"api.{known.name}" for known in ENDPOINTS} | OPEN
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and rule.endpoint not in declared:
            raise RuntimeError(f"{rule.rule} declares no scope: use @endpoint")


@bp.get("/openapi.json")
def document() -> Response:
    return jsonify(openapi.document())


@bp.route("/", defaults={"path": ""}, methods=METHODS)
@bp.route("/<path:path>", methods=METHODS)
def nothing_here(path: str) -> Response:
    """Unknown addresses, in the API's own words."""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None
    allowed = []
    for method in METHODS:
        try:
            if adapter.match(f"/api/v1/{path}", method)[0] != "api.nothing_here":
                allowed.append(method)
        except HTTPException:
            continue
    if not allowed:
        return told(404, "There is no such address in this API; see /api/docs.")
    response = told(405, f"This address takes {', '.join(allowed)}.")
    response.headers["Allow"] = ", ".join(allowed)
    return response

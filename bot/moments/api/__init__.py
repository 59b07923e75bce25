"""Door: the REST API of Moments under /moments/api/v1, for members' browsers and programs."""

from functools import lru_cache
from typing import Any

from apiflask import APIFlask
from flask import Response, jsonify

from bot import openapi
from bot.json_api import told
from bot.moments.api import (
    account,
    audiences,
    friends,
    groups,
    media,
    members,
    notices,
    posts,
    reactions,
    reports,
    scheduled,
    sight,
    wechat,
)
from bot.moments.api.contract import ENDPOINTS, bp

NOUNS = (
    members,
    account,
    wechat,
    friends,
    sight,
    groups,
    media,
    posts,
    scheduled,
    audiences,
    reactions,
    notices,
    reports,
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ABOUT = """The personal side. Send a token as `Authorization: Bearer lbm_…`; make one with `POST /tokens`. A browser
sends its cookie, and the header `Lobby-Moments: 1` with every change. What you may not see answers as what is not
there: 404. Lists come in pages: pass `next` on as `after`. Fields that are not listed here are refused."""


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)


@bp.get("/openapi.json")
def document() -> Response:
    return jsonify(_document())


@lru_cache
def _document() -> dict[str, Any]:
    return openapi.build(
        ENDPOINTS,
        info={"title": "Lobby Moments", "summary": "Sharing with approved friends only", "description": _ABOUT},
        servers=[{"url": "/moments/api/v1", "description": "this server"}],
        scheme={"type": "http", "scheme": "bearer", "bearerFormat": "lbm_…"},
    )


@bp.route("/", defaults={"path": ""}, methods=METHODS)
@bp.route("/<path:path>", methods=METHODS)
def nothing_here(path: str) -> Response:
    return told(404, "There is no such address in this API.")

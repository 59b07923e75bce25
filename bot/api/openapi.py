"""The API's OpenAPI document."""

from functools import lru_cache
from typing import Any

from bot import openapi
from bot.api.contract import ENDPOINTS
from bot.settings import settings

_ABOUT = """Everything the console can do. Send a token as `Authorization: Bearer lby_…`; make one with
`lobby token create`. Each operation names the scope it needs. Times are UTC. Lists come in pages: pass `next` on.
Long work answers 202 with a task or a message to ask about again. Fields that are not listed here are refused."""


@lru_cache
def document() -> dict[str, Any]:
    """The whole document; the same for every caller."""
    return openapi.build(
        ENDPOINTS,
        info={"title": "Lobby", "summary": "WeChat Official Accounts", "description": _ABOUT},
        servers=[{"url": settings().base_url + "/api/v1"}, {"url": "/api/v1", "description": "this server"}],
        scheme={"type": "http", "scheme": "bearer", "bearerFormat": "lby_…"},
    )

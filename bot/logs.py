"""What the processes say about themselves: one line an event, as text or JSON, never a secret.

Ids are bound once and stand in every line after: ``structlog.contextvars.bind_contextvars(request=…, account=…,
message=…)``, and ``clear_contextvars()`` where the next request or job begins.  What a follower wrote, and who they
are, is no log's business: log ids of rows.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

MASK = "…"
_SECRET_NAME = re.compile(r"(^|_)(secret|token|password|passwd|aes_key|authorization|cookie)$", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"""((?:access_token|secret|token|password|aes_key|authorization)["']?\s*[=:]\s*["']?)(?:Bearer\s+)?[^\s&"',;)}\]]+"""
    r"|(Bearer\s+)[\w.~+/=-]+",
    re.IGNORECASE,
)
_ADDRESS_PASSWORD = re.compile(r"(\w://[^\s:/@]*:)[^\s/@]+@")  # redis://:password@host

# Libraries that tell of each step; their warnings are enough.
_CHATTY = ("alembic", "rq", "rq.worker", "rq.scheduler", "werkzeug", "urllib3", "apiflask")


def setup(log_format: str, process: str = "", stream: TextIO | None = None) -> None:
    """Send all logging of this process, ours and the libraries', to one stream (stderr).

    ``process`` names it in each line: "web", "worker replies", "clock".
    """
    before = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        masked,  # after the traceback is text: it may quote an address with a token
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    as_json = log_format == "json"
    render: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    )
    handler = logging.StreamHandler(stream) if stream else _ToStderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("rq", "rq.worker", "granian", "_granian", "werkzeug"):  # they bring handlers of their own
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True


def masked(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide what stands under a secret's name, and what looks like one inside a text."""
    for name, value in event.items():
        event[name] = _masked(name, value)
    return event


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(name, item) for item in value]
    if _SECRET_NAME.search(name):
        return MASK if value else value
    return without_secrets(value) if isinstance(value, str) else value


def without_secrets(text: str) -> str:
    text = _SECRET_TEXT.sub(lambda found: (found[1] or found[2]) + MASK, text)
    return _ADDRESS_PASSWORD.sub(lambda found: found[1] + MASK + "@", text)


class _ToStderr(logging.StreamHandler[Any]):
    """Whatever stderr is when a line is written: commands under test replace it and close it again."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr


def _named(process: str) -> Any:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if process:
            event.setdefault("process", process)
        return event

    return add

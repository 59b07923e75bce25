"""Logs: one line an event, and never a secret in it."""

import io
import json
import logging

import pytest
import structlog

from bot import logs

CANARY = "s3cr3t-c4n4ry"


@pytest.fixture
def lines():
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.setup("json", "web", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


@pytest.mark.parametrize(
    "said",
    [
        {"secret": CANARY},
        {"access_token": CANARY},
        {"detail": {"password": CANARY, "inner": [{"aes_key": CANARY}]}},
        {"Authorization": f"Bearer {CANARY}"},
        {"url": f"https://api.weixin.qq.com/cgi-bin/token?appid=wx1&secret={CANARY}&access_token={CANARY}"},
        {"body": json.dumps({"access_token": CANARY, "expires_in": 7200})},
        {"headers": f"Authorization: Bearer {CANARY}"},
        {"redis": f"redis://:{CANARY}@10.0.0.1:6379/0"},
    ],
)
def test_hides_what_is_secret(lines, said):
    structlog.get_logger().info("called", **said)

    assert CANARY not in json.dumps(lines())


def test_hides_secrets_in_tracebacks_and_in_what_libraries_say(lines):
    try:
        raise ValueError(f"GET /cgi-bin/token?secret={CANARY}")
    except ValueError:
        logging.getLogger("requests").exception("failed for access_token=%s", CANARY)

    (line,) = lines()
    assert CANARY not in json.dumps(line)
    assert "ValueError" in line["exception"]


def test_bound_ids_stand_in_each_line(lines):
    with structlog.contextvars.bound_contextvars(request="r1", account="practice"):
        structlog.get_logger().warning("odd")

    (line,) = lines()
    assert line["event"] == "odd"
    assert (line["request"], line["account"], line["process"]) == ("r1", "practice", "web")


def test_ordinary_texts_stay_as_they_are(lines):
    structlog.get_logger().info("a secret garden", title="Token of love", token_seconds=7200)

    (line,) = lines()
    assert (line["event"], line["title"], line["token_seconds"]) == ("a secret garden", "Token of love", 7200)

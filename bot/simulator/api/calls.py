"""How every API call is taken: method, token, permission, quota, body, faults; always HTTP 200 with a verdict."""

import json
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from flask import Request, Response
from werkzeug.datastructures import FileStorage

from bot.simulator import faults, strict
from bot.simulator.accounts import Account
from bot.simulator.api import quotas, tokens
from bot.simulator.errors import Refusal
from bot.simulator.permissions import Allowed
from bot.simulator.world import World

OK: dict[str, Any] = {"errcode": 0, "errmsg": "ok"}

# Clients must decode by themselves: the type means nothing, and it varies.
CONTENT_TYPES = ("application/json; encoding=utf-8", "text/plain", "application/json; charset=utf-8")

# JSON's \u escapes, where the backslash is not itself escaped; control characters cannot be written otherwise.
ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u(?!00[01])[0-9a-fA-F]{4}")


@dataclass(frozen=True)
class Asked:
    """One call, checked as far as all calls are alike."""

    world: World
    account: Account
    query: Mapping[str, str]
    body: dict[str, Any]
    file: FileStorage | None = None
    form: Mapping[str, str] = field(default_factory=dict)  # beside a file
    now: float = 0.0
    base_url: str = ""
    ip: str = ""


Answer = dict[str, Any] | Response


@dataclass(frozen=True)
class Call:
    path: str
    handle: Callable[[Asked], Answer]
    method: str = "POST"
    allowed: Allowed = Allowed.VERIFIED
    daily: int | None = None  # calls a day
    takes: str = "json"  # json, file; a GET takes nothing
    on_escapes: int = 47002
    fields: tuple[str, ...] = field(default=())  # without them: 47003


def answer(world: World, call: Call, request: Request) -> Response:
    """Do one call that names its account by access_token."""
    if call.method != request.method:
        return refuse(world, Refusal(43001 if call.method == "GET" else 43002))
    account: Account | None = None
    fault: faults.Fault | None = None
    try:
        account, trouble = tokens.account_of(world, request.args.get("access_token"))
        if account is not None:
            with world.store.writing() as db:
                quota_left = quotas.count_in(db, world, account, call.path, call.daily)
                fault = faults.take_in(db, call.path, account.account)
        result = None if fault is None or fault.after else _faulty(fault)
        if result is not None:
            return result
        if fault is not None and fault.cut == "request":
            return cut_off(request)
        if trouble is not None or account is None:
            raise trouble or Refusal(40014)
        if not call.allowed.includes(account):
            raise Refusal(48001)
        if not quota_left:
            raise Refusal(45009)
        done = call.handle(_asked(world, account, call, request))
        if fault is not None and fault.after:
            result = _faulty(
                fault, {name: done[name] for name in ("msg_id",) if name in done} if _is_json(done) else {}
            )
    except Refusal as refusal:
        return refuse(world, refusal)
    if fault is not None and fault.cut:
        return cut_off(request)
    if result is not None:
        return result
    return done if isinstance(done, Response) else written(done)


def refuse(world: World, refusal: Refusal) -> Response:
    return written(refusal.answer(world.clock.now()))


def written(data: dict[str, Any]) -> Response:
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, content_type=secrets.choice(CONTENT_TYPES))


def cut_off(request: Request) -> Response:
    """The work is done, and the caller never hears of it: the connection breaks."""
    connection = request.environ.get("werkzeug.socket")

    def breaking() -> Iterator[bytes]:
        if isinstance(connection, socket.socket):  # this server would not close it at once by itself
            connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError("cut by a fault")
        yield b""

    return Response(breaking(), headers={"Content-Length": "27"}, direct_passthrough=True)


def faulty_without_account(world: World, path: str) -> tuple[faults.Fault | None, Response | None]:
    """For the token calls: the fault, and the answer if it takes the place of the work."""
    fault = faults.take(world, path, None)
    try:
        return fault, None if fault is None else _faulty(fault)
    except Refusal as refusal:
        return fault, refuse(world, refusal)


def read_json(raw: bytes, on_escapes: int) -> dict[str, Any]:
    if not raw.strip():
        raise Refusal(44002)
    if b"\\u" in raw and ESCAPED.search(raw):  # the pattern alone is slow on 10,000 openids
        raise Refusal(on_escapes)
    try:
        body = strict.read_json(raw)
    except ValueError:
        raise Refusal(47001) from None
    if not isinstance(body, dict):
        raise Refusal(47001)
    return body


def _is_json(done: Answer) -> TypeGuard[dict[str, Any]]:
    return not isinstance(done, Response)


def _faulty(fault: faults.Fault, told: Mapping[str, Any] | None = None) -> Response | None:
    """What stands in the place of the answer. `told`: what an error code says besides, once the work is done."""
    if fault.delay_ms:
        time.sleep(fault.delay_ms / 1000)
    if fault.status is not None:
        return Response("<html><body>gateway trouble</body></html>", fault.status, content_type="text/html")
    if fault.errcode is not None:
        raise Refusal(fault.errcode, **(told or {}))
    return None


def _asked(world: World, account: Account, call: Call, request: Request) -> Asked:
    body: dict[str, Any] = {}
    file = None
    if call.takes == "file":
        file = request.files.get("media")
    elif call.method == "POST":
        body = read_json(request.get_data(), call.on_escapes)
        for name in call.fields:
            if name not in body:
                raise Refusal(47003, f"argument invalid! missing {name}")
    return Asked(
        world=world,
        account=account,
        query=request.args,
        body=body,
        file=file,
        form=request.form if call.takes == "file" else {},
        now=world.clock.now(),
        base_url=request.host_url.rstrip("/"),
        ip=request.remote_addr or "",
    )

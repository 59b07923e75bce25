"""How the calls under /sim/ read what they are asked, and say in a sentence what is wrong with it."""

import sqlite3
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from bot.simulator import accounts, followers, strict
from bot.simulator.accounts import Account
from bot.simulator.world import World

Asked = TypeVar("Asked", bound=BaseModel)


class Unusable(Exception):
    """A sentence for whoever wrote the test, and the HTTP status."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def read_object() -> dict[str, Any]:
    # Only real JSON requests: a page elsewhere cannot send one without asking the browser first.
    if not request.is_json:
        raise Unusable("Send a JSON object with the content type application/json.")
    try:
        body = strict.read_json(request.get_data())
    except ValueError as error:
        raise Unusable(f"That is no JSON: {error}.") from None
    if not isinstance(body, dict):
        raise Unusable("Send a JSON object, as in {…}.")
    return body


def read(model: type[Asked]) -> Asked:
    return model.model_validate(read_object())


def find_account(world: World, name: str) -> Account:
    with world.store.reading() as db:
        account = accounts.find(db, name)
    if account is None:
        raise Unusable(f"There is no account “{name}”.", 404)
    return account


def check_follower(db: sqlite3.Connection, account: Account, openid: str) -> None:
    if followers.find(db, account.account, openid) is None:
        raise Unusable(f"{account.account} has no follower {openid}.", 404)


def explain(error: Unusable) -> tuple[dict[str, Any], int]:
    return {"error": str(error)}, error.status


def explain_field(error: ValidationError) -> tuple[dict[str, Any], int]:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return {"error": f"{place}: {message}." if place else f"{message[0].upper()}{message[1:]}."}, 400

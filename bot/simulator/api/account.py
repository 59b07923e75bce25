"""Calls about the account as a whole: server addresses and quotas."""

from typing import Any

from bot.simulator.accounts import Account
from bot.simulator.api import quotas
from bot.simulator.api.calls import OK, Asked, Call
from bot.simulator.errors import Refusal
from bot.simulator.permissions import Allowed
from bot.simulator.world import World

CLEARS_A_MONTH = 10


def callback_ips(asked: Asked) -> dict[str, Any]:
    return {"ip_list": ["127.0.0.1", "101.226.103.0/25"]}


def clear(asked: Asked) -> dict[str, Any]:
    if asked.body["appid"] != asked.account.appid:
        raise Refusal(40013)
    clear_quota(asked.world, asked.account)
    return OK


def clear_quota(world: World, account: Account) -> None:
    """Give all calls of the day back; ten times a month."""
    month = f"quota_cleared:{account.account}:{world.clock.month()}"
    with world.store.writing() as db:
        row = db.execute("SELECT value FROM serials WHERE name = ?", (month,)).fetchone()
        if row and row[0] >= CLEARS_A_MONTH:
            raise Refusal(48006)
        db.execute("INSERT INTO serials VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", (month,))
        quotas.clear(db, account.account, world.clock.day())


CALLS = (
    Call("/cgi-bin/getcallbackip", callback_ips, method="GET", allowed=Allowed.ALL),
    Call("/cgi-bin/get_api_domain_ip", callback_ips, method="GET", allowed=Allowed.ALL),
    Call("/cgi-bin/clear_quota", clear, allowed=Allowed.ALL, fields=("appid",)),
)

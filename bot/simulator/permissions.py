"""Which kinds of account may use which call; the others are answered 48001."""

from enum import Enum

from bot.simulator.accounts import Account


class Allowed(Enum):
    """(subscription, verified subscription, service, verified service)"""

    ALL = (True, True, True, True)
    MENUS = (False, True, True, True)
    VERIFIED = (False, True, False, True)
    VERIFIED_SERVICE = (False, False, False, True)

    def includes(self, account: Account) -> bool:
        return bool(self.value[2 * (account.kind == "service") + account.verified])

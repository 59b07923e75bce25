"""What a handler is given: one message, who wrote it, and the transaction everything happens in."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from bot.services import rule_books, rules
from bot.services.accounts import CallbackAccount
from bot.services.folding import fold
from bot.services.matching import CompiledRule, RuleBook
from bot.services.messages import Writer
from bot.wechat.messages import Message, Reply


@dataclass
class Incoming:
    """A handler looks, changes through services with ``session``, and returns replies or None."""

    connection: Connection
    account: CallbackAccount
    writer: Writer
    message: Message
    now: datetime
    trace: list[dict[str, Any]] = field(default_factory=list)  # kept with the message: who said what
    rule_id: int | None = None
    question: str = ""  # for the assistant: it is asked once the message has its row

    @cached_property
    def session(self) -> Session:
        """For what is rare: an ORM session in the same transaction (it costs more than the rest of a message)."""
        return Session(self.connection, join_transaction_mode="rollback_only", expire_on_commit=False)

    @cached_property
    def folded(self) -> str:
        """The text, as the account's words are compared with it."""
        return fold(self.message.text)

    @property
    def book(self) -> RuleBook:
        """The account's rules, as of this transaction."""
        return rule_books.current(self.connection, self.account.id, self.writer.rules_version)

    def note(self, handler: str, why: str, **details: Any) -> None:
        """Add a line to the trace."""
        self.trace.append({"handler": handler, "why": why, **details})

    def answer_with(self, handler: str, candidates: list[CompiledRule]) -> list[Reply] | None:
        """What the first rule whose conditions hold says; None when there is none."""

        def passed_over(rule: CompiledRule, why: str) -> None:
            self.note(handler, why, rule=rule.id, title=rule.title)

        rule = rules.first_to_answer(
            self.connection, candidates, self.writer.id, self.account.timezone, self.now, passed_over
        )
        if rule is None:
            return None
        self.rule_id = rule.id
        self.note(handler, "It answers.", rule=rule.id, title=rule.title)
        return rules.replies_of(rule, self._variables)

    def _variables(self) -> dict[str, str]:
        local = self.now.astimezone(ZoneInfo(self.account.timezone))
        return {
            "nickname": self.writer.nickname,
            "account": self.account.title,
            "date": local.strftime("%Y-%m-%d"),
            "time": local.strftime("%H:%M"),
        }

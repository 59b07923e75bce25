from collections.abc import Callable

import pytest
from sqlalchemy import select

from bot.database import reading
from models import InboundMessage, Send
from tests.flows.phone import Phone


@pytest.fixture
def account(create):
    return create.account(title="小店")


@pytest.fixture
def phone(account, client, redis) -> Phone:
    return Phone(account, client)


@pytest.fixture
def sent(database_url) -> Callable[[], list[str]]:
    """Texts of the customer-service messages that follow, in order."""

    def sent() -> list[str]:
        with reading() as session:
            rows = session.scalars(select(Send).order_by(Send.id))
            return [send.reply.get("text", send.reply["kind"]) for send in rows]

    return sent


@pytest.fixture
def last(database_url) -> Callable[[], InboundMessage]:
    """The row of the newest message."""

    def last() -> InboundMessage:
        with reading() as session:
            return session.scalars(select(InboundMessage).order_by(InboundMessage.id.desc())).first()

    return last

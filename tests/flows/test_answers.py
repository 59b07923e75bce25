"""A follower writes, the account answers: simulator, HTTP, ledger, handlers."""

import pytest
from sqlalchemy import func, select

from models import Follower, InboundMessage


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_answers_a_keyword_over_http(live, sim, create, session, mode):
    account = create.account(mode=mode)
    create.rule(account, "hello", "Hi {{nickname|friend}}!")
    sim.connect(account, live)
    openid = sim.follower(account)

    told = sim.say(account, openid, "HELLO")

    assert told["reply"]["text"] == "Hi friend!"
    assert session.scalar(select(func.count(InboundMessage.id))) == 1
    assert session.scalars(select(Follower)).one().openid == openid

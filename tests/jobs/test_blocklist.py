"""Whoever is blocked here is blocked at WeChat, and the other way round."""

import pytest

from bot.database import reading
from bot.errors import Refused
from bot.services import blocklist, sends
from bot.wechat.messages import Text
from models import Send, SendStatus, TaskStatus


@pytest.fixture
def account(create, redis, sim):
    account = create.account()
    sim.connect(account, "http://127.0.0.1:9")
    return account


@pytest.mark.databases
def test_who_is_blocked_is_blocked_at_wechat_and_sent_nothing(desk, people, sim, account, session):
    waiting = sends.create(session, account.id, people[0].id, Text(text="hi")).id
    session.commit()
    ids = [one.id for one in people[:2]]
    assert desk.do(lambda session, account: blocklist.block(session, account, ids, "小美")) == 2
    assert desk.do(lambda session, account: blocklist.block(session, account, ids, "小美")) == 0
    desk.push()

    assert set(desk.ask("tags/members/getblacklist", begin_openid="")["data"]["openid"]) == {
        one.openid for one in people[:2]
    }
    with reading() as own:
        assert own.get_one(Send, waiting).status is SendStatus.FAILED
        with pytest.raises(Refused, match="blocklist"):
            sends.must_be_allowed(own, people[0].id)

    desk.do(lambda session, account: blocklist.unblock(session, account, ids[:1], "小美"))
    desk.push()
    assert desk.ask("tags/members/getblacklist", begin_openid="")["data"]["openid"] == [people[1].openid]


def test_the_blocklist_is_read_back(desk, people):
    desk.ask("tags/members/batchblacklist", openid_list=[people[3].openid])
    desk.do(lambda session, account: blocklist.block(session, account, [people[4].id], "x"))
    desk.push()
    desk.ask("tags/members/batchunblacklist", openid_list=[people[4].openid])
    desk.do(lambda session, account: blocklist.block(session, account, [people[5].id], "x"))  # not told yet
    desk.sim.wait(120)
    assert desk.sync().status is TaskStatus.DONE
    with reading() as session:
        blocked = {one.openid for one in blocklist.page(session, desk.account)}
    assert blocked == {people[3].openid, people[5].openid}

"""T10: what WeChat reports of our jobs, or somebody in its name."""

import pytest
from sqlalchemy import select

from models import InboundMessage
from tests.flows.phone import Post
from tests.test_webhook import MODES, kept, post
from tests.wechat.samples import sample


@pytest.mark.databases
@pytest.mark.parametrize("mode", MODES)
def test_t10_a_forged_report_is_kept_flagged_and_changes_nothing(client, create, session, mode):
    account = create.account(mode=mode)
    create.rule(account, trigger="default", reply="Hello")
    maker = Post(account)
    documents = [
        sample(name, "mphelper_0123", account.original_id, time).replace("<SentCount>75", "<SentCount>99999999")
        for time, name in enumerate(("mass_sent", "published", "publish_failed"))
    ]

    for document in documents * 3:
        assert post(client, *maker.sealed(document)).data == b"success"

    rows = session.scalars(select(InboundMessage)).all()
    assert [row.flag for row in rows] == ["unknown job"] * 3
    assert {row.follower_id for row in rows} == {None}
    assert kept("seen_signatures") == {"messages": 3}  # no follower, no window, no send, no task

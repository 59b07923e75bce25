import pytest

from bot.errors import NotFound, Refused
from bot.services import tags


@pytest.fixture
def account(create):
    return create.account()


def test_a_tag_is_made_once(account, create, session):
    tag = tags.find_or_add(session, account, " VIP ")

    assert tags.find_or_add(session, account, "VIP") is tag
    assert tags.list_all(session, account) == [tag]
    assert tags.list_all(session, create.account("theirs")) == []


@pytest.mark.parametrize("name", ["", " ", "x" * 31, "十" * 11, "黑名单"])
def test_a_tag_has_a_name_that_wechat_takes(account, session, name):
    with pytest.raises(Refused) as caught:
        tags.add(session, account, name)

    assert caught.value.field == "name"


def test_another_accounts_follower_is_not_tagged_and_nobody_else_is(account, create, session):
    tag = tags.add(session, account, "VIP")
    session.commit()
    mine, theirs = create.follower(account), create.follower(create.account("theirs"))
    with pytest.raises(NotFound):
        tags.give(session, account, tag, [mine.id, theirs.id], "x")
    assert mine.tags == []


def test_wechats_own_tag_is_not_changed(account, session):
    tag = tags.add(session, account, "Starred")
    tag.wechat_id = 2
    for change in (lambda: tags.rename(session, account, tag, "x"), lambda: tags.delete(session, account, tag)):
        with pytest.raises(Refused, match="own tags"):
            change()

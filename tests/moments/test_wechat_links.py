"""Who is whom in WeChat: one member for one person of an account, however many tabs ask at once."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.database import database, reading, transaction
from bot.errors import Conflict
from bot.moments import members, wechat_links
from models import Member, WechatLink


@pytest.fixture
def first(database_url: str) -> Iterator[Session]:
    with Session(database().write, expire_on_commit=False) as session:
        yield session


def members_there() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Member)) or 0


@pytest.mark.databases
def test_two_tabs_that_come_back_at_once_are_one_member(create, first):
    account = create.account()
    found: list[tuple[int, bool]] = []

    def come_too() -> None:
        with transaction() as session:
            member, is_new = wechat_links.enter(session, account.id, "o1", "小美")
            found.append((member.id, is_new))

    member, is_new = wechat_links.enter(first, account.id, "o1", "小美")
    other = threading.Thread(target=come_too)
    other.start()
    other.join(0.5)  # it has looked, found nobody, and waits for the first to end
    assert found == []
    first.commit()
    other.join(10)

    assert (is_new, found) == (True, [(member.id, False)])
    assert members_there() == 1


@pytest.mark.databases
def test_without_the_second_look_the_other_tab_would_fail(create, first):
    """The control: what two tabs do at once does meet at the same row, and only one of them can make it."""
    account = create.account()
    wechat_links.enter(first, account.id, "o1", "")
    first.commit()

    def make_another() -> None:
        with transaction() as session:
            member = members.add(session, "another", "Another")
            session.add(WechatLink(member_id=member.id, account_id=account.id, openid="o1"))

    with pytest.raises(IntegrityError):
        make_another()
    assert members_there() == 1


@pytest.mark.parametrize(
    ("nickname", "name"),
    [(" 小美\u202e\n ", "小美"), ("x" * 40, "x" * 32), ("", None), ("\u200b", None)],
)
def test_whatever_they_call_themselves_makes_a_name(create, session, nickname, name):
    member, _is_new = wechat_links.enter(session, create.account().id, "o1", nickname)
    assert member.name == (name or member.handle)


def test_a_member_is_one_person_of_an_account_and_may_be_one_of_another_too(create, session):
    shop, cafe = create.account("shop"), create.account("cafe")
    mei, lan = members.add(session, "mei", "Mei"), members.add(session, "lan", "Lan")
    for account, openid in ((shop, "o1"), (shop, "o2"), (cafe, "o1")):
        wechat_links.link(session, mei, account.id, openid)
    assert [(link.openid, account.slug) for link, account in wechat_links.of(session, mei)] == [
        ("o2", "shop"), ("o1", "cafe"),
    ]  # fmt: skip
    assert wechat_links.find(session, shop.id, "o1") is None
    with pytest.raises(Conflict):
        wechat_links.link(session, lan, shop.id, "o2")


def test_what_is_erased_with_a_member_or_an_account(create, session):
    account = create.account()
    mei, _is_new = wechat_links.enter(session, account.id, "o1", "Mei")
    session.delete(mei)
    session.flush()
    assert wechat_links.find(session, account.id, "o1") is None
    wechat_links.enter(session, account.id, "o1", "Mei")
    session.delete(account)
    session.flush()
    assert session.scalar(select(func.count()).select_from(WechatLink)) == 0
    assert session.scalar(select(func.count()).select_from(Member)) == 1


def test_the_export_names_ones_links(create, join):
    account = create.account()
    create.session.commit()
    ann = join("ann")
    with transaction() as session:
        wechat_links.link(session, session.get_one(Member, ann.member_id), account.id, "o1")

    (link,) = ann.get("/me/export").json["wechat"]
    assert (link["account"], link["openid"]) == (account.slug, "o1")

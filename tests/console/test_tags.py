"""The tags page and a follower's tags, as an operator works with them."""

import pytest
from sqlalchemy import select

from bot.services import tag_pushes, tags
from models import AutoTag, Follower, PushAction, Tag, TagPush, Trigger
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse


def test_a_tag_is_added_renamed_and_deleted(browser: Browser, house: TeaHouse) -> None:
    assert browser.send("/tea-house/tags", name="新客").status_code == 302
    tag = browser.session.scalars(select(Tag).where(Tag.name == "新客")).one()
    assert "新客" in browser.open("/tea-house/tags").text
    browser.send(f"/tea-house/tags/{tag.id}/rename", name="老客")
    assert "The tag is now “老客”." in browser.open("/tea-house/tags").text
    browser.send(f"/tea-house/tags/{tag.id}/delete")
    assert browser.session.scalars(select(Tag).where(Tag.name == "老客")).first() is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("会员", "There is a tag “会员” already."),
        ("一二三四五六七八九十一", "A tag&#39;s name takes 1 to 30 bytes"),
        ("星标组", "WeChat keeps “星标组” for itself"),
    ],
)
def test_a_name_that_wechat_would_refuse_is_refused_before(
    browser: Browser, house: TeaHouse, name: str, sentence: str
) -> None:
    answer = browser.send("/tea-house/tags", name=name)
    assert answer.status_code in (409, 422)
    assert sentence in answer.text
    assert f'value="{name}"' in answer.text


def test_the_hundredth_and_first_tag_is_refused(browser: Browser, house: TeaHouse) -> None:
    browser.session.add_all([Tag(account_id=house.account.id, name=f"t{at}") for at in range(97)])
    browser.session.commit()
    assert "An account has 100 tags at most" in browser.send("/tea-house/tags", name="x").text


def test_a_follower_is_tagged_untagged_and_blocked(browser: Browser, house: TeaHouse) -> None:
    person = house.people[1]
    browser.send(f"/tea-house/followers/{person.id}/tags", tag="常客")
    page = browser.open(f"/tea-house/followers/{person.id}").text
    assert "Take “常客” away" in page
    browser.send(f"/tea-house/followers/{person.id}/tags/{house.tags[1].id}/remove")
    assert "No tags yet." in browser.open(f"/tea-house/followers/{person.id}").text
    browser.send(f"/tea-house/followers/{person.id}/block", on="1")
    assert "Let them write again" in browser.open(f"/tea-house/followers/{person.id}").text
    browser.session.expire_all()
    assert browser.session.get_one(Follower, person.id).blocked_at
    pushes = browser.session.scalars(select(TagPush).where(TagPush.follower_id == person.id, TagPush.done_at.is_(None)))
    assert [push.action for push in pushes] == [PushAction.BLOCK]


def test_the_twenty_first_tag_of_a_follower_is_refused(browser: Browser, house: TeaHouse) -> None:
    made = [Tag(account_id=house.account.id, name=f"t{at}", wechat_id=200 + at) for at in range(20)]
    house.people[1].tags.extend(made)
    browser.session.commit()
    browser.send(f"/tea-house/followers/{house.people[1].id}/tags", tag="常客")
    assert "has 20 tags, the most WeChat keeps" in browser.open(f"/tea-house/followers/{house.people[1].id}").text


def test_several_are_tagged_at_once(browser: Browser, house: TeaHouse) -> None:
    ids = [str(person.id) for person in house.people[3:6]]
    browser.send("/tea-house/followers/tag", ids=ids, tag="常客")
    assert "“常客” was given to 3 followers." in browser.open("/tea-house/tags").text
    browser.send("/tea-house/followers/tag", ids=ids[:1], tag="常客", do="remove")
    assert "“常客” was taken from one follower." in browser.open("/tea-house/tags").text
    assert browser.send("/tea-house/followers/tag", tag="常客").status_code == 422


def test_a_tag_is_given_by_itself_and_a_new_one_made_on_the_way(browser: Browser, house: TeaHouse) -> None:
    sent = {"trigger": "scan", "mode": "contains", "pattern": "shop-", "tag": "门店"}
    browser.send("/tea-house/tags/auto", **sent)
    auto = browser.session.scalars(select(AutoTag).order_by(AutoTag.id.desc())).first()
    assert (auto.trigger, auto.pattern) == (Trigger.SCAN, "shop-")
    browser.send(f"/tea-house/tags/auto/{auto.id}/switch", on="0")
    browser.session.expire_all()
    assert not auto.is_enabled
    answer = browser.send("/tea-house/tags/auto", **{**sent, "pattern": "(", "mode": "regex"})
    assert answer.status_code == 422
    assert "This pattern cannot be used" in answer.text


def test_what_wechat_refused_is_told_and_tried_again(browser: Browser, house: TeaHouse) -> None:
    session = browser.session
    tags.give(session, house.account, house.tags[0], [house.people[1].id], "x")
    row = session.scalars(select(TagPush).where(TagPush.follower_id == house.people[1].id)).one()
    row.error = "The follower has 20 tags, which is the most."
    session.commit()
    page = browser.open("/tea-house/tags").text
    assert "WeChat did not take everything" in page
    assert "“会员” for one follower:" in page
    browser.send("/tea-house/tags/problems")
    session.expire_all()
    assert tag_pushes.problems(session, house.account) == []


def test_a_tag_that_a_rule_asks_for_stays(browser: Browser, house: TeaHouse) -> None:
    house.rules[0].tag_id = house.tags[0].id
    browser.session.commit()
    answer = browser.send(f"/tea-house/tags/{house.tags[0].id}/delete")
    assert answer.status_code == 422
    assert "answers only followers with this tag" in answer.text

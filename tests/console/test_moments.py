"""The operators' door to Moments: what was reported, by its kind only until it is opened, and what is decided."""

import pytest
from sqlalchemy import select

from models import AuditRecord, Comment, Member, MemberStatus, Post, Role, StaffView
from tests.console.conftest import Browser
from tests.console.moments_samples import reported
from tests.factories import Create


@pytest.fixture
def cases(create: Create) -> dict[str, int]:
    return reported(create.session)


def actions(create: Create) -> list[tuple[str, str]]:
    create.session.expire_all()
    query = select(AuditRecord.action, AuditRecord.detail).where(AuditRecord.action.startswith("moments."))
    return [(action, detail) for action, detail in create.session.execute(query.order_by(AuditRecord.id))]


def test_the_queue_shows_nothing_of_what_was_written(browser: Browser, create: Create, cases: dict[str, int]) -> None:
    page = browser.open("/moments").text
    assert f"Post #{cases['post']}" in page
    assert "Insult or hate × 2" in page
    assert "爬山" not in page
    assert "日赚" not in page
    assert "Post" not in browser.open("/moments?state=held").text.replace(f"Post #{cases['held']}", "")
    assert create.session.scalars(select(StaffView)).all() == []


def test_opening_a_case_is_told_to_its_writer_and_the_log(
    browser: Browser, create: Create, cases: dict[str, int]
) -> None:
    page = browser.open(f"/moments/cases/{cases['post']}").text
    assert "日赚三千" in page
    assert "她让我先转钱。" in page
    assert "for some friends" in page
    assert "王俊" not in page  # neither the reader it was for nor who reported it
    assert "jun" not in page
    (view,) = create.session.scalars(select(StaffView)).all()
    assert (view.writer_id, view.who) == (cases["mei"], "owner")
    assert actions(create) == [("moments.look", f"case {cases['post']}")]


def test_a_comment_is_shown_without_its_post(browser: Browser, cases: dict[str, int]) -> None:
    page = browser.open(f"/moments/cases/{cases['comment']}").text
    assert "就你这样" in page
    assert "今天去爬山了" not in page


def test_photos_load_after_looking(browser: Browser, cases: dict[str, int]) -> None:
    photo = f"/moments/cases/{cases['post']}/media/{cases['photo']}/thumb"
    assert browser.open(photo).status_code == 404
    assert photo in browser.open(f"/moments/cases/{cases['post']}").text
    answer = browser.open(photo)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert browser.open(photo.replace(f"/{cases['post']}/", f"/{cases['comment']}/")).status_code == 404


def test_holding_needs_a_reason_and_loses_no_word(browser: Browser, create: Create, cases: dict[str, int]) -> None:
    refused = browser.send(f"/moments/cases/{cases['post']}/hold", reason="", words="请删除")
    assert refused.status_code == 422
    assert "Choose a reason; the writer reads it." in refused.text
    assert "请删除" in refused.text
    refused = browser.send(f"/moments/cases/{cases['post']}/hold", reason="fraud", words="长" * 201)
    assert (refused.status_code, "Write at most 200 characters." in refused.text) == (422, True)
    held = browser.send(f"/moments/cases/{cases['post']}/hold", reason="fraud", words="请删除")
    assert held.headers["Location"] == "/console/moments"
    post = create.session.scalars(select(Post).where(Post.body.startswith("日赚"))).one()
    assert (post.is_held, post.hold_reason, post.hold_words) == (True, "fraud", "请删除")
    assert actions(create)[-1] == ("moments.hold", f"case {cases['post']}")


def test_a_case_is_decided_once(browser: Browser, create: Create, cases: dict[str, int]) -> None:
    one = f"/moments/cases/{cases['held']}"
    assert browser.send(f"{one}/dismiss").status_code == 409  # it is held
    assert browser.send(f"{one}/release").status_code == 302
    assert browser.send(f"{one}/release").status_code == 404
    assert browser.open(one).status_code == 404
    assert browser.send(f"/moments/cases/{cases['comment']}/hold", reason="insult").status_code == 302
    rude = create.session.scalars(select(Comment)).one()
    assert rude.hold_reason == "insult"


def test_a_member_is_suspended_and_let_back(browser: Browser, create: Create, cases: dict[str, int]) -> None:
    assert "End the suspension of 魏来" in browser.open("/moments").text
    address = f"/moments/members/{cases['wei']}/suspension"
    browser.send(address, on="0")
    assert create.session.get_one(Member, cases["wei"]).status is MemberStatus.ACTIVE
    browser.send(address, on="1")
    assert create.session.get_one(Member, cases["wei"]).status is MemberStatus.SUSPENDED
    assert actions(create) == [("moments.release_member", "wei"), ("moments.suspend", "wei")]


def test_whoever_owns_one_account_does_not_moderate(stranger: Browser, create: Create, cases: dict[str, int]) -> None:
    from bot.services import operators

    account = create.account("shop")
    someone = create.operator("someone", role=Role.OWNER, account=account)
    stranger.sign_in(operators.sign_in(create.session, someone, "x"))
    create.session.commit()
    assert "/console/moments" not in stranger.open("/shop/").text
    assert "/console/moments" not in stranger.open("/accounts").text
    for path in ("/moments", f"/moments/cases/{cases['post']}"):
        assert stranger.open(path).status_code == 403


def test_its_records_read_well(browser: Browser, create: Create, cases: dict[str, int]) -> None:
    create.account("shop")
    create.session.commit()
    browser.open(f"/moments/cases/{cases['post']}")
    page = browser.open("/shop/audit?kind=moments").text
    assert "Looked at what was reported" in page
    browser.language = "zh"
    assert "查看了被举报的内容" in browser.open("/shop/audit?kind=moments").text

"""Signing in through WeChat, from the button to the feed, with the simulator in between."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from bot import settings
from bot.database import reading, transaction
from bot.moments import members
from bot.moments.api.contract import COOKIE, HEADER
from bot.moments.api.wechat import REMEMBERED
from models import Account, Base, WechatLink
from tests.moments_pages.people import words
from tests.moments_pages.wechat import WechatPhone

TOKEN = "/sns/oauth2/access_token"
OURS = {"members", "member_sign_ins", "wechat_links"}


@pytest.fixture
def home(live, monkeypatch) -> str:
    monkeypatch.setenv("LOBBY_BASE_URL", live)
    settings.settings.cache_clear()
    return live


@pytest.fixture
def shop(create, sim, home) -> Account:
    account = create.account("shop", title="Tea", signs_members_in=True)
    sim.connect(account, home, web_domain="127.0.0.1")
    return account


@pytest.fixture
def phone(sim, shop, home) -> Callable[..., WechatPhone]:
    return lambda **values: WechatPhone(sim, shop, home, **values)


def calls(sim, path: str) -> int:
    return int(sim.get("ledger", account="shop")["calls"].get(path, 0))


def said(answer: requests.Response) -> str:
    return words(answer)  # type: ignore[arg-type]  # both have a text


def member(handle: str, password: str = "a short sentence") -> None:
    with transaction() as session:
        members.join(session, handle, handle.title(), password)


def linked() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(WechatLink)) or 0


def come_in(phone: WechatPhone, handle: str) -> None:
    assert phone.press("/sign-in", handle=handle, password="a short sentence").status_code == 302


def test_whoever_is_new_becomes_a_member_and_is_found_again(sim, phone):
    mei = phone()
    page = mei.sign_in()
    assert page.ok
    first = mei.me()
    assert (first["name"], first["handle"][:3]) == ("小美", "wx-")
    assert f"@{first['handle']}" in said(page)
    assert REMEMBERED not in mei.http.cookies

    again = phone()
    again.sign_in()
    assert again.me()["handle"] == first["handle"]
    assert (calls(sim, TOKEN), calls(sim, "/sns/userinfo")) == (2, 1)  # the name is asked for once
    other = phone(name="大山")
    other.sign_in()
    assert other.me()["handle"] != first["handle"]


def test_a_code_is_good_once(sim, phone):
    mei = phone()
    address = mei.decide(mei.begin())
    kept = mei.http.cookies[REMEMBERED]
    assert mei.follow(address).ok
    mei.http.cookies.clear()
    gone = mei.follow(address)
    assert (gone.status_code, "Begin again" in said(gone)) == (422, True)
    mei.http.cookies.set(REMEMBERED, kept, path="/moments")
    replayed = mei.follow(address)
    assert replayed.status_code == 422
    assert "was used before" in said(replayed)
    assert mei.me() is None


def test_another_browsers_answer_signs_nobody_in(sim, phone):
    """Somebody sends their own answer to another, to see what that one then posts under their name."""
    mei, lan = phone(), phone(name="兰")
    address = mei.decide(mei.begin())
    lan.begin()
    answer = lan.follow(address)
    assert (answer.status_code, "another browser" in said(answer)) == (422, True)
    assert (lan.me(), calls(sim, TOKEN)) == (None, 0)  # and WeChat was not asked: the code is good still
    lan.http.cookies.set(REMEMBERED, mei.http.cookies[REMEMBERED][:-6] + "AAAAAA", path="/moments")
    assert lan.follow(address).status_code == 422
    assert mei.follow(address).ok
    assert mei.me()


def test_nobody_is_led_to_another_host(phone, home):
    mei = phone()
    address = mei.begin(next="https://evil.example/")
    evil = address.replace(home.replace(":", "%3A").replace("/", "%2F"), "https%3A%2F%2Fevil.example")
    assert evil != address
    assert "10003" in requests.get(evil.partition("#")[0], timeout=30).text
    page = mei.follow(mei.decide(address))
    assert page.url == f"{home}/moments/"

    mei.http.headers["Host"] = "evil.example"
    assert "evil.example" not in mei.begin()
    assert "evil.example" not in mei.begin(next="//evil.example")


def test_who_says_no_is_not_signed_in(sim, phone):
    mei = phone()
    answer = mei.follow(mei.decide(mei.begin(), "refuse"))
    assert (answer.status_code, "did not allow WeChat" in said(answer)) == (422, True)
    assert (mei.me(), calls(sim, TOKEN)) == (None, 0)


def test_in_wechats_preview_nobody_is_real(phone):
    mei = phone(language="zh")
    answer = mei.follow(mei.decide(mei.begin(), "snapshot"))
    assert (answer.status_code, "使用完整服务" in said(answer)) == (422, True)
    assert mei.me() is None


@pytest.mark.parametrize(("seconds", "sentence"), [(301, "five minutes late"), (601, "more than ten minutes ago")])
def test_who_comes_late_begins_again(sim, phone, seconds, sentence):
    mei = phone()
    address = mei.decide(mei.begin())
    sim.wait(seconds)
    answer = mei.follow(address)
    assert (answer.status_code, sentence in said(answer)) == (422, True)
    assert mei.me() is None


@pytest.mark.parametrize("trouble", [{"errcode": -1}, {"status": 502}, {"cut": "request"}])
@pytest.mark.parametrize("path", [TOKEN, "/sns/userinfo"])
def test_while_wechat_is_down_one_sentence_says_so(sim, phone, trouble, path):
    mei = phone()
    address = mei.decide(mei.begin())
    sim.post("faults", path=path, times=1, **trouble)
    answer = mei.follow(address)
    assert answer.status_code == 503
    assert "WeChat does not answer just now. Nothing is lost; begin again in a minute." in said(answer)
    assert mei.me() is None
    assert mei.sign_in().ok
    assert mei.me()


def test_where_the_account_is_set_up_wrongly_the_log_says_why(sim, shop, phone, caplog):
    mei = phone()
    address = mei.decide(mei.begin())
    sim.post("accounts", account="shop", secret="another")
    answer = mei.follow(address)
    assert (answer.status_code, "the reason in the log" in said(answer)) == (503, True)
    assert "40125" in caplog.text
    assert mei.openid not in caplog.text


def test_an_account_signs_in_only_while_it_is_switched_on(session, shop, phone):
    mei = phone()
    address = mei.decide(mei.begin())
    shop.signs_members_in = False
    session.commit()
    assert "Sign in through WeChat" not in mei.open("/sign-in").text
    assert mei.press("/sign-in/wechat/shop").status_code == 404
    assert mei.press("/sign-in/wechat/none").status_code == 404
    assert "Nobody signs in through this account" in said(mei.follow(address))
    assert mei.me() is None


def test_the_accounts_side_learns_nothing(phone):
    mei = phone()

    def all_but_ours() -> dict[str, list[Any]]:
        tables = [table for table in Base.metadata.sorted_tables if table.name not in OURS]
        with reading() as session:
            return {table.name: list(session.execute(select(table))) for table in tables}

    before = all_but_ours()
    mei.sign_in()
    come_back = phone()
    come_back.sign_in()
    assert all_but_ours() == before
    assert mei.me()  # they are in
    follower_side = {key.column.table.name for key in WechatLink.__table__.foreign_keys}
    assert follower_side == {"members", "accounts"}  # nothing to follow from a follower to a member


def test_a_member_links_wechat_and_unlinks_it(phone):
    member("mei")
    mei, other = phone(), phone(name="兰")
    come_in(mei, "mei")
    assert "Linked" in said(mei.sign_in("/account"))
    come = phone()
    come.sign_in()
    assert come.me()["handle"] == "mei"

    member("lan")
    other.openid = mei.openid
    come_in(other, "lan")
    refused = other.sign_in("/account")
    assert (refused.status_code, "belongs to another member" in said(refused)) == (409, True)

    (link,) = come.open("/api/v1/me/wechat").json()["items"]
    assert (link["account"], link["title"]) == ("shop", "Tea")
    assert other.press(f"/account/wechat/{link['id']}/end", "/account").status_code == 302  # not theirs: nothing ends
    assert linked() == 1
    assert mei.press(f"/account/wechat/{link['id']}/end", "/account").status_code == 302
    gone = phone()
    gone.sign_in()
    assert gone.me()["handle"] != "mei"


def test_the_only_way_in_is_not_taken_away(phone):
    mei = phone()
    mei.sign_in()
    (link,) = mei.open("/api/v1/me/wechat").json()["items"]
    refused = mei.press(f"/account/wechat/{link['id']}/end", "/account")
    assert (refused.status_code, "Choose a password first" in said(refused)) == (422, True)
    assert mei.press("/account/password", "/account", new="a short sentence").status_code == 302
    assert mei.press(f"/account/wechat/{link['id']}/end", "/account").status_code == 302
    assert mei.open("/api/v1/me/wechat").json() == {"items": []}


def test_a_link_is_not_made_for_whoever_signed_in_meanwhile(phone):
    member("mei")
    member("lan")
    mei = phone()
    come_in(mei, "mei")
    address = mei.decide(mei.begin("/account"))
    kept = mei.http.cookies[REMEMBERED]
    mei.http.cookies.clear()
    come_in(mei, "lan")
    mei.http.cookies.set(REMEMBERED, kept, path="/moments")
    answer = mei.follow(address)
    assert (answer.status_code, "Somebody else" in said(answer)) == (422, True)
    assert linked() == 0


def test_the_page_may_lead_to_wechat_and_no_other_page_may(sim, phone):
    mei = phone()
    allowed = f"form-action 'self' {sim.address};"
    assert allowed in mei.open("/sign-in").headers["Content-Security-Policy"]
    mei.sign_in()
    assert allowed in mei.open("/account").headers["Content-Security-Policy"]
    assert "form-action 'self';" in mei.open("/privacy").headers["Content-Security-Policy"]


def test_a_program_does_the_same(sim, phone):
    mei = phone()
    base = f"{mei.home}/moments/api/v1"
    assert mei.http.get(f"{base}/sign-in/wechat").json() == {"items": [{"account": "shop", "title": "Tea"}]}
    began = mei.http.post(f"{base}/sign-in/wechat", json={"account": "shop"}).json()["address"]
    query = dict(part.split("=") for part in mei.decide(began).partition("?")[2].split("&"))
    foreign = mei.http.post(f"{base}/sign-in/wechat/finish", json={**query, "state": "0" * 32})
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (422, "invalid")
    finished = mei.http.post(f"{base}/sign-in/wechat/finish", json=query)
    assert finished.json()["name"] == "小美"
    assert COOKIE in mei.http.cookies
    assert REMEMBERED not in mei.http.cookies

    (link,) = mei.http.get(f"{base}/me/wechat").json()["items"]
    again = mei.http.post(f"{base}/me/wechat", json={"account": "shop"}, headers={HEADER: "1"}).json()["address"]
    query = dict(part.split("=") for part in mei.decide(again).partition("?")[2].split("&"))
    assert mei.http.post(f"{base}/sign-in/wechat/finish", json=query).json()["handle"] == finished.json()["handle"]
    assert mei.http.delete(f"{base}/me/wechat/{link['id']}", headers={HEADER: "1"}).status_code in (204, 422)
    assert len(mei.http.get(f"{base}/me/wechat").json()["items"]) == 1

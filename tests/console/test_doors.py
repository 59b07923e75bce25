"""No page without a policy, no change without a form of ours."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bot import console
from bot.console import blueprint as door
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse

VALUES = {
    "account": "tea-house",
    "rule_id": 1,
    "number": 1,
    "follower_id": 1,
    "conversation_id": 1,
    "sign_in_id": 1,
    "takeover_id": 1,
    "version_id": 1,
    "menu_id": 1,
    "operator_id": 1,
    "token_id": 1,
    "tag_id": 1,
    "auto_tag_id": 1,
    "segment_id": 1,
    "campaign_id": 1,
    "stage_id": 1,
    "field_id": 1,
    "note_id": 1,
    "label_id": 1,
    "canned_id": 1,
    "source_id": 1,
    "answer_id": 1,
    "case_id": 1,
    "member_id": 1,
    "media_id": 1,
    "part": "thumb",
    "secret": "x",
    "name": "console.css",
    "unknown": "a/b",
}


def routes(app: Flask, method: str) -> list[str]:
    """An address for each of the console's routes that takes this method."""
    urls = app.url_map.bind("localhost")
    return [
        urls.build(rule.endpoint, {name: VALUES[name] for name in rule.arguments}, method=method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.") and method in (rule.methods or ())
    ]


def test_every_route_declares_a_policy(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("console."):
            assert door.policy_of(app, rule.endpoint) in door.POLICIES, rule.endpoint


def test_a_route_without_a_policy_stops_the_start(app: Flask) -> None:
    fresh = Flask("careless")
    fresh.add_url_rule("/console/careless", "console.careless", lambda: "open")
    with pytest.raises(RuntimeError, match=r"console\.careless declares no policy"):
        console.register(fresh)


def test_a_stranger_is_led_to_the_sign_in(app: Flask, house: TeaHouse) -> None:
    client = app.test_client()
    public = ("/console/sign-in", "/console/static/", "/console/a/b")
    for path in routes(app, "GET"):
        answer = client.get(path)
        if path.startswith(public):
            assert answer.status_code in (200, 404, 410), path
        else:
            assert answer.status_code == 302, path
            assert answer.headers["Location"].startswith("/console/sign-in?next="), path
        assert "Content-Security-Policy" in answer.headers


def test_every_change_needs_the_token(app: Flask, browser: Browser, house: TeaHouse) -> None:
    posts = routes(app, "POST")
    assert len(posts) > 15
    for path in posts:
        assert browser.client.post(path).status_code == 400, path
        assert browser.client.post(path, data={"csrf_token": "forged"}).status_code == 400, path


def test_every_change_refuses_another_sites_page(app: Flask, browser: Browser, house: TeaHouse) -> None:
    token = browser.token()
    for path in routes(app, "POST"):
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            assert browser.client.post(path, data={"csrf_token": token}, headers=headers).status_code == 403, path


def test_a_form_out_of_date_leads_back_to_its_page(browser: Browser, house: TeaHouse) -> None:
    page = "http://localhost/console/tea-house/followers"
    answer = browser.client.post("/console/tea-house/followers/sync", headers={"Referer": page})
    assert 'href="/console/tea-house/followers"' in answer.text
    answer = browser.client.post("/console/tea-house/followers/sync", headers={"Referer": "https://evil.example/x"})
    assert "evil" not in answer.text


def test_our_own_origin_is_let_through(browser: Browser) -> None:
    answer = browser.client.post(
        "/console/preferences",
        data={"csrf_token": browser.token(), "theme": "dark"},
        headers={"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 302


@pytest.mark.databases
def test_a_text_that_no_database_keeps_is_refused(browser: Browser, house: TeaHouse) -> None:
    assert browser.open("/tea-house/followers?q=a%00b").status_code == 400
    assert browser.send("/tea-house/settings", title="a\0b").status_code == 400


def test_other_doors_need_no_token() -> None:
    app = Flask("two-doors")
    app.secret_key = "0123456789abcdef" * 4
    console.register(app)
    app.add_url_rule("/wechat/x", "webhook", lambda: "success", methods=["POST"])
    client: FlaskClient = app.test_client()
    assert client.post("/wechat/x", data=b"<xml/>").text == "success"


def test_a_signed_in_nobody_cannot_poll(app: Flask, house: TeaHouse) -> None:
    assert app.test_client().get("/console/tea-house/", headers={"X-Live": "1"}).status_code == 401

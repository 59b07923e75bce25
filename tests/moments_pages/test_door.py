"""Who gets in: joining, signing in and out, and that every page is for members or declared open."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bot.moments.pages.shell import OPEN
from tests.moments_pages.people import Person

PASSWORD = "a short sentence is good"  # nobody's


def send(client: FlaskClient, path: str, page: str = "/sign-in", **data: str) -> object:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(f"/moments{page}").text)
    assert token
    return client.post(f"/moments{path}", data={"csrf_token": token[1], **data})


def pages_of(app: Flask) -> list[tuple[str, str, str]]:
    """Every address of the blueprint, with a method and what it is called."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("moments.") and rule.endpoint not in OPEN:
            path = re.sub(r"<[^>]+>", "00000000000", rule.rule)
            found += [(rule.endpoint, method, path) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return found


def test_every_page_but_the_declared_ones_sends_strangers_to_the_door(app: Flask) -> None:
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/moments/sign-in").text)
    assert token
    tried = pages_of(app)
    assert len(tried) > 50
    for endpoint, method, path in tried:
        answer = client.open(path, method=method, data={"csrf_token": token[1]} if method == "POST" else None)
        assert answer.status_code == 302, (endpoint, method, answer.status_code)
        assert answer.headers["Location"].startswith("/moments/sign-in"), endpoint


def test_what_is_open_is_only_the_way_in(app: Flask) -> None:
    ways_in = {"moments.sign_in", "moments.join", "moments.begin_wechat", "moments.back_from_wechat"}
    assert {*ways_in, "moments.set_language", "moments.static"} == OPEN


def test_a_form_without_its_token_changes_nothing(app: Flask, person: Callable[..., Person]) -> None:
    ann = person("ann")
    post = ann.post("hello")
    for _endpoint, method, path in pages_of(app):
        if method == "POST":
            path = path.replace("/posts/00000000000", f"/posts/{post}")
            assert ann.client.post(path).status_code == 400, path
    assert ann.get(f"/posts/{post}").json["like_count"] == 0


def test_a_form_of_another_site_is_refused(person: Callable[..., Person]) -> None:
    ann = person("ann")
    token = re.search(r'name="csrf_token" value="([^"]+)"', ann.open("/account").text)
    assert token
    data = {"csrf_token": token[1]}
    answer = ann.client.post("/moments/sign-out", data=data, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert ann.open("/account").request.path == "/moments/account"


@pytest.mark.parametrize(("language", "words"), [("en", "is taken"), ("zh", "已被")])
def test_join_sign_out_and_in(app: Flask, person: Callable[..., Person], language: str, words: str) -> None:
    person("taken")
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    refused = send(client, "/join", "/join", handle="taken", name="Ann Lee", password=PASSWORD)
    assert refused.status_code == 409
    assert words in refused.text
    assert 'value="Ann Lee"' in refused.text  # nothing typed is lost
    assert PASSWORD not in refused.text
    assert send(client, "/join", "/join", handle="ann", name="Ann Lee", password="short").status_code == 422
    joined = send(client, "/join", "/join", handle="ann", name="Ann Lee", password=PASSWORD)
    assert joined.headers["Location"] == "/moments/"
    assert "Ann Lee" in client.get("/moments/").text
    assert send(client, "/sign-out", "/account").headers["Location"] == "/moments/sign-in"
    assert client.get("/moments/").status_code == 302
    assert send(client, "/sign-in", handle="ann", password="not this one").status_code == 401
    back = send(client, "/sign-in", handle="Ann", password=PASSWORD, next="/moments/friends")
    assert back.headers["Location"] == "/moments/friends"
    elsewhere = send(app.test_client(), "/sign-in", handle="ann", password=PASSWORD, next="//evil.example")
    assert elsewhere.headers["Location"] == "/moments/"


def test_the_headers_and_the_language_of_a_page(person: Callable[..., Person]) -> None:
    ann = person("ann", language="zh")
    page = ann.open("/")
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", page.text)
    assert 'lang="zh-CN"' in page.text
    ann.send("/language", language="en", next="/moments/")
    assert 'lang="en"' in ann.open("/").text


def test_what_is_not_there_and_what_is_not_for_one_look_the_same(person: Callable[..., Person]) -> None:
    ann, eve = person("ann"), person("eve")
    hers = ann.post("only for friends")
    there, nowhere = eve.open(f"/posts/{hers}"), eve.open("/posts/00000000000")
    assert there.status_code == nowhere.status_code == 404
    strip = re.compile(r'name="csrf_token" value="[^"]+"|name="next" value="[^"]+"')
    assert strip.sub("", there.text) == strip.sub("", nowhere.text)

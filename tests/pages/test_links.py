"""Tracked links: they lead on, whatever happens, and each visitor is counted once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.database import reading, transaction
from bot.pages import links as door
from bot.pages.blueprint import HEADERS
from bot.services import campaign_clicks
from models import Click, Follower, TrackedLink
from tests.pages.conftest import soon

pytestmark = pytest.mark.databases


def test_a_followers_link_leads_on_and_counts_for_them(links):
    answers = [links.open(links.path(links.follower)) for _ in range(3)]

    assert {(each.status_code, each.headers["Location"]) for each in answers} == {(302, links.link.url)}
    assert links.clicks() == [(links.follower.id, 3)]
    assert "Set-Cookie" not in answers[0].headers  # we know who it is


def test_nothing_of_ours_goes_along(links):
    answer = links.open(links.path(links.follower))

    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_browser_that_nobody_knows_is_counted_once(links, app):
    for client in (app.test_client(), app.test_client()):
        for _ in range(2):
            links.open(links.path(), client=client)

    assert links.clicks() == [(None, 2), (None, 2)]


def test_the_cookie_is_the_links_own_and_holds_no_secret(links):
    cookie = links.open(links.path()).headers["Set-Cookie"]

    assert "Path=/l/" in cookie
    assert "HttpOnly" in cookie
    with reading() as session:
        assert cookie.split("=")[1].split(";")[0] not in session.query(Click).one().visitor


@pytest.mark.parametrize("change", [lambda path: path[:-1] + "x", lambda path: path.rpartition(".")[0], lambda path:
                                    f"{path}.more", lambda path: path.replace(".", "..", 1)])  # fmt: skip
def test_a_wrong_signature_leads_on_and_is_nobodys(links, change):
    path = change(links.path(links.follower))

    answer = links.open(path)

    assert answer.headers["Location"] == links.link.url
    whose = links.follower.id if path.endswith(".more") else None  # what stands behind a good one does no harm
    assert links.clicks() == [(whose, 1)]


def test_nobody_clicks_for_somebody_else(links, create):
    other = create.follower(links.account)
    _code, _id, signature = links.path(links.follower).split(".")

    links.open(f"/l/{links.link.code}.{other.id}.{signature}")

    assert links.clicks() == [(None, 1)]


def test_a_follower_who_is_gone_is_nobody(links, session):
    path = links.path(links.follower)
    session.delete(session.get(Follower, links.follower.id))
    session.commit()

    assert links.open(path).status_code == 302
    assert links.clicks() == [(None, 1)]


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "HEAD"},
        {"Purpose": "prefetch"},
        {"Sec_Purpose": "prefetch;prerender"},
        {"X_Moz": "prefetch"},
        {"agent": ""},
        {"agent": "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"},
        {"agent": "facebookexternalhit/1.1"},
        {"agent": "TelegramBot (like TwitterBot)"},
        {"agent": "WhatsApp/2.23.20.0"},
        {"agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"agent": "python-requests/2.32"},
    ],
)
def test_previews_and_robots_are_led_on_and_not_counted(links, request_):
    answer = links.open(links.path(links.follower), **request_)

    assert answer.headers["Location"] == links.link.url
    assert links.clicks() == []


@pytest.mark.parametrize("path", ["/l/ffffffffffff", "/l/", "/l/x", "/l/..", "/l/https:%2F%2Fevil.example"])
def test_an_unknown_link_says_so_in_both_languages(links, path):
    answer = links.open(path)

    assert answer.status_code == 404
    assert "Location" not in answer.headers
    if path != "/l/":
        assert "链接" in answer.text
        assert "There is nothing here" in answer.text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_its_stylesheet_is_there(links):
    assert links.client.get("/p/static/pages.css").status_code == 200


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60) | st.from_regex(r"0123456789ab\.[0-9]{1,20}\.[0-9a-f]{12}", fullmatch=True))
@example("0123456789ab\r\nLocation: https://evil.example")
@example("//evil.example")
@example("0123456789ab.99999999999999999999.0")
@example("٠123456789ab")
def test_no_address_leads_anywhere_but_to_what_was_stored(links, tail):
    answer = links.open(f"/l/{quote(tail, safe='')}", agent="")  # not counted: only where it leads is asked here

    assert answer.status_code in (302, 308, 404)
    target = answer.headers.get("Location", "")
    if answer.status_code == 308:  # two slashes are one, of ours
        assert target.startswith("http://localhost/l/")
    else:
        assert target in ("", links.link.url)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://tea.example/a%2Fb?x=%20+&y=1#x", "https://tea.example/a%2Fb?x=%20+&y=1#x"),
        ("https://tea.example/秋茶?味=甘", "https://tea.example/%E7%A7%8B%E8%8C%B6?%E5%91%B3=%E7%94%98"),
        ("http://tea.example", "http://tea.example"),
    ],
)
def test_the_address_arrives_as_it_was_written(links, url, sent):
    links.add(url, "00000000000a")

    assert links.open("/l/00000000000a").headers["Location"] == sent


def test_many_at_once_are_one_row(links, app):
    path = links.path(links.follower)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: links.open(path, client=app.test_client()), range(60)))

    soon(lambda: links.clicks() == [(links.follower.id, 60)])


def test_a_busy_database_does_not_keep_the_follower(links, monkeypatch):
    monkeypatch.setattr(door, "PATIENCE", 0.05)
    path, held, done = links.path(links.follower), threading.Event(), threading.Event()

    def hold() -> None:  # on SQLite the one who writes, on PostgreSQL the row
        with transaction() as session:
            opened = campaign_clicks.find(session, path.removeprefix("/l/"))
            campaign_clicks.count(session, opened)
            held.set()
            done.wait(25)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(20)
    answer = links.open(path)  # without the limit it would wait until the holder gives up
    assert links.clicks() == []
    done.set()
    holder.join()

    assert answer.headers["Location"] == links.link.url
    soon(lambda: links.clicks() == [(links.follower.id, 2)])  # and it was counted when there was time


def test_a_database_that_writes_no_more_does_not_keep_the_follower_either(links, monkeypatch):
    monkeypatch.setattr(Click.__table__, "name", "clicks_that_are_gone")

    assert links.open(links.path(links.follower)).headers["Location"] == links.link.url
    monkeypatch.undo()
    assert links.clicks() == []


def test_every_public_page_only_looks_and_guards_itself(app, links):
    """The public pages' table of who may: everybody, and nothing but looking."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("pages.")]

    assert {rule.endpoint: sorted(rule.methods) for rule in rules} == {
        "pages.static": ["GET", "HEAD", "OPTIONS"],
        "pages.open_link": ["GET", "HEAD", "OPTIONS"],
        "pages.answer": ["GET", "HEAD", "OPTIONS"],
    }
    answer = links.client.post(links.path())
    assert answer.status_code == 405
    assert links.session.query(TrackedLink).count() == 1

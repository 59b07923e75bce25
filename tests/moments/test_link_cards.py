"""The card of a post's link: looked up by a worker after the post, through the guard, its picture taken apart here."""

import socket

import pytest
from sqlalchemy import select
from werkzeug.wrappers import Request, Response

from bot import queue
from bot.database import reading
from bot.fetching import Network
from bot.jobs import moments, upkeep
from bot.moments import addresses, link_cards
from models import LinkCard, Media, MediaState, MediaUse
from tests.moments_media import photos

PUBLIC = "93.184.215.14"
LINK = "https://shop.example.com/tea"
PAGE = b'<title>x</title><meta property="og:title" content="Spring tea"><meta property="og:image" content="/tea.jpg">'
SAMPLE = photos.samples()["JPEG with all of it and a film behind"]


class Web:
    """All of the Internet: what each path answers, and what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = {"/tea": (PAGE, "text/html", 200), "/tea.jpg": (SAMPLE, "image/jpeg", 200)}
        self.meanwhile = lambda: None

    def __call__(self, environ, start_response):
        request = Request(environ)
        self.asked.append(request.path)
        self.meanwhile()
        body, kind, status = self.answers.get(request.path, (b"", "text/html", 404))
        return Response(body, status, content_type=kind)(environ, start_response)


@pytest.fixture
def web(serve, monkeypatch) -> Web:
    made = Web()
    port = int(serve(made).rpartition(":")[2])

    def resolve(host: str, _port: int) -> list[str]:
        return [PUBLIC if host.endswith("example.com") else host]

    network = Network(resolve, lambda _address, _port, seconds: socket.create_connection(("127.0.0.1", port), seconds))
    monkeypatch.setattr(moments, "NETWORK", network)
    return made


def row_of(address: str) -> LinkCard:
    with reading() as session:
        return session.get_one(LinkCard, addresses.read("post", address))


def look(address: str) -> None:
    moments.fetch_card(addresses.read("post", address))


def plain(host: str = "shop.example.com") -> dict:
    return {"host": host, "title": "", "text": "", "picture": None}


HTTP = LINK.replace("https", "http")  # the stand-in has no certificate


@pytest.mark.databases
def test_a_link_gets_a_card_whose_picture_is_ours(join, web, redis):
    ann = join("ann")
    bob, eve = join("bob", ann), join("eve")
    post = ann.post(link=HTTP)
    assert bob.get(f"/posts/{post}").json["preview"] == plain()
    assert web.asked == []  # nothing of the network in the request

    look(post)
    look(post)

    assert web.asked == ["/tea", "/tea.jpg"]  # once
    card = bob.get(f"/posts/{post}").json
    assert (card["preview"]["title"], card["media"]) == ("Spring tea", [])
    path = card["preview"]["picture"].removeprefix("/moments/api/v1")
    picture = bob.get(path)
    assert (picture.mimetype, photos.strange_parts(picture.data)) == ("image/jpeg", [])
    assert eve.get(path).status_code == 404
    ann("DELETE", f"/posts/{post}")
    assert bob.get(path).status_code == 404
    ann("POST", f"/posts/{post}/restore")
    assert bob.get(path).status_code == 200
    assert bob("POST", "/posts", {"root": post}).json["root"]["preview"] == card["preview"]


@pytest.mark.databases
def test_a_link_that_answers_no_page_stays_plain(join, web, redis, advance):
    ann = join("ann")
    web.answers |= {"/tea": (b"", "text/html", 500), "/file": (b"x", "application/zip", 200)}
    post = ann.post(link=HTTP)
    for span in (*link_cards.AGAIN, link_cards.LEASE):
        look(post)
        look(post)
        advance(span.total_seconds())
    assert (web.asked, row_of(post).look_at) == (["/tea"] * 3, None)
    assert ann.get(f"/posts/{post}").json["preview"] == plain()
    other = ann.post(link="http://shop.example.com/file")
    look(other)
    assert row_of(other).look_at is None


def test_a_link_leads_to_public_servers_only(join, web, redis):
    ann = join("ann")
    web.answers["/tea"] = (PAGE.replace(b"/tea.jpg", b"http://127.0.0.1/secret.jpg"), "text/html", 200)
    inside = ann.post(link="http://169.254.169.254/latest/meta-data")
    look(inside)
    assert (web.asked, row_of(inside).look_at) == ([], None)
    post = ann.post(link=HTTP)
    look(post)
    assert web.asked == ["/tea"]  # a picture near us is not asked for
    preview = ann.get(f"/posts/{post}").json["preview"]
    assert (preview["title"], preview["picture"]) == ("Spring tea", None)


@pytest.mark.parametrize("body", [b"GIF89a no picture", b"<svg/>", b"\0\0\0\x18ftypisom" + bytes(50)])
def test_a_picture_that_is_none_is_left_out(join, web, redis, body):
    ann = join("ann")
    web.answers["/tea.jpg"] = (body, "image/jpeg", 200)
    post = ann.post(link=HTTP)
    look(post)
    preview = ann.get(f"/posts/{post}").json["preview"]
    assert (preview["title"], preview["picture"]) == ("Spring tea", None)


def test_a_post_that_is_deleted_meanwhile_gets_no_card(join, web, redis):
    ann = join("ann")
    post = ann.post(link=HTTP)

    def delete() -> None:
        web.meanwhile = lambda: None
        assert ann("DELETE", f"/posts/{post}").status_code == 204

    web.meanwhile = delete
    look(post)
    with reading() as session:
        assert [(media.state, media.use) for media in session.scalars(select(Media))] == [
            (MediaState.ERASED, MediaUse.DRAFT)
        ]
    assert row_of(post).title == ""


@pytest.mark.databases
def test_a_lost_hint_is_given_again_and_words_go_with_the_post(join, web, redis, advance):
    ann = join("ann")
    post = ann.post(link=HTTP)
    redis.flushall()
    upkeep.hint_link_cards()
    assert [job.args[0] for job in jobs_of("work")] == [addresses.read("post", post)]
    look(post)
    redis.flushall()
    upkeep.hint_link_cards()
    assert jobs_of("work") == []
    ann("DELETE", f"/posts/{post}")
    advance(86_400)
    moments.erase()
    with reading() as session:
        assert session.scalars(select(LinkCard)).all() == []


def jobs_of(name: str) -> list:
    return queue.queue(name).jobs

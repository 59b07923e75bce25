"""What a page says of itself, and that no page makes reading it slow."""

import time

import pytest

from bot.moments.web_pages import Page, host, read

HTML = "text/html; charset=utf-8"
AT = "https://shop.example.com/tea/"


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<title>Spring tea</title>", Page("Spring tea")),
        (
            '<head><meta property="og:title" content="Tea &amp; more"><title>x</title>'
            "<meta content='A > B' name=description><META PROPERTY=og:image CONTENT=../a.jpg?b=1&amp;c=2>",
            Page("Tea & more", "A > B", "https://shop.example.com/a.jpg?b=1&c=2"),
        ),
        ('<meta name="twitter:title" content="春茶"><meta name="twitter:image" content="//cdn.example.com/a.png">',
         Page("春茶", "", "https://cdn.example.com/a.png")),
        ("<title>\n two\u202e \x07lines\n</title>", Page("two lines")),
        (f"<title>{'long ' * 100}</title>", Page(f"{'long ' * 40}"[:199].rstrip() + "…")),
        ('<title>x</title><meta property="og:image" content="http://[broken">', Page("x")),
    ],
)  # fmt: skip
def test_a_page_is_read(page, found):
    assert read(page.encode(), HTML, AT) == found


@pytest.mark.parametrize("charset", ["gbk", "GB2312", "big5", "utf-8"])
def test_the_letters_of_a_page_are_read_as_it_says(charset):
    page = f'<meta charset="{charset}"><title>茶</title>'.encode(charset)
    assert read(page, "text/html", AT) == read(page, f"text/html;charset={charset}", AT) == Page("茶")
    assert read(b'<meta charset="zlib"><title>tea</title>', "text/html", AT) == Page("tea")


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"<title>x</title>", "text/plain"), (b"", HTML), (b"<title> </title>", HTML), (b"\xff\xd8", HTML)],
)
def test_what_says_nothing_is_none(body, kind):
    assert read(body, kind, AT) is None


@pytest.mark.parametrize(
    "piece",
    [
        "<meta ",
        '<meta "',
        "<meta '\"",
        "<title",
        "<title>",
        "<meta a",
        "<meta a=",
        '"',
        "a=",
        "<meta ''",
        "charset",
        "&",
    ],
)
def test_no_page_takes_long(piece):
    body = (piece * (256 * 1024 // len(piece))).encode()
    started = time.process_time()
    read(body, HTML, AT)
    read(b"<meta " + body, HTML, AT)
    read(b"<title>" + body, HTML, AT)
    assert time.process_time() - started < 1.5


def test_a_host_cannot_look_like_another():
    assert host("https://www.example.com:8080/a") == "example.com"
    assert host("https://аррle.com/").startswith("xn--")
    assert [host(url) for url in ("https://", "https://[", "https://a..b/")] == ["", "", ""]
    assert host("https://user@example.com/") == "example.com"

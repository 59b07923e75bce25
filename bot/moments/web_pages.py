"""What a web page says of itself for those who link to it.  It was written by anybody, so nothing of it is believed.

No HTML parser: the few tags that count are found by expressions that never look at a letter many times, whatever is in
the page.
"""

import html
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

MOST_TITLE, MOST_TEXT = 200, 300
TYPES = ("text/html", "application/xhtml+xml")
CHARSETS = {"gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030", "big5": "big5", "shift_jis": "shift_jis",
            "euc-jp": "euc-jp", "euc-kr": "euc-kr", "iso-8859-1": "cp1252", "windows-1252": "cp1252"}  # fmt: skip

_META = re.compile(r"""<meta\b((?>[^<>"']++|"[^"]{0,3000}+"|'[^']{0,3000}+'){0,60}+)""", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z:-]{1,30}+)\s{0,9}+=\s{0,9}+("[^"]*+"|'[^']*+'|[^\s"'>]++)""", re.IGNORECASE)
_TITLE = re.compile(r"<title\b[^<>]{0,300}+>([^<]{1,1000})", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s{0,9}+=\s{0,9}+[\"']?([a-z0-9_-]{3,20})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    title: str = ""
    text: str = ""
    picture: str = ""  # an address, of no matter what


def read(body: bytes, content_type: str, url: str) -> Page | None:
    """What the page at this address says of itself; None: it is no page, or says nothing.

    Args:
        body: of it or of its beginning.
    """
    if content_type.partition(";")[0].strip().lower() not in TYPES:
        return None
    text = _decoded(body, content_type)
    said: dict[str, str] = {}
    for tag in _META.finditer(text):
        pairs = {name.lower(): value.strip("\"'") for name, value in _ATTRIBUTE.findall(tag[1])}
        name = (pairs.get("property") or pairs.get("name") or "").lower()
        said.setdefault(name, pairs.get("content", ""))
    titled = _TITLE.search(text)
    title = said.get("og:title") or said.get("twitter:title") or (titled[1] if titled else "")
    about = said.get("og:description") or said.get("twitter:description") or said.get("description") or ""
    picture = html.unescape(said.get("og:image") or said.get("twitter:image") or "").strip()
    page = Page(_line(title, MOST_TITLE), _line(about, MOST_TEXT), _address(url, picture) if picture else "")
    return page if page.title else None


def host(url: str) -> str:
    """Where a link leads, as it stands in a certificate: no letter of it looks like another."""
    try:
        return (urlsplit(url).hostname or "").encode("idna").decode().removeprefix("www.")
    except ValueError:  # UnicodeError is one
        return ""


def _decoded(body: bytes, content_type: str) -> str:
    found = _CHARSET.search(content_type.encode()) or _CHARSET.search(body[:2048])
    charset = CHARSETS.get(found[1].decode().lower(), "utf-8") if found else "utf-8"
    return body.decode(charset, "replace")


def _line(text: str, most: int) -> str:
    """One line of what people can read."""
    words = " ".join(html.unescape(text).split())
    shown = "".join(letter for letter in words if letter.isprintable())
    return shown if len(shown) <= most else shown[: most - 1].rstrip() + "…"


def _address(url: str, picture: str) -> str:
    try:
        return urljoin(url, picture)
    except ValueError:
        return ""

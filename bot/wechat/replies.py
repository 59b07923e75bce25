"""Writes our answers the way WeChat reads them: XML in the response, JSON through customer service."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, assert_never

from bot.wechat import limits
from bot.wechat.messages import (
    Image,
    Message,
    Music,
    News,
    Reply,
    Silence,
    Text,
    TransferToAi,
    TransferToService,
    Video,
    Voice,
)
from bot.wechat.xml import without_illegal


def render(message: Message, reply: Reply | None, now: float) -> str:
    """Word the reply as XML from the account to the follower; "" where there is nothing to say.

    A text above ``limits.TEXT_BYTES`` keeps what ``split_text`` puts into its first part: one byte more
    and the follower reads "service failure" instead.  Articles beyond what WeChat shows are left out.
    """
    if reply is None:
        return ""
    content = _content(message, reply)
    if content is None:
        return ""
    return (
        f"<xml><ToUserName>{_cdata(message.openid)}</ToUserName><FromUserName>{_cdata(message.to)}</FromUserName>"
        f"<CreateTime>{int(now)}</CreateTime><MsgType><![CDATA[{reply.kind}]]></MsgType>{content}</xml>"
    )


def as_customer_message(reply: Reply) -> dict[str, Any] | None:
    """Word the reply as the body of custom/send, without ``touser``; None: it cannot be said that way.

    A text is passed on whole: split it first.  Of several articles WeChat takes one (45008).
    """
    match reply:
        case Text():
            content = without_illegal(reply.text)
            return {"msgtype": "text", "text": {"content": content}} if content.strip() else None
        case Image() | Voice():
            return {"msgtype": reply.kind, reply.kind: {"media_id": without_illegal(reply.media_id)}}
        case Video():
            body = {"media_id": reply.media_id, "title": reply.title, "description": reply.description}
        case Music():
            body = {
                "title": reply.title,
                "description": reply.description,
                "musicurl": reply.url,
                "hqmusicurl": reply.hq_url,
                "thumb_media_id": reply.thumb_media_id,
            }
        case News():
            article = reply.articles[0]
            body = {
                "title": article.title,
                "description": article.description,
                "url": article.url,
                "picurl": article.picture_url,
            }
            return {"msgtype": "news", "news": {"articles": [_filled(body)]}}
        case TransferToService() | TransferToAi() | Silence():
            return None
        case _:
            assert_never(reply)
    return {"msgtype": reply.kind, reply.kind: _filled(body)}


def _filled(body: dict[str, str]) -> dict[str, str]:
    return {name: without_illegal(value) for name, value in body.items() if value}


def _content(message: Message, reply: Reply) -> str | None:
    """What follows MsgType; None: nothing to say."""
    match reply:
        case Text():
            text = without_illegal(reply.text)
            if not text.strip():
                return None  # WeChat shows an error for an empty text
            if len(text) * 4 > limits.TEXT_BYTES:
                text = split_text(text.lstrip())[0]
            return f"<Content>{_cdata(text)}</Content>"
        case Image():
            return f"<Image><MediaId>{_cdata(reply.media_id)}</MediaId></Image>"
        case Voice():
            return f"<Voice><MediaId>{_cdata(reply.media_id)}</MediaId></Voice>"
        case Video():
            return (
                f"<Video><MediaId>{_cdata(reply.media_id)}</MediaId><Title>{_cdata(reply.title)}</Title>"
                f"<Description>{_cdata(reply.description)}</Description></Video>"
            )
        case Music():
            return (
                f"<Music><Title>{_cdata(reply.title)}</Title><Description>{_cdata(reply.description)}</Description>"
                f"<MusicUrl>{_cdata(reply.url)}</MusicUrl><HQMusicUrl>{_cdata(reply.hq_url)}</HQMusicUrl>"
                f"<ThumbMediaId>{_cdata(reply.thumb_media_id)}</ThumbMediaId></Music>"
            )
        case News():
            shown = limits.ARTICLES_TO_EVENT if message.kind == "event" else limits.ARTICLES_TO_MESSAGE
            articles = reply.articles[:shown]
            items = "".join(
                f"<item><Title>{_cdata(article.title)}</Title><Description>{_cdata(article.description)}</Description>"
                f"<PicUrl>{_cdata(article.picture_url)}</PicUrl><Url>{_cdata(article.url)}</Url></item>"
                for article in articles
            )
            return f"<ArticleCount>{len(articles)}</ArticleCount><Articles>{items}</Articles>"
        case TransferToService():
            if not reply.kf_account:
                return ""
            return f"<TransInfo><KfAccount>{_cdata(reply.kf_account)}</KfAccount></TransInfo>"
        case TransferToAi():
            return ""
        case Silence():
            return None
        case _:
            assert_never(reply)


def _cdata(text: str) -> str:
    return "<![CDATA[" + without_illegal(text).replace("]]>", "]]]]><![CDATA[>") + "]]>"


# -- Long texts ---------------------------------------------------------------------------------------

_LINK = re.compile(r"<a\s[^<>]*>.{0,2000}?</a>", re.DOTALL | re.IGNORECASE)
_LINES = re.compile(r"\n+")
_SENTENCES = re.compile(r"[。！？；…!?;]+[”’」』）】》\"')\]]*|[.,，、:：]+(?=\s)")
_SPACES = re.compile(r"\s+")
_JOINER = "\u200d"


def split_text(text: str, limit: int = limits.TEXT_BYTES) -> list[str]:
    """Cut a text into parts of at most ``limit`` bytes of UTF-8 (4 or more); joined they are the text again.

    A part ends where a reader would pause when that lies in its last third: after a line, else a sentence,
    else a word.  A link or a composed character is cut only if it is longer than a part itself.
    """
    if limit < 4:
        raise ValueError("a character takes up to 4 bytes")
    if not text:
        return []
    links = [match.span() for match in _LINK.finditer(text) if _size(match.group()) <= limit]
    cuts = [0]
    while _size(text[cuts[-1] : cuts[-1] + limit + 1]) > limit:
        cuts.append(_cut(text, cuts[-1], limit, links))
    cuts.append(len(text))
    return [text[start:end] for start, end in pairwise(cuts)]


def _cut(text: str, start: int, limit: int, links: list[tuple[int, int]]) -> int:
    """Where the part that begins at ``start`` ends best."""
    window = text[start : start + limit]
    furthest = start + len(_encode(window)[:limit].decode("utf-8", "ignore"))
    # What does not decode back, such as a lone surrogate, still counts as fitting.
    furthest = max(furthest, start + 1)
    earliest = start + (furthest - start) * 2 // 3
    for pause in (_LINES, _SENTENCES, _SPACES):
        ends = (match.end() for match in pause.finditer(text, earliest, furthest))
        good = [end for end in ends if not _inside(end, links) and not _is_composed(text, end)]
        if good:
            return good[-1]
    for end in _backwards(furthest, start, links):
        if not _is_composed(text, end):
            return end
    return furthest


def _backwards(end: int, start: int, links: list[tuple[int, int]]) -> Iterator[int]:
    while end > start:
        link = _inside(end, links)
        if link and link[0] > start:
            end = link[0]
        yield end
        end -= 1


def _inside(position: int, links: list[tuple[int, int]]) -> tuple[int, int] | None:
    return next((link for link in links if link[0] < position < link[1]), None)


def _is_composed(text: str, position: int) -> bool:
    """Do the characters on both sides of this position show as one?"""
    if not 0 < position < len(text):
        return False
    before, after = text[position - 1], text[position]
    if before == _JOINER or after == _JOINER or (before == "\r" and after == "\n"):
        return True
    if unicodedata.category(after) in {"Mn", "Me", "Mc"} or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True  # accents, variation selectors, keycaps, skin colours
    if "\U000e0020" <= after <= "\U000e007f":
        return True  # the letters of a region's flag
    if _is_flag_letter(before) and _is_flag_letter(after):
        letters = position
        while letters and _is_flag_letter(text[letters - 1]):
            letters -= 1
        return (position - letters) % 2 == 1
    return False


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _size(text: str) -> int:
    return len(_encode(text))

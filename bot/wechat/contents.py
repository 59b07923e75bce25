"""What a campaign can say, and how WeChat reads it as a mass message and as a customer-service message."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from bot.wechat.messages import Blurb, Image, MediaId, Text, Title, Url, Video, Voice
from bot.wechat.xml import without_illegal

TemplateId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Value = Annotated[str, StringConstraints(max_length=200)]


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Miniprogram(_Content):
    """Where a message leads inside a Mini Program."""

    appid: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^wx[0-9a-f]{16}$")]
    pagepath: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1024)] = ""


class Story(_Content):
    """One article of a mass message, as WeChat keeps it in a draft."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    author: Annotated[str, StringConstraints(max_length=16)] = ""
    digest: Blurb = ""
    content: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]  # HTML; WeChat takes scripts out
    thumb_media_id: MediaId  # a permanent picture
    content_source_url: Url | Literal[""] = ""


class Stories(_Content):
    kind: Literal["articles"] = "articles"
    articles: Annotated[tuple[Story, ...], Field(min_length=1, max_length=8)]
    send_ignore_reprint: bool = False  # where WeChat finds it copied: send it as a reprint if the original allows


class Card(_Content):
    """A link with a picture."""

    kind: Literal["link"] = "link"
    title: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    description: Blurb = ""
    url: Url
    picture_url: Url | Literal[""] = ""


class MiniprogramCard(_Content):
    kind: Literal["miniprogram"] = "miniprogram"
    title: Title
    appid: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^wx[0-9a-f]{16}$")]
    pagepath: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1024)]
    thumb_media_id: MediaId


class Template(_Content):
    kind: Literal["template"] = "template"
    template_id: TemplateId
    values: Annotated[dict[str, Value], Field(max_length=20)]  # by the template's places: {"thing1": "Coffee"}
    url: Url | Literal[""] = ""
    miniprogram: Miniprogram | None = None  # goes before ``url``


class Notice(_Content):
    kind: Literal["notice"] = "notice"
    template_id: TemplateId
    values: Annotated[dict[str, Value], Field(max_length=20)]
    url: Url | Literal[""] = ""
    miniprogram: Miniprogram | None = None


Content = Annotated[
    Text | Image | Voice | Video | Stories | Card | MiniprogramCard | Template | Notice, Field(discriminator="kind")
]
ContentAdapter: TypeAdapter[Content] = TypeAdapter(Content)

# What each channel carries (wechat-protocol 5.1, 6, 7).
KINDS: dict[str, tuple[str, ...]] = {
    "mass": ("text", "image", "voice", "video", "articles"),
    "template": ("template",),
    "notice": ("notice",),
    "service": ("text", "image", "voice", "video", "link", "miniprogram"),
}


def mass_body(content: Content, draft_id: str = "") -> dict[str, Any]:
    """``msgtype`` and its part of a mass message; ``draft_id`` holds the articles."""
    match content:
        case Text():
            return {"msgtype": "text", "text": {"content": without_illegal(content.text)}}
        case Image():
            return {"msgtype": "image", "images": {"media_ids": [content.media_id]}}
        case Voice():
            return {"msgtype": "voice", "voice": {"media_id": content.media_id}}
        case Video():
            parts = {"media_id": content.media_id, "title": content.title, "description": content.description}
            return {"msgtype": "mpvideo", "mpvideo": parts}
        case Stories():
            reprint = int(content.send_ignore_reprint)
            return {"msgtype": "mpnews", "mpnews": {"media_id": draft_id}, "send_ignore_reprint": reprint}
        case _:
            raise ValueError(f"a mass message cannot be a {content.kind}")


def preview_body(content: Content, draft_id: str = "") -> dict[str, Any]:
    """The same as ``message/mass/preview`` wants it."""
    if isinstance(content, Image):
        return {"msgtype": "image", "image": {"media_id": content.media_id}}
    return mass_body(content, draft_id)


def service_body(content: Content) -> dict[str, Any]:
    """The body of a customer-service message, without ``touser``."""
    match content:
        case Text():
            return {"msgtype": "text", "text": {"content": without_illegal(content.text)}}
        case Image() | Voice():
            return {"msgtype": content.kind, content.kind: {"media_id": content.media_id}}
        case Video():
            parts = {"media_id": content.media_id, "title": content.title, "description": content.description}
        case Card():
            article = {"title": content.title, "description": content.description, "url": content.url,
                       "picurl": content.picture_url}  # fmt: skip
            return {"msgtype": "news", "news": {"articles": [_clean(article)]}}
        case MiniprogramCard():
            return {"msgtype": "miniprogrampage", "miniprogrampage": _clean(content.model_dump(exclude={"kind"}))}
        case _:
            raise ValueError(f"a customer-service message cannot be a {content.kind}")
    return {"msgtype": content.kind, content.kind: _clean(parts)}


def with_texts(content: Content, change: Callable[[str], str]) -> Content:
    """The same content with every text that a follower reads changed; addresses and ids stay."""
    match content:
        case Text():
            return content.model_copy(update={"text": change(content.text)})
        case Video() | Card():
            texts = {"title": change(content.title), "description": change(content.description)}
            return content.model_copy(update=texts)
        case MiniprogramCard():
            return content.model_copy(update={"title": change(content.title)})
        case Template() | Notice():
            values = {place: change(value) for place, value in content.values.items()}
            return content.model_copy(update={"values": values})
        case _:
            return content


def _clean(body: dict[str, str]) -> dict[str, str]:
    return {name: without_illegal(value) for name, value in body.items() if value}

"""What followers send us and what we can answer, without any XML."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from bot.wechat import limits

KINDS = frozenset({"text", "image", "voice", "video", "shortvideo", "location", "link", "miniprogrampage", "event"})

# Pushes that do not come from a follower: FromUserName is one of WeChat's own accounts.
RECEIPTS = frozenset({"masssendjobfinish", "publishjobfinish"})


@dataclass(frozen=True, slots=True)
class Message:
    """One push.  Missing fields are empty; ``fields`` holds all that came, as strings, dicts and lists."""

    openid: str  # FromUserName
    kind: str  # one of KINDS, or what WeChat called it (stored as such, answered with silence)
    text: str = ""
    event: str = ""  # lower-case; "" for messages
    key: str = ""  # EventKey; on subscribe without "qrscene_"
    msg_id: str = ""  # 64 bits, kept as text; "" for events
    created_at: int = 0  # Unix seconds, WeChat's clock
    to: str = ""  # ToUserName, the account's original id
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def dedup_key(self) -> str:
        """The same for WeChat's repeats of one push, different for two events of one second."""
        if self.msg_id.strip("0") and self.kind != "event":  # events have none, or one that means nothing
            return self.msg_id
        named = f"{self.fields.get('EventKey') or ''}:{self.fields.get('MsgID') or ''}"
        if named == ":":  # PUBLISHJOBFINISH, cards: the id is somewhere inside, and all of it comes again
            named = sha256(json.dumps(self.fields, sort_keys=True).encode()).hexdigest()[:32]
        return f"{self.created_at}:{self.event}:{named}"

    @property
    def is_known(self) -> bool:
        return self.kind in KINDS

    @property
    def is_receipt(self) -> bool:
        """WeChat reports how a job went: no follower behind it, no answer."""
        return self.event in RECEIPTS

    @property
    def opens_window(self) -> str:
        """The customer-service window this opens: message, tap, follow, scan, or "" for none."""
        if self.kind != "event":
            # A tap on a message's own menu arrives as text but counts as a menu tap.
            return "tap" if "bizmsgmenuid" in self.fields else "message" if self.is_known else ""
        if self.event in limits.TAPS_THAT_OPEN:
            return "tap"
        return {"subscribe": "follow", "scan": "scan"}.get(self.event, "")


Words = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
MediaId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
Url = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1024, pattern=r"^https?://\S+$")]
Title = Annotated[str, StringConstraints(max_length=64)]
Blurb = Annotated[str, StringConstraints(max_length=120)]


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Reply):
    kind: Literal["text"] = "text"
    text: Words


class Image(_Reply):
    kind: Literal["image"] = "image"
    media_id: MediaId


class Voice(_Reply):
    kind: Literal["voice"] = "voice"
    media_id: MediaId


class Video(_Reply):
    kind: Literal["video"] = "video"
    media_id: MediaId
    title: Title = ""
    description: Blurb = ""


class Music(_Reply):
    kind: Literal["music"] = "music"
    title: Title = ""
    description: Blurb = ""
    url: Url | Literal[""] = ""
    hq_url: Url | Literal[""] = ""
    thumb_media_id: MediaId


class Article(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    description: Blurb = ""
    picture_url: Url | Literal[""] = ""
    url: Url


class News(_Reply):
    kind: Literal["news"] = "news"
    articles: Annotated[tuple[Article, ...], Field(min_length=1, max_length=limits.ARTICLES_TO_EVENT)]


class TransferToService(_Reply):
    """Hand the follower to WeChat's own service desk, to one agent of it when named."""

    kind: Literal["transfer_customer_service"] = "transfer_customer_service"
    kf_account: Annotated[str, StringConstraints(max_length=64)] = ""


class TransferToAi(_Reply):
    """Hand the follower to WeChat's own AI reply (being rolled out by WeChat)."""

    kind: Literal["transfer_biz_ai_ivr"] = "transfer_biz_ai_ivr"


class Silence(_Reply):
    """Decided: say nothing, and ask no further handler."""

    kind: Literal["silence"] = "silence"


Reply = Annotated[
    Text | Image | Voice | Video | Music | News | TransferToService | TransferToAi | Silence,
    Field(discriminator="kind"),
]
ReplyAdapter: TypeAdapter[Reply] = TypeAdapter(Reply)

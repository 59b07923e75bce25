"""What the endpoints of Moments give and take in common."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from bot.moments import addresses
from bot.moments.api.contract import In, Out
from bot.moments.audiences import Choice
from models import ListKind, MediaKind, NoticeKind, PostMode

Address = Annotated[str, Field(max_length=20)]


class Person(Out):
    id: str
    name: Annotated[str, Field(description="your own remark first")]
    avatar: Annotated[str | None, Field(description="the path of a small photo")]


class People(Out):
    items: list[Person]


class Named(Out):
    id: str
    name: str


class Audience(Out):
    mode: PostMode
    allow_members: list[Person]
    allow_groups: list[Named]
    deny_members: list[Person]
    deny_groups: list[Named]


class AudienceChoice(In):
    """friends and private take no list; allow takes all four (who is denied does not see it); deny its own two."""

    mode: PostMode = PostMode.FRIENDS
    allow_members: Annotated[list[Address], Field(max_length=500)] = Field(default_factory=list)
    allow_groups: Annotated[list[Address], Field(max_length=200)] = Field(default_factory=list)
    deny_members: Annotated[list[Address], Field(max_length=500)] = Field(default_factory=list)
    deny_groups: Annotated[list[Address], Field(max_length=200)] = Field(default_factory=list)

    def choice(self) -> Choice:
        lists = {
            kind: [addresses.read(kind.value.partition("_")[2], each) for each in getattr(self, f"{kind.value}s")]
            for kind in ListKind
        }
        return Choice(self.mode, lists)


class Media(Out):
    """A photo or a video; its parts are paths, and each is asked for with your token or cookie."""

    id: str
    kind: MediaKind
    width: Annotated[int, Field(description="px of the full view")]
    height: int
    duration_ms: int | None
    blurhash: Annotated[str, Field(description="to draw until it is there; empty: a plain tile")]
    alt: Annotated[str, Field(description="what it shows, in the words of its owner")]
    thumb: Annotated[str | None, Field(description="null: a video without a poster")]
    feed: str | None
    full: str | None
    video: str | None


class Preview(Out):
    """What the page behind a link says of itself, as far as it could be looked at."""

    host: str
    title: Annotated[str, Field(description="empty: show the host alone")]
    text: str
    picture: Annotated[str | None, Field(description="the path of a small photo")]


class Words(Out):
    id: str
    author: Person
    at: datetime
    body: str
    place: str
    link: str
    preview: Annotated[Preview | None, Field(description="of the link")]
    media: list[Media]
    edited_at: datetime | None


class Comment(Out):
    id: str
    by: Annotated[Person | None, Field(description="null: deleted, and kept only for the answers below it")]
    at: datetime
    reply_to: str | None
    body: str
    is_deleted: bool
    is_mine: bool


class OwnPost(Out):
    is_held: Annotated[bool, Field(description="by a moderator: only you see it")]
    root_is_gone: bool
    reshare_ok: bool
    audience: Audience


class Post(Words):
    is_mine: bool
    root: Annotated[Words | None, Field(description="of a reshare, while you may see it")]
    comments_open: bool
    can_reshare: bool
    like_count: Annotated[int, Field(description="of likes that you may see")]
    i_like: bool
    likes: list[Person]
    comment_count: int
    comments: list[Comment]
    own: Annotated[OwnPost | None, Field(description="for its author only")]


class Posts(Out):
    items: list[Post]
    next: Annotated[str | None, Field(description="null: that is everything")]


class Effect(Out):
    closes: Annotated[int, Field(description="so many past posts close to somebody at once")]
    opens: Annotated[int, Field(description="so many past posts open to somebody")]


class Scheduled(Out):
    id: str
    at: datetime
    is_late: Annotated[bool, Field(description="by more than a day: it waits for another time, or to be thrown away")]
    body: str
    place: str
    link: str
    media: list[Media]
    mentions: list[Person]
    reshare_ok: bool | None
    audience: Audience


class Notice(Out):
    id: str
    kind: NoticeKind
    at: datetime
    by: Person
    post: str | None
    comment: str | None
    is_read: bool

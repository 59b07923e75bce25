"""Who may see what, in plain Python: 2.1 to 2.7 of the specification, word for word.  Times are whole numbers."""

from dataclasses import dataclass, field
from typing import Any

Name = str  # of members, groups, posts and comments alike


@dataclass
class Group:
    owner: Name
    deleted: bool = False
    stays: list[list[Any]] = field(default_factory=list)  # [member, added, removed or None]


@dataclass
class Post:
    author: Name
    at: int
    day: int
    aud_at: int
    mode: str
    lists: dict[str, set[Name]]
    body: str
    root: Name | None = None
    reshare_ok: bool = True
    comments_open: bool = True
    deleted: int | None = None  # when
    held: bool = False
    media: list[Name] = field(default_factory=list)


@dataclass
class Comment:
    post: Name
    user: Name
    reply_to: Name | None
    body: str
    deleted: bool = False
    held: bool = False


class Oracle:
    """The state, and the predicates over it."""

    def __init__(self, members: list[Name]) -> None:
        self.members = members
        self.time = self.day = 0
        self.acc = dict.fromkeys(members, "active")
        self.since: dict[frozenset[Name], int] = {}
        self.blocks: set[tuple[Name, Name]] = set()
        self.hides: set[tuple[Name, Name]] = set()
        self.mutes: set[tuple[Name, Name]] = set()
        self.window: dict[Name, int | None] = dict.fromkeys(members)
        self.newonly: set[Name] = set()
        self.groups: dict[Name, Group] = {}
        self.posts: dict[Name, Post] = {}
        self.scheduled: list[Any] = []  # day, author, mode, lists, body, photos: of none of them is there a post
        self.drafts: dict[Name, Name] = {}  # photos that no post shows yet, with their owners
        self.likes: dict[tuple[Name, Name], int] = {}  # post and member
        self.comments: dict[Name, Comment] = {}
        self.notices: list[tuple[Name, str, Name, Name | None, Name | None]] = []  # to, kind, by, post, comment

    def tick(self) -> int:
        self.time += 1
        return self.time

    def fr(self, a: Name, b: Name) -> bool:
        return (
            a != b
            and frozenset((a, b)) in self.since
            and not {(a, b), (b, a)} & self.blocks
            and self.acc[a] == self.acc[b] == "active"
        )

    def aud(self, v: Name, p: Post) -> bool:
        since, t = self.since[frozenset((p.author, v))], p.aud_at
        if p.mode == "friends":
            return not (p.author in self.newonly and since > p.at)
        if p.mode == "private" or since > t:
            return False
        denied = v in p.lists["deny_members"] or any(
            member == v and (removed is None or removed > t)
            for name in p.lists["deny_groups"]
            for member, _added, removed in self.groups[name].stays
        )
        allowed = v in p.lists["allow_members"] or any(
            member == v and added <= t and removed is None
            for name in p.lists["allow_groups"]
            if not self.groups[name].deleted
            for member, added, removed in self.groups[name].stays
        )
        return not denied and (allowed or p.mode == "deny")

    def row(self, v: Name, name: Name) -> str:
        """The first row of 2.4 that applies to a friend; of both lists the one of those left out comes first."""
        p = self.posts[name]
        a, window, t = p.author, self.window[p.author], p.aud_at
        since = self.since[frozenset((a, v))]
        stays = {kind: [(s, self.groups[g].deleted) for g in p.lists[kind] for s in self.groups[g].stays if s[0] == v]
                 for kind in ("allow_groups", "deny_groups")}  # fmt: skip
        return next(
            row
            for row, holds in {
                "held": p.held,
                "hidden": (a, v) in self.hides,
                "old": window is not None and self.day - p.day >= window,
                "private": p.mode == "private",
                "after_post": p.mode == "friends" and a in self.newonly and since > p.at,
                "friend": p.mode == "friends",
                "after_audience": since > t,
                "left_out": v in p.lists["deny_members"],
                "group_left_out": any(s[2] is None or s[2] > t for s, _gone in stays["deny_groups"]),
                "not_left_out": p.mode == "deny",
                "named": v in p.lists["allow_members"],
                "in_group": any(s[1] <= t and s[2] is None and not gone for s, gone in stays["allow_groups"]),
                "not_named": True,
            }.items()
            if holds
        )

    def see(self, v: Name, name: Name) -> bool:
        p = self.posts[name]
        window = self.window[p.author]
        return (
            p.deleted is None
            and self.acc[p.author] == self.acc[v] == "active"
            and (
                v == p.author
                or (
                    not p.held
                    and self.fr(p.author, v)
                    and (p.author, v) not in self.hides
                    and (window is None or self.day - p.day < window)  # the day's end lies between
                    and self.aud(v, p)
                )
            )
        )

    def root_v(self, v: Name, root: Name) -> bool:
        return self.see(v, root) and self.posts[root].reshare_ok

    def view(self, v: Name, name: Name) -> bool:
        """see, less reshares without words of whose root there is nothing to see."""
        p = self.posts[name]
        has_something = p.root is None or p.body != "" or self.root_v(v, p.root)
        return self.see(v, name) and (v == p.author or has_something)

    def would_see(self, v: Name, post: Post) -> bool:
        """Whether they could be mentioned in a post that is not there yet."""
        self.posts["draft"] = post
        try:
            return self.view(v, "draft")
        finally:
            del self.posts["draft"]

    def media(self, v: Name, m: Name) -> bool:
        return self.drafts.get(m) == v or any(m in p.media and self.view(v, name) for name, p in self.posts.items())

    def publish(self, name: Name, post: Post) -> None:
        self.posts[name] = post
        self.take(post.media)

    def take(self, photos: list[Name]) -> None:
        for photo in photos:
            self.drafts.pop(photo, None)

    def know(self, v: Name, c: Name, p: Post) -> bool:
        return v in (c, p.author) or c == p.author or self.fr(v, c)

    def actor(self, c: Name, p: Post) -> bool:
        return self.acc[c] == "active" and (c == p.author or self.fr(p.author, c))

    def like_v(self, v: Name, post: Name, user: Name) -> bool:
        p = self.posts[post]
        return self.view(v, post) and self.actor(user, p) and self.know(v, user, p)

    def present(self, v: Name, name: Name) -> bool:
        k = self.comments[name]
        p = self.posts[k.post]
        return (
            self.view(v, k.post)
            and self.actor(k.user, p)
            and self.know(v, k.user, p)
            and not (k.held and v != k.user)
            and (k.reply_to is None or self.present(v, k.reply_to))
        )

    def shown(self, v: Name, name: Name) -> bool:
        below = [child for child, k in self.comments.items() if k.reply_to == name]
        is_needed = not self.comments[name].deleted or any(self.shown(v, child) for child in below)
        return self.present(v, name) and is_needed

    def muted(self, v: Name, p: Post) -> bool:
        # Where its root does not show, a reshare is a plain post (2.7): 2.2's line of the feed would tell whose it is.
        authors = {p.author} | ({self.posts[p.root].author} if p.root and self.root_v(v, p.root) else set())
        return any((v, author) in self.mutes for author in authors)

    def newest(self, v: Name) -> list[Name]:
        return [name for name in sorted(self.posts, key=lambda n: -self.posts[n].at) if self.view(v, name)]

    def feed(self, v: Name) -> list[Name]:
        return [name for name in self.newest(v) if not self.muted(v, self.posts[name])]

    def album(self, v: Name, author: Name) -> list[Name]:
        return [name for name in self.newest(v) if self.posts[name].author == author]

    def card(self, v: Name, name: Name) -> dict[str, Any]:
        p = self.posts[name]
        likes = sorted((at, who) for (post, who), at in self.likes.items() if post == name)
        comments = [each for each, k in self.comments.items() if k.post == name and self.shown(v, each)]
        return {
            "post": name,
            "author": p.author,
            "body": p.body,
            "root": p.root if p.root and self.root_v(v, p.root) else None,
            "media": p.media,
            "root_media": self.posts[p.root].media if p.root and self.root_v(v, p.root) else None,
            "likes": [who for _at, who in likes if self.like_v(v, name, who)],
            "comments": [
                (each, *((None, "") if k.deleted else (k.user, k.body)), k.reply_to)
                for each, k in ((each, self.comments[each]) for each in comments)
            ],
            "open": p.comments_open,
            "audience": self.named(p) if v == p.author else None,
            "marks": (p.held, p.root is not None and not self.root_v(v, p.root)) if v == p.author else None,
        }

    def named(self, p: Post) -> tuple[Any, ...]:
        return p.mode, *(tuple(sorted(p.lists[kind])) for kind in sorted(p.lists))

    def tell(self, to: Name, kind: str, by: Name, post: Name | None = None, comment: Name | None = None) -> None:
        notice = (to, kind, by, post, comment)
        if to != by and self.notify(notice):
            self.notices.append(notice)

    def notify(self, notice: tuple[Name, str, Name, Name | None, Name | None]) -> bool:
        to, kind, by, post, comment = notice
        if kind == "accepted":
            return self.fr(to, by)
        if kind == "request":
            return False  # the driver accepts at once
        assert post
        if not self.view(to, post) or self.muted(to, self.posts[post]):
            return False
        if kind == "like":
            return (post, by) in self.likes and self.like_v(to, post, by)
        if comment:
            return self.shown(to, comment) and not self.comments[comment].deleted
        return True

    def noticed(self, v: Name) -> set[tuple[str, Name, Name | None, Name | None]]:
        return {notice[1:] for notice in self.notices if notice[0] == v and self.notify(notice)}

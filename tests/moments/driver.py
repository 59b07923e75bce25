"""Plays random events to the HTTP API and to the oracle."""

import itertools
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient

from bot import clock
from bot.database import transaction
from bot.jobs import moments as jobs
from bot.moments import addresses, members, posts, reactions
from models import Member, ReportReason
from tests.moments.conftest import ready
from tests.moments.looking import LISTS, PEOPLE, Looking, Mismatch
from tests.moments.oracle import Comment, Group, Oracle, Post

_histories = itertools.count(1)


class World(Looking):
    """Five members, some of them friends, each with a group.  Some events are frequent in it, some never come."""

    def __init__(self, client: FlaskClient, rng: random.Random, advance: Callable[[float], None]) -> None:
        self.client, self.rng, self.advance = client, rng, advance
        self.oracle = Oracle(PEOPLE)
        self.address: dict[str, str] = {}  # of each name of the oracle's
        self.keys: dict[str, str] = {}
        self.raw: dict[str, bytes] = {}  # what each feed was at the last look
        self.log: list[str] = []
        self.photos: list[str] = []
        self.slept = 0  # when days last went by: what was deleted before cannot be taken back
        self.count = itertools.count(1)
        history = next(_histories)
        with transaction() as session:
            for name in PEOPLE:
                member = members.add(session, f"{name}-{history}-{rng.randrange(10**9)}", name)
                self.keys[name] = members.make_token(session, member, "", ["all"])[1]
                self.address[name] = addresses.of("member", member.id)
        # What everything does a little of, nothing does much of: a fault may need the same event again and again.
        self.weights = [weight * (1 if event in NEEDED else rng.choice([0, 1, 1, 3])) for event, weight in EVENTS]
        acquainted = rng.choice([0.3, 0.7, 1])
        for who in rng.sample(PEOPLE, rng.choice([0, 0, 2])):
            self.privacy(who, who)
        for who, other in itertools.combinations(PEOPLE, 2):
            if rng.random() < acquainted:
                self.oracle.tick()
                self.befriend(who, other)
        for who in PEOPLE:
            for other in PEOPLE:
                if self.oracle.fr(who, other) and rng.random() < 0.6:
                    self.oracle.tick()
                    self.group_add(who, other)

    def act(self, may: bool, who: str, method: str, path: str, body: Any = None) -> Any:
        """Do it; it must succeed if the specification lets it, and must not otherwise."""
        may = may and (self.oracle.acc[who] == "active" or path.startswith("/me"))
        answer = self.ask(who, method, path, body)
        if (answer.status_code < 300) != may:
            raise Mismatch(f"{who} {method} {path} {body}: {answer.status_code}, may: {may}\n{answer.data[:300]!r}")
        return answer if may else None

    # What may happen: each plays one event to both.

    def step(self) -> str:
        event = self.rng.choices([event for event, _weight in EVENTS], self.weights)[0]
        who, other = self.rng.sample(PEOPLE, 2)
        begun, before = self.oracle.tick(), self.matrix()
        self.log.append(f"{event.__name__} {who} {other}")
        event(self, who, other)
        self.ratchet(event.__name__, who, before, begun)
        return event.__name__

    def befriend(self, who: str, other: str) -> None:
        o = self.oracle
        cut = {(who, other), (other, who)} & o.blocks
        may = frozenset((who, other)) not in o.since and not cut and o.acc[other] == "active"
        if not self.act(may, who, "POST", "/requests", {"member": self.address[other]}):
            return
        hides, chat_only = self.rng.random() < 0.1, self.rng.random() < 0.05
        body = {"hides": hides, "chat_only": chat_only}
        self.act(True, other, "POST", f"/requests/{self.address[who]}/accept", body)
        o.since[frozenset((who, other))] = o.time
        o.hides |= {(other, who)} if hides or chat_only else set()
        o.mutes |= {(other, who)} if chat_only else set()
        o.tell(who, "accepted", other)

    def unfriend(self, who: str, other: str) -> None:
        o, pair = self.oracle, frozenset((who, other))
        if self.act(pair in o.since, who, "DELETE", f"/friends/{self.address[other]}"):
            del o.since[pair]
            for group in o.groups.values():
                for stay in group.stays:
                    if {group.owner, stay[0]} == pair and stay[2] is None:
                        stay[2] = o.time

    def block(self, who: str, other: str) -> None:
        if self.act(True, who, "PUT", f"/blocks/{self.address[other]}"):
            self.oracle.blocks.add((who, other))

    def unblock(self, who: str, other: str) -> None:
        if self.act(True, who, "DELETE", f"/blocks/{self.address[other]}"):
            self.oracle.blocks.discard((who, other))

    def hide(self, who: str, other: str) -> None:
        self._set(who, other, "hides", self.oracle.hides)

    def mute(self, who: str, other: str) -> None:
        self._set(who, other, "mutes", self.oracle.mutes)

    def _set(self, who: str, other: str, what: str, pairs: set[tuple[str, str]]) -> None:
        value = (who, other) not in pairs
        if self.act(self.oracle.fr(who, other), who, "PATCH", f"/friends/{self.address[other]}", {what: value}):
            pairs.symmetric_difference_update({(who, other)})

    def privacy(self, who: str, other: str) -> None:
        window, newonly = self.rng.choice([None, None, 3, 30, 180]), self.rng.random() < 0.4
        if self.act(True, who, "PUT", "/me/privacy", {"window_days": window, "newonly": newonly}):
            self.oracle.window[who] = window
            self.oracle.newonly = self.oracle.newonly - {who} | ({who} if newonly else set())

    def _group(self, who: str) -> str | None:
        living = [name for name, group in self.oracle.groups.items() if group.owner == who and not group.deleted]
        if living and self.rng.random() < 0.8:
            return self.rng.choice(living)
        answer = self.act(True, who, "POST", "/groups", {"name": "g"})
        if answer is None:
            return None
        name = f"group{next(self.count)}"
        self.oracle.groups[name], self.address[name] = Group(who), answer.json["id"]
        return name

    def group_add(self, who: str, other: str) -> None:
        o, group = self.oracle, self._group(who)
        path = f"/groups/{self.address[group]}/members/{self.address[other]}" if group else ""
        if group and self.act(o.fr(who, other), who, "PUT", path):
            stays = o.groups[group].stays
            if not any(stay[0] == other and stay[2] is None for stay in stays):
                stays.append([other, o.time, None])

    def group_remove(self, who: str, other: str) -> None:
        group = self._group(who)
        inside = [stay[0] for stay in self.oracle.groups[group].stays if stay[2] is None] if group else []
        other = self.rng.choice([other, *inside])
        if group and self.act(True, who, "DELETE", f"/groups/{self.address[group]}/members/{self.address[other]}"):
            for stay in self.oracle.groups[group].stays:
                if stay[0] == other and stay[2] is None:
                    stay[2] = self.oracle.time

    def group_delete(self, who: str, other: str) -> None:
        group = self._group(who)
        if group and self.act(True, who, "DELETE", f"/groups/{self.address[group]}"):
            self.oracle.groups[group].deleted = True

    def _audience(self, who: str) -> tuple[str, dict[str, set[str]]]:
        o, rng = self.oracle, self.rng
        mode = rng.choices(["friends", "private", "allow", "deny"], [5, 1, 4, 4])[0]
        people = [name for name in PEOPLE if o.fr(who, name)]
        groups = [name for name, group in o.groups.items() if group.owner == who and not group.deleted]
        lists: dict[str, set[str]] = {kind: set() for kind in LISTS}
        kinds = {"allow": LISTS[:2] + (LISTS[2:] if rng.random() < 0.3 else ()), "deny": LISTS[2:]}.get(mode, ())
        for kind in kinds:
            choices = people if kind.endswith("members") else groups
            lists[kind] = set(rng.sample(choices, min(len(choices), rng.choice([0, 1, 1, 2]))))
        return mode, lists

    def _sent(self, mode: str, lists: dict[str, set[str]]) -> dict[str, Any]:
        return {"mode": mode, **{kind: [self.address[name] for name in names] for kind, names in lists.items()}}

    def post(self, who: str, other: str) -> None:
        mode, lists = self._audience(who)
        mentioned = other if self.rng.random() < 0.3 else None
        self._publish(who, mode, lists, f"words {next(self.count)}", None, True, mentioned)

    def reshare(self, who: str, other: str) -> None:
        source = self._post()
        if source:
            o, mode, lists = self.oracle, *self._audience(who)
            root = o.posts[source].root or source
            body = self.rng.choice(["", "", f"look {next(self.count)}"])
            self._publish(who, mode, lists, body, source, o.view(who, source) and o.root_v(who, root))

    def _publish(
        self, who: str, mode: str, lists: Any, body: str, source: str | None, may: bool, mentioned: str | None = None
    ) -> None:
        o = self.oracle
        photos = [self._photo(who) for _ in range(self.rng.choice([0, 0, 1, 2]))] if not source else []
        sent = {
            "body": body,
            "audience": self._sent(mode, lists),
            "root": self.address[source] if source else None,
            "media": [self.address[photo] for photo in photos],
            "mentions": [self.address[mentioned]] if mentioned else [],
        }
        name, root = f"post{next(self.count)}", (o.posts[source].root or source) if source else None
        post = Post(who, o.time, o.day, o.time, mode, lists, body, root, mode == "friends", media=photos)
        answer = self.act(may and (mentioned is None or o.would_see(mentioned, post)), who, "POST", "/posts", sent)
        if answer is None:
            return
        self.address[name] = answer.json["id"]
        o.publish(name, post)
        if mentioned:
            o.tell(mentioned, "mention", who, name)
        if root:
            o.tell(o.posts[root].author, "reshare", who, name)

    def _photo(self, who: str) -> str:
        name = f"photo{next(self.count)}"
        self.address[name] = ready(addresses.read("member", self.address[who]))
        self.photos.append(name)
        self.oracle.drafts[name] = who
        return name

    def photos_change(self, who: str, other: str) -> None:
        """One is taken out of a post, and perhaps another put into it."""
        o, name = self.oracle, self._post(who)
        if name is None or o.posts[name].root:
            return
        photos = o.posts[name].media[:-1] + [self._photo(who)] * self.rng.choice([0, 1])
        sent = {"media": [self.address[photo] for photo in photos]}
        may = o.posts[name].deleted is None
        if self.act(may, who, "PATCH", f"/posts/{self.address[name]}", sent):
            o.posts[name].media = photos
            o.take(photos)

    def _post(self, of: str | None = None) -> str | None:
        choices = [name for name, post in self.oracle.posts.items() if of in (None, post.author)]
        return self.rng.choice(choices[-12:]) if choices else None

    def like(self, who: str, other: str) -> None:
        o, name = self.oracle, self._post()
        may = name is not None and o.view(who, name) and o.posts[name].comments_open
        if name and self.act(may, who, "PUT", f"/posts/{self.address[name]}/like") and (name, who) not in o.likes:
            o.likes[name, who] = o.time
            o.tell(o.posts[name].author, "like", who, name)

    def unlike(self, who: str, other: str) -> None:
        o, name = self.oracle, self._post()
        if name and self.act(True, who, "DELETE", f"/posts/{self.address[name]}/like"):
            o.likes.pop((name, who), None)
            o.notices = [each for each in o.notices if each[1:4] != ("like", who, name)]

    def comment(self, who: str, other: str) -> None:
        name = self._post()
        if name:
            self._say(who, name, None, True)

    def reply(self, who: str, other: str) -> None:
        o = self.oracle
        if o.comments:
            parent = self.rng.choice(list(o.comments)[-8:])
            self._say(who, o.comments[parent].post, parent, o.shown(who, parent) and not o.comments[parent].deleted)

    def _say(self, who: str, post: str, parent: str | None, may: bool) -> None:
        o = self.oracle
        may = may and o.view(who, post) and o.posts[post].comments_open
        body = {"body": f"said {next(self.count)}", "reply_to": self.address[parent] if parent else None}
        answer = self.act(may, who, "POST", f"/posts/{self.address[post]}/comments", body)
        if answer is not None:
            name = f"comment{next(self.count)}"
            self.address[name], o.comments[name] = answer.json["id"], Comment(post, who, parent, body["body"])
            for to in {o.posts[post].author} | ({o.comments[parent].user} if parent else set()):
                o.tell(to, "comment", who, post, name)

    def delete_comment(self, who: str, other: str) -> None:
        o = self.oracle
        if o.comments:
            name = self.rng.choice(list(o.comments)[-8:])
            k = o.comments[name]
            who = self.rng.choice([who, k.user])
            is_authors = o.posts[k.post].author == who and o.shown(who, name)
            may = not k.deleted and (k.user == who or is_authors)
            if self.act(may, who, "DELETE", f"/comments/{self.address[name]}"):
                k.deleted = True

    def delete_post(self, who: str, other: str) -> None:
        o, name = self.oracle, self._post(self.rng.choice([who, None]))
        may = name is not None and o.posts[name].author == who and o.posts[name].deleted is None
        if name and self.act(may, who, "DELETE", f"/posts/{self.address[name]}"):
            o.posts[name].deleted = o.time

    def restore(self, who: str, other: str) -> None:
        o = self.oracle
        for name, p in o.posts.items():
            if p.author == who and p.deleted is not None and o.time - p.deleted < 4 and p.deleted > self.slept:
                if self.act(True, who, "POST", f"/posts/{self.address[name]}/restore"):
                    p.deleted = None
                return

    def change_audience(self, who: str, other: str) -> None:
        o, name = self.oracle, self._post(who)
        if name is None:
            return
        mode, lists = self._audience(who)
        p, before = o.posts[name], {v for v in PEOPLE if o.see(v, name)}
        sent = {"audience": self._sent(mode, lists), "confirm": True}
        if self.act(p.deleted is None, who, "PUT", f"/posts/{self.address[name]}/audience", sent):
            p.mode, p.lists, p.aud_at = mode, lists, o.time
            p.reshare_ok = p.reshare_ok and mode == "friends"
            if {v for v in PEOPLE if o.view(v, name)} - before:
                for each, k in o.comments.items():
                    if k.post == name and not k.deleted:
                        o.tell(k.user, "widened", who, name, each)

    def switch(self, who: str, other: str) -> None:
        """Resharing or comments, on or off."""
        o, name = self.oracle, self._post(who)
        if name is None:
            return
        p, what = o.posts[name], self.rng.choice(["reshare_ok", "comments_open"])
        value = not getattr(p, what)
        may = p.deleted is None and not (what == "reshare_ok" and value and p.mode != "friends")
        if self.act(may, who, "PATCH", f"/posts/{self.address[name]}", {what: value}):
            setattr(p, what, value)

    def off(self, who: str, other: str) -> None:
        if self.oracle.acc[who] == "active" and self.act(True, who, "POST", "/me/off"):
            self.oracle.acc[who] = "off"

    def leave(self, who: str, other: str) -> None:
        if self.oracle.acc[who] == "active" and self.act(True, who, "DELETE", "/me"):
            self.oracle.acc[who] = "gone"

    def back(self, who: str, other: str) -> None:
        for name in PEOPLE:  # also who is gone, as nothing erases them here
            if self.oracle.acc[name] in ("off", "gone") and self.act(True, name, "POST", "/me/back"):
                self.oracle.acc[name] = "active"

    def moderate(self, who: str, other: str) -> None:
        """An operator holds or releases a post or a comment, or suspends or releases a member."""
        o, name, rng = self.oracle, self._post(), self.rng
        with transaction() as session:
            if name and rng.random() < 0.5:
                o.posts[name].held = not o.posts[name].held
                posts.hold(session, addresses.read("post", self.address[name]), o.posts[name].held)
            elif o.comments and rng.random() < 0.5:
                name = rng.choice(list(o.comments)[-8:])
                o.comments[name].held = not o.comments[name].held
                reason = ReportReason.SPAM if o.comments[name].held else None
                reactions.hold(session, addresses.read("comment", self.address[name]), reason)
            elif o.acc[who] in ("active", "suspended"):
                member = session.get(Member, addresses.read("member", self.address[who]))
                assert member
                (members.suspend if o.acc[who] == "active" else members.release)(session, member)
                o.acc[who] = "suspended" if o.acc[who] == "active" else "active"

    def schedule(self, who: str, other: str) -> None:
        """An hour before so many days are over: the clock finds it, unless it comes more than a day late."""
        o, days = self.oracle, self.rng.choice([1, 2])
        mode, lists = self._audience(who)
        body, photos = f"words {next(self.count)}", [self._photo(who)]
        at = clock.now() + timedelta(days=days, hours=-1)
        sent = {"body": body, "audience": self._sent(mode, lists), "media": [self.address[photos[0]]]}
        if self.act(True, who, "POST", "/scheduled", {**sent, "at": at.isoformat()}):
            o.scheduled.append((o.day + days, who, mode, lists, body, photos))

    def pass_time(self, who: str, other: str) -> None:
        o, days = self.oracle, self.rng.choice([1, 1, 2, 5, 20])
        o.day += days
        self.slept = o.time
        self.advance(days * 86_400)
        jobs.publish()
        waits = o.scheduled
        o.scheduled = [each for each in waits if each[0] > o.day]
        for at, who, mode, lists, body, photos in waits:
            if at == o.day and o.acc[who] == "active":
                o.tick()
                name = f"post{next(self.count)}"
                self.address[name] = self.ask(who, "GET", f"/search?limit=1&q={body}").json["items"][0]["id"]
                reshare_ok = mode == "friends"
                o.publish(name, Post(who, o.time, o.day, o.time, mode, lists, body, None, reshare_ok, media=photos))


EVENTS: list[tuple[Callable[[World, str, str], None], int]] = [
    (World.befriend, 8), (World.unfriend, 2), (World.block, 1), (World.unblock, 2), (World.hide, 2), (World.mute, 2),
    (World.privacy, 2), (World.group_add, 6), (World.group_remove, 4), (World.group_delete, 1), (World.post, 12),
    (World.reshare, 6), (World.like, 12), (World.unlike, 2), (World.comment, 9), (World.reply, 10),
    (World.delete_comment, 3), (World.delete_post, 2), (World.restore, 2), (World.change_audience, 4),
    (World.photos_change, 3), (World.schedule, 4), (World.switch, 2), (World.off, 1), (World.leave, 1),
    (World.back, 4), (World.moderate, 2), (World.pass_time, 3),
]  # fmt: skip
NEEDED = {World.befriend, World.post}

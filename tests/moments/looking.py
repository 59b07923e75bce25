"""Compares what every member sees through the API with what the oracle says."""

import json
import random
from collections import Counter
from typing import Any

from flask.testing import FlaskClient

from tests.moments.oracle import Oracle

PEOPLE = ["ann", "bob", "cem", "dia", "eve"]
LISTS = ("allow_members", "allow_groups", "deny_members", "deny_groups")
MOST_PHOTOS = 10  # that everybody asks for
WIDENING = {"befriend", "unblock", "hide", "privacy", "change_audience", "restore", "back", "moderate"}


class Mismatch(AssertionError):
    """The API shows something else than the specification says."""


class Looking:
    client: FlaskClient
    rng: random.Random
    oracle: Oracle
    address: dict[str, str]  # of each name of the oracle's
    keys: dict[str, str]
    raw: dict[str, bytes]  # what each feed was at the last look
    log: list[str]
    photos: list[str]  # all that were ever in a post

    @property
    def names(self) -> dict[str, str]:
        return {address: name for name, address in self.address.items()}

    def ask(self, who: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.keys[who]}"}
        return self.client.open(f"/moments/api/v1{path}", method=method, json=body, headers=headers)

    def matrix(self) -> set[tuple[str, str]]:
        return {(v, name) for name in self.oracle.posts for v in PEOPLE if self.oracle.see(v, name)}

    def ratchet(self, event: str, who: str, before: set[tuple[str, str]], begun: int) -> None:
        """P2: only what the specification lists shows somebody an older post."""
        o = self.oracle
        gained = {(v, p) for v, p in self.matrix() - before if o.posts[p].at < begun}
        if gained and event not in WIDENING:
            raise Mismatch(f"{event} showed {gained}")
        for v, p in gained:
            if event in ("hide", "privacy", "change_audience", "restore") and o.posts[p].author != who:
                raise Mismatch(f"{event} of {who} showed {v} {p}")

    def look(self, event: str, around: bool = True) -> None:
        """Compare every feed, and all other surfaces of one member."""
        changed = {"delete_post", "delete_comment", "unlike"}
        for v in PEOPLE:
            answer = self.ask(v, "GET", "/feed?limit=100")
            if self.oracle.acc[v] != "active":
                self.equal(answer.status_code, 403, f"{v}'s door")
                continue
            names = self.oracle.feed(v)
            self.equal(self.cards(answer), [self.oracle.card(v, name) for name in names], f"feed of {v}")
            self.equal(answer.json["next"], None, f"{v} is told of more")
            if event in changed and self.raw.get(v) != answer.data and not self.differs(v):
                raise Mismatch(f"{event}: {v}'s feed changed by what {v} could not see")
            self.raw[v] = answer.data
        self.shown = {v: self._shown(v) for v in PEOPLE}
        if around:
            self.look_at_media()
            self.look_around(self.rng.choice(PEOPLE))

    def look_at_media(self) -> None:
        """Everybody asks for the last photos, whosesoever they are and wherever they were."""
        o = self.oracle
        for name in self.photos[-MOST_PHOTOS:]:
            for v in PEOPLE:
                answer = self.ask(v, "GET", f"/media/{self.address[name]}/thumb")
                may = 403 if o.acc[v] != "active" else 200 if o.media(v, name) else 404
                self.equal(answer.status_code, may, f"{name} for {v}")

    def _shown(self, v: str) -> str:
        o = self.oracle
        return json.dumps([o.card(v, name) for name in o.feed(v)]) if o.acc[v] == "active" else ""

    def differs(self, v: str) -> bool:
        """Whether the specification gives this member another feed than at the last look."""
        return self._shown(v) != getattr(self, "shown", {}).get(v)

    def look_around(self, v: str) -> None:
        o = self.oracle
        if o.acc[v] != "active":
            return
        for author in PEOPLE:
            cards = self.cards(self.ask(v, "GET", f"/members/{self.address[author]}/posts?limit=100"))
            self.equal([card["post"] for card in cards], o.album(v, author), f"album of {author} for {v}")
        for name in self.rng.sample(list(o.posts), min(3, len(o.posts))):
            answer = self.ask(v, "GET", f"/posts/{self.address[name]}")
            self.equal(answer.status_code, 200 if o.view(v, name) else 404, f"{name} for {v}")
            if answer.status_code == 200:
                self.equal(self.card(answer.json), o.card(v, name), f"{name} for {v}")
        found = self.cards(self.ask(v, "GET", "/search?limit=100&q=words"))
        expected = [name for name in o.newest(v) if o.posts[name].body.startswith("words")]
        self.equal([card["post"] for card in found], expected, f"search of {v}")
        listed = self.ask(v, "GET", "/notices?limit=100").json["items"]
        names = self.names
        noticed = {
            (n["kind"], names[n["by"]["id"]], n["post"] and names[n["post"]], n["comment"] and names[n["comment"]])
            for n in listed
        }
        self.equal(noticed, o.noticed(v), f"notices of {v}")
        self.equal(self.ask(v, "GET", "/notices/unread").json["count"], len(listed), f"unread of {v}")
        for other in PEOPLE:
            if o.fr(v, other):
                lines = self.ask(v, "GET", f"/friends/{self.address[other]}/sight").json["lines"]
                told = {(each["mode"], each["row"], each["is_seen"]): each["count"] for each in lines}
                mine = [name for name, p in o.posts.items() if p.author == v and p.deleted is None]
                rows = Counter((o.posts[name].mode, o.row(other, name), o.view(other, name)) for name in mine)
                self.equal(told, dict(rows), f"what {other} sees of {v}")
        friends = {names[each["id"]] for each in self.ask(v, "GET", "/friends").json["items"]}
        self.equal(friends, {name for name in PEOPLE if o.fr(v, name)}, f"friends of {v}")

    def cards(self, answer: Any) -> list[dict[str, Any]]:
        self.equal(answer.status_code, 200, "a list")
        return [self.card(each) for each in answer.json["items"]]

    def card(self, card: dict[str, Any]) -> dict[str, Any]:
        names = self.names
        comments = [
            (names[c["id"]], c["by"] and names[c["by"]["id"]], c["body"], c["reply_to"] and names[c["reply_to"]])
            for c in card["comments"]
        ]
        self.equal((card["like_count"], card["comment_count"]), (len(card["likes"]), len(comments)), "P7")
        own = card["own"]
        audience = own and own["audience"]
        return {
            "post": names[card["id"]],
            "author": names[card["author"]["id"]],
            "body": card["body"],
            "root": card["root"] and names[card["root"]["id"]],
            "media": [names[each["id"]] for each in card["media"]],
            "root_media": card["root"] and [names[each["id"]] for each in card["root"]["media"]],
            "likes": [names[each["id"]] for each in card["likes"]],
            "comments": comments,
            "open": card["comments_open"],
            "audience": audience
            and (audience["mode"], *(tuple(sorted(names[e["id"]] for e in audience[k])) for k in sorted(LISTS))),
            "marks": own and (own["is_held"], own["root_is_gone"]),
        }

    def equal(self, is_so: Any, should: Any, what: str) -> None:
        if is_so != should:
            raise Mismatch(f"{what} after {self.log[-6:]}:\n  API    {is_so}\n  oracle {should}")

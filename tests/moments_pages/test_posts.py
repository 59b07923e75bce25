"""The pages of posts by forms alone, as a browser without script sends them, in both languages."""

import io
import re
from collections.abc import Callable

import pytest
from werkzeug.datastructures import FileStorage

from tests.moments_pages.moments import picture
from tests.moments_pages.people import Person, words

Make = Callable[..., Person]


def photo(at: int = 0) -> FileStorage:
    return FileStorage(io.BytesIO(picture(at, (120, 90))), "photo.jpg", content_type="image/jpeg")


def test_the_feed_says_honestly_why_it_is_empty(person: Make, unlimited: None) -> None:
    ann = person("ann")
    assert "You have no friends here yet" in ann.text("/")
    bob = person("bob", ann)
    assert "Your friends have posted nothing that you may see" in ann.text("/")
    bob.post("hello")
    assert "hello" in ann.text("/")
    assert "That is everything" in ann.text("/")
    ann("PATCH", f"/friends/{bob.address}", {"mutes": True})
    assert "All of it is muted" in ann.text("/")
    assert "hello" in ann.text(f"/members/{bob.address}")


def test_the_feed_goes_on_by_links_to_the_first_post(person: Make, unlimited: None) -> None:
    ann = person("ann")
    for at in range(45):
        ann.post(f"post number {at:02d}")
    seen, path = [], "/"
    while path:
        page = ann.open(path).text
        seen += re.findall(r"post number (\d\d)", page)
        more = re.search(r'rel="next" href="/moments([^"]+)"', page)
        path = more[1] if more else ""
    assert seen == [f"{at:02d}" for at in reversed(range(45))]


@pytest.mark.parametrize(("language", "friends"), [("en", "3 friends"), ("zh", "3 位朋友")])
def test_photos_are_posted_to_a_group_with_a_plain_form(person: Make, language: str, friends: str) -> None:
    ann = person("ann", language=language)
    bob, _lin, eve = person("bob", ann), person("lin", ann), person("eve", ann)
    group = ann("POST", "/groups", {"name": "Family"}).json["id"]
    ann("PUT", f"/groups/{group}/members/{bob.address}")
    assert friends in ann.text("/compose")
    looked = ann.send("/compose", "/compose", do="add", mode="allow", allow_groups=group, photos=[photo(0), photo(1)])
    assert "Bob" in words(looked)
    one, two = re.findall(r'name="media" value="(\w+)"', looked.text)
    fields = {"mode": "allow", "allow_groups": group, "body": "by the lake", f"alt-{one}": "hills"}
    moved = ann.send("/compose", "/compose", do=f"down {one}", media=[one, two], **fields)
    assert re.findall(r'name="media" value="(\w+)"', moved.text) == [two, one]
    assert 'value="hills"' in moved.text
    sent = ann.send("/compose", "/compose", do="publish", media=[two, one], place="Xi'an", **fields)
    assert sent.status_code == 200
    assert "by the lake" in sent.text
    assert "Family" in words(sent)  # the mark on one's own
    theirs = bob.open("/")
    assert 'alt="hills"' in theirs.text
    assert "Family" not in words(theirs)
    assert "by the lake" not in eve.text("/")
    path = re.search(r'src="(/moments/api/v1/media/\w+/thumb)"', theirs.text)
    assert path
    assert bob.client.get(path[1]).status_code == 200
    assert eve.client.get(path[1]).status_code == 404


def test_a_refused_post_keeps_all_that_was_typed(person: Make) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    refused = ann.send(
        "/compose", "/compose", do="publish", body="hello", place="Xi'an", mode="private", mentions=bob.address
    )
    assert refused.status_code == 422
    assert "Somebody you mention would not see this post." in words(refused)
    assert "You mention Bob, who would not see this." in words(refused)
    assert ">hello</textarea>" in refused.text
    assert "Xi&#39;an" in refused.text
    assert ann.send("/compose", "/compose", do="publish", body="", mode="friends").status_code == 422
    broken = ann.send("/compose", "/compose", body="hi", photos=FileStorage(io.BytesIO(b"not a photo"), "a.jpg"))
    assert broken.status_code == 422
    assert "This is not a photo or video we know." in words(broken)


def test_liking_commenting_answering_and_taking_back(person: Make) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("hello")
    liked = bob.send(f"/posts/{post}/like", "/", next="/moments/")
    assert 'aria-pressed="true"' in liked.text
    bob.send(f"/posts/{post}/comments", "/", body="well said")
    comment = ann.get(f"/posts/{post}").json["comments"][0]["id"]
    assert "Answer Bob" in ann.text(f"/posts/{post}?reply={comment}")
    answered = ann.send(f"/posts/{post}/comments", "/", body="thank you", reply_to=comment)
    assert "thank you" in answered.text
    too_long = bob.send(f"/posts/{post}/comments", "/", body="x" * 1001)
    assert too_long.status_code == 422
    assert "x" * 1001 in too_long.text
    bob.send(f"/posts/{post}/comments/{comment}/delete", "/")
    assert "This comment was deleted." in ann.text(f"/posts/{post}")
    bob.send(f"/posts/{post}/like", "/", off="1")
    assert ann.get(f"/posts/{post}").json["like_count"] == 0


def test_a_script_gets_the_card_as_the_asker_sees_it(person: Make) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("hello")
    token = re.search(r'name="csrf_token" value="([^"]+)"', bob.open("/").text)
    assert token
    headers = {"X-Live": "1", "Accept-Language": "en"}
    data = {"csrf_token": token[1], "body": "hi"}
    answer = bob.client.post(f"/moments/posts/{post}/comments", data=data, headers=headers)
    assert answer.text.strip().startswith("<article")
    assert "hi" in words(answer)
    empty = bob.client.post(f"/moments/posts/{post}/comments", data={**data, "body": " "}, headers=headers)
    assert (empty.status_code, empty.text) == (422, "Write 1 to 1000 characters.")


def test_all_comments_are_reached_both_ways_from_a_linked_one(person: Make, unlimited: None) -> None:
    ann = person("ann")
    post = ann.post("hello")
    ids = [ann("POST", f"/posts/{post}/comments", {"body": f"comment {at:02d}"}).json["id"] for at in range(50)]
    newest = ann.text(f"/posts/{post}")
    assert "comment 49" in newest
    assert "comment 29" not in newest
    middle = ann.open(f"/posts/{post}?at={ids[20]}").text
    seen = set(re.findall(r"comment (\d\d)", middle))
    assert "20" in seen
    for label in ("Earlier comments", "Later comments"):
        path, before = f"/posts/{post}?at={ids[20]}", 0
        while path and before < 10:
            page = ann.open(path).text
            seen |= set(re.findall(r"comment (\d\d)", page))
            more = re.search(rf'href="/moments([^"]+)">{label}', page)
            path, before = more[1].replace("&amp;", "&") if more else "", before + 1
    assert len(seen) == 50


def test_a_post_is_edited_deleted_and_brought_back(person: Make) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("helo", media=[ann.photo(), ann.photo()])
    kept = ann.get(f"/posts/{post}").json["media"][0]["id"]
    edited = ann.send(f"/posts/{post}/edit", body="hello", media=kept)
    assert "Saved." in words(edited)
    assert len(bob.get(f"/posts/{post}").json["media"]) == 1
    assert "edited" in bob.text(f"/posts/{post}")
    assert "helo" in ann.text(f"/posts/{post}/history")
    assert bob.open(f"/posts/{post}/history").status_code == 404
    gone = ann.send(f"/posts/{post}/delete")
    assert "The post is deleted, for everybody." in words(gone)
    assert bob.open(f"/posts/{post}").status_code == 404
    assert "The post is back." in words(ann.send(f"/posts/{post}/restore"))
    assert bob.open(f"/posts/{post}").status_code == 200


def test_an_audience_is_narrowed_at_once_and_widened_after_a_question(person: Make) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    person("eve", ann)
    post = ann.post("hello")
    path = f"/posts/{post}/audience"
    looked = ann.send(path, path, do="look", mode="private")
    assert "only you" in words(looked)
    assert bob.open(f"/posts/{post}").status_code == 200
    ann.send(path, path, do="save", mode="private")
    assert bob.open(f"/posts/{post}").status_code == 404
    asked = ann.send(path, path, do="save", mode="allow", allow_members=bob.address)
    assert "One more friend will see this post." in words(asked)
    assert bob.open(f"/posts/{post}").status_code == 404
    done = ann.send(path, path, do="save", mode="allow", allow_members=bob.address, confirm="1")
    assert "One friend sees it now: Bob" in words(done)
    assert bob.open(f"/posts/{post}").status_code == 200
    history = ann.text(f"/posts/{post}/history")
    assert history.index("Only me") < history.index("All friends")


def test_passing_on_shows_the_root_to_those_who_may_see_it_only(person: Make) -> None:
    ann = person("ann")
    bob = person("bob", ann)
    eve = person("eve", bob)
    post = ann.post("a secret of the house")
    assert "a secret of the house" in bob.text(f"/compose?root={post}")
    bob.send("/compose", f"/compose?root={post}", body="read this", root=post, mode="friends")
    assert "read this" in eve.text("/")
    assert "a secret" not in eve.open("/").text
    assert "Passed on once" in ann.text(f"/posts/{post}")
    assert eve.open(f"/compose?root={post}").status_code == 404


def test_albums_search_and_what_a_friend_sees(person: Make) -> None:
    ann = person("ann")
    bob, eve = person("bob", ann), person("eve")
    ann.post("for all by the river")
    ann.post("for me by the river", audience={"mode": "private"})
    own = ann.text("/me")
    assert "for me by the river" in own
    assert "for all by the river" not in ann.text("/me?mode=private")
    for page in (bob.text(f"/members/{ann.address}"), ann.text(f"/view/{bob.address}"), bob.text("/search?q=river")):
        assert "for all by the river" in page
        assert "for me by the river" not in page
    assert "for all by the river" in bob.text(f"/members/{ann.address}?view=wall")
    assert "Ask to be friends" in eve.text(f"/members/{ann.address}")
    assert "river" not in eve.text(f"/members/{ann.address}")
    assert "No post that you may see has these words." in eve.text("/search?q=river")
    assert eve.open(f"/view/{ann.address}").status_code == 404

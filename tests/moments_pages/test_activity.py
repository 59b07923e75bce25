"""My activity: everything can be taken back, also where the post is gone from sight."""

from bot.jobs import moments
from tests.moments_pages.people import words


def test_all_three_kinds_are_listed_and_taken_back(person):
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("look")
    comment = bob("POST", f"/posts/{post}/comments", {"body": "well said"}).json["id"]
    bob("PUT", f"/posts/{post}/like")
    reshare = bob.post("see", root=post)
    ann.send(f"/friends/{bob.address}/stand", hides="1")
    page = bob.text("/activity")
    assert "1 comment well said" in page
    assert "A post that you do not see now" in page
    assert "1 post passed on see" in page
    for what, sentence in {
        f"comment {comment}": "Your comment is deleted.",
        f"like {post}": "Your like is taken back.",
        f"reshare {reshare}": "What you passed on is deleted.",
    }.items():
        assert sentence in words(bob.send("/activity/delete", "/activity", what=what))
    left = bob.get("/me/activity").json
    assert (left["comments"], left["likes"], left["reshares"]) == ([], [], [])


def test_what_others_left_is_not_touched(person):
    ann = person("ann")
    bob, eve = person("bob", ann), person("eve", ann)
    post = ann.post("look")
    comment = bob("POST", f"/posts/{post}/comments", {"body": "well said"}).json["id"]
    assert eve.send("/activity/delete", what=f"comment {comment}").status_code == 404
    assert eve.send("/activity/delete", what=f"reshare {post}").status_code == 404
    assert len(ann.get(f"/posts/{post}/comments").json["items"]) == 1


def test_the_writer_learns_that_a_post_s_author_removed_a_comment(person, advance):
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("look")
    comments = [bob("POST", f"/posts/{post}/comments", {"body": body}).json["id"] for body in ("one", "two")]
    ann("DELETE", f"/comments/{comments[0]}")
    bob("DELETE", f"/comments/{comments[1]}")
    left = [(each["body"], each["is_removed"]) for each in bob.get("/me/activity").json["comments"]]
    assert left == [("one", True)]  # not what Bob took back
    page = bob.text("/activity")
    assert "Removed by the post's author; nobody sees it any more." in page
    assert "Delete" not in page
    assert bob.get(f"/posts/{post}/comments").json["items"] == []
    advance(86_400)
    moments.erase()
    assert bob.get("/me/activity").json["comments"] == []

"""My activity: everything can be taken back, also where the post is gone from sight."""

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

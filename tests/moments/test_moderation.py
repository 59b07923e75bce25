"""Reports: from what one sees only, told to nobody; and what moderators do is undone as it was done."""

import time

import pytest
from sqlalchemy import Select, select

from bot.database import reading, transaction
from bot.errors import Conflict, NotFound
from bot.moments import addresses, moderation, reports
from models import CaseState, Member, MemberReport, ModerationCase, ReportReason, StaffView
from tests import processes

EACH = pytest.mark.databases


def report(who, what: str, reason: str = "spam", words: str = ""):
    return who("POST", f"/{what}/reports", {"reason": reason, "words": words})


def case_id() -> int:
    with reading() as session:
        return session.scalars(select(ModerationCase.id).order_by(ModerationCase.id.desc())).first() or 0


def decide(act, *values) -> None:
    with transaction() as session:
        act(session, *values)


def queue(state: CaseState = CaseState.OPEN):
    with reading() as session:
        return moderation.queue(session, state)


def everything(who, *others) -> list[str]:
    """All that this member gets to see."""
    paths = ["/feed", "/notices", "/notices/unread", "/me", "/me/export", "/me/staff-views", "/me/activity", "/friends"]
    return [who.get(path).data for path in [*paths, *(f"/members/{other.address}/posts" for other in (who, *others))]]


@EACH
def test_what_one_does_not_see_cannot_be_reported(join):
    ann = join("ann")
    bob, eve = join("bob", ann), join("eve")
    post = ann.post("hello")
    comment = bob("POST", f"/posts/{post}/comments", {"body": "hi"}).json["id"]
    for kind, there in (("post", post), ("comment", comment)):
        hidden, missing = (report(eve, f"{kind}s/{each}") for each in (there, addresses.of(kind, 4711)))
        assert (hidden.status_code, hidden.data) == (missing.status_code, missing.data) == (404, missing.data)
    assert queue() == []
    assert report(ann, f"posts/{post}").status_code == 422  # one's own
    bob("DELETE", f"/comments/{comment}")
    assert report(ann, f"comments/{comment}").status_code == 404


def test_being_reported_changes_nothing_that_anybody_sees(join):
    ann = join("ann")
    bob, tom = join("bob", ann), join("tom", ann)
    post = ann.post("hello")
    comment = tom("POST", f"/posts/{post}/comments", {"body": "hi"}).json["id"]
    tom.befriend(bob)
    before = [everything(each, ann) for each in (ann, bob, tom)]
    assert report(bob, f"posts/{post}", "insult", "about my sister").status_code == 204
    assert report(bob, f"comments/{comment}").status_code == 204
    assert len(queue()) == 2
    assert [everything(each, ann) for each in (ann, bob, tom)] == before


@EACH
def test_many_reports_are_one_case_and_a_second_word_replaces_the_first(join):
    ann = join("ann")
    bob, eve = join("bob", ann), join("eve", ann)
    post = ann.post("hello")
    for who, reason in ((bob, "spam"), (bob, "fraud"), (eve, "fraud")):
        assert report(who, f"posts/{post}", reason).status_code == 204
    (case,) = queue()
    assert case.reasons == {ReportReason.FRAUD: 2}


def test_a_member_may_report_so_much_a_day(join):
    ann = join("ann")
    bob = join("bob", ann)
    post = ann.post("hello")
    comments = [bob("POST", f"/posts/{post}/comments", {"body": str(n)}).json["id"] for n in range(6)]
    assert [report(ann, f"comments/{each}").status_code for each in comments] == [204] * 5 + [429]  # a new member's


@EACH
def test_moderators_see_the_kind_of_the_audience_and_no_names(join):
    ann, bob = join("ann"), join("bob")
    ann.befriend(bob)
    group = ann("POST", "/groups", {"name": "Tea circle"}).json["id"]
    ann("PUT", f"/groups/{group}/members/{bob.address}")
    post = ann.post("for bob", audience={"mode": "allow", "allow_groups": [group], "allow_members": [bob.address]})
    report(bob, f"posts/{post}", words="please look")
    with transaction() as session:
        shown = moderation.look(session, case_id(), "li")
        told = f"{shown} {[vars(each) for each in shown.reports if each.words]}"
        assert (shown.body, shown.mode, shown.writer.handle) == ("for bob", "allow", "ann")
    assert "Bob" not in told.replace("for bob", "")
    assert "Tea circle" not in told


def test_who_looked_stands_with_the_writer_alone(join):
    ann = join("ann")
    bob = join("bob", ann)
    post = ann.post("hello")
    comment = bob("POST", f"/posts/{post}/comments", {"body": "hi"}).json["id"]
    report(bob, f"posts/{post}")
    decide(moderation.look, case_id(), "li")
    report(ann, f"comments/{comment}")
    decide(moderation.look, case_id(), "API: watch")
    (hers,) = ann.get("/me/staff-views").json["items"]
    (his,) = bob.get("/me/staff-views").json["items"]
    assert (hers["who"], hers["post"], hers["comment"]) == ("li", post, None)
    assert (his["who"], his["post"], his["comment"]) == ("API: watch", None, comment)
    assert ann.get("/me/export").json["staff_views"] == [hers]


def test_a_held_post_is_its_authors_with_the_reason_until_it_is_released(join):
    ann = join("ann")
    bob = join("bob", ann)
    photo = ann.photo()
    post = ann.post("hello", media=[photo])
    report(bob, f"posts/{post}")
    decide(moderation.hold, case_id(), ReportReason.SPAM, "No adverts, please.")
    assert bob.get(f"/posts/{post}").status_code == bob.get(f"/media/{photo}/thumb").status_code == 404
    own = ann.get(f"/posts/{post}").json["own"]
    assert (own["is_held"], own["hold"]) == (True, {"reason": "spam", "words": "No adverts, please."})
    assert (queue(), [each.id for each in queue(CaseState.HELD)]) == ([], [case_id()])
    decide(moderation.release, case_id())
    assert bob.get(f"/posts/{post}").json["own"] is None
    assert ann.get(f"/posts/{post}").json["own"]["hold"] is None
    assert queue(CaseState.HELD) == []


@EACH
def test_a_held_comment_is_its_writers_alone_and_hides_what_answers_it(join):
    ann = join("ann")
    bob, eve = join("bob", ann), join("eve", ann)
    bob.befriend(eve)
    post = ann.post("hello")
    said = bob("POST", f"/posts/{post}/comments", {"body": "rude"}).json["id"]
    eve("POST", f"/posts/{post}/comments", {"body": "no", "reply_to": said})
    report(eve, f"comments/{said}")
    decide(moderation.hold, case_id(), ReportReason.INSULT)
    for who in (ann, eve):
        assert who.get(f"/posts/{post}").json["comments"] == []
        assert who.get(f"/posts/{post}").json["comment_count"] == 0
        assert "comment" not in [each["kind"] for each in who.get("/notices").json["items"]]
    his = bob.get(f"/posts/{post}").json["comments"]
    assert [(each["body"], each["hold"]) for each in his] == [("rude", {"reason": "insult", "words": ""}), ("no", None)]
    decide(moderation.release, case_id())
    assert ann.get(f"/posts/{post}").json["comment_count"] == 2


@EACH
def test_a_closed_case_is_shut_and_opened_by_another_report(join):
    ann = join("ann")
    bob = join("bob", ann)
    post = ann.post("hello", media=[ann.photo()])
    report(bob, f"posts/{post}")
    decide(moderation.dismiss, case_id())
    for shut in (moderation.look, moderation.hold):
        with pytest.raises(NotFound):
            decide(shut, case_id(), "li" if shut is moderation.look else ReportReason.SPAM)
    assert bob.get(f"/posts/{post}").status_code == 200
    report(bob, f"posts/{post}")
    assert [each.id for each in queue()] == [case_id()]
    with pytest.raises(Conflict):  # it is not held
        decide(moderation.release, case_id())
    ann("DELETE", f"/posts/{post}")
    assert queue() == []


@EACH
def test_photos_of_a_case_are_for_who_has_looked(join, advance):
    ann = join("ann")
    bob = join("bob", ann)
    photo = addresses.read("media", ann.photo())
    other = addresses.read("media", ann.photo())
    post = ann.post("hello", media=[addresses.of("media", photo)])
    ann.post("another", media=[addresses.of("media", other)])
    report(bob, f"posts/{post}")

    def loads(media_id: int, who: str) -> bool:
        with reading() as session:
            return moderation.media(session, case_id(), media_id, who) is not None

    assert not loads(photo, "li")
    decide(moderation.look, case_id(), "li")
    assert (loads(photo, "li"), loads(photo, "wang"), loads(other, "li")) == (True, False, False)
    advance(3_601)
    assert not loads(photo, "li")


def test_a_suspension_outlasts_switching_off_and_deleting(join):
    ann = join("ann")
    bob = join("bob", ann)
    post = ann.post("hello")
    decide(moderation.suspend, ann.member_id)
    assert bob.get(f"/posts/{post}").status_code == 404
    assert ann("POST", "/me/back").status_code == 403
    for path, method in (("/me/off", "POST"), ("/me", "DELETE")):
        assert ann(method, path).status_code in (200, 204)
        assert ann("POST", "/me/back").json["status"] == "suspended"
        assert bob.get(f"/posts/{post}").status_code == 404
    assert ann.get("/me/staff-views").status_code == 200
    decide(moderation.release_member, ann.member_id)
    assert bob.get(f"/posts/{post}").status_code == 200


@EACH
def test_why_it_was_reported_is_forgotten_with_what_was_deleted(join, advance):
    ann = join("ann")
    bob = join("bob", ann)
    post = ann.post("hello")
    report(bob, f"posts/{post}", words="it says hello")
    decide(moderation.look, case_id(), "li")
    ann("DELETE", f"/posts/{post}")
    decide(reports.erase_due)
    assert case_id()
    advance(24 * 3_600)
    decide(reports.erase_due)
    with reading() as session:
        assert session.scalars(select(MemberReport)).all() == []
        assert len(session.scalars(select(StaffView)).all()) == 1  # that somebody looked stays told


def report_at_once(number: int, post_id: int, member_ids: list[int], locks: bool) -> None:
    if not locks:
        Select.with_for_update = lambda self, **_options: self
    with transaction() as session:
        reports.report_post(session, session.get_one(Member, member_ids[number]), post_id, ReportReason.SPAM)
        time.sleep(0.3)


@EACH
def test_those_who_report_at_once_make_one_case(join):
    ann = join("ann")
    others = [join(name, ann).member_id for name in ("bob", "eve", "tom", "zoe")]
    processes.at_once(4, report_at_once, addresses.read("post", ann.post("hello")), others, True)
    (case,) = queue()
    assert case.reasons == {ReportReason.SPAM: 4}


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_without_the_lock_they_get_in_each_others_way(join):
    """Negative control."""
    ann = join("ann")
    others = [join(name, ann).member_id for name in ("bob", "eve", "tom", "zoe")]
    with pytest.raises(RuntimeError, match="UniqueViolation"):
        processes.at_once(4, report_at_once, addresses.read("post", ann.post("hello")), others, False)

"""Reporting from the card, and what the writer of something held gets to see."""

from bot.database import reading, transaction
from bot.moments import moderation
from models import CaseState, ReportReason
from tests.moments_pages.people import words


def queue():
    with reading() as session:
        return moderation.queue(session, CaseState.OPEN)


def test_a_post_is_reported_from_its_card_and_nothing_typed_is_lost(person):
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("hello")
    assert f"/moments/posts/{post}/report" in bob.open("/").text
    assert f"/moments/posts/{post}/report" not in ann.open("/").text
    path = f"/posts/{post}/report"
    assert "Only the moderators learn of it, and not who you are. Ann is not told." in bob.text(path)
    refused = bob.send(path, path, words="she shouts")
    assert (refused.status_code, "Choose what is wrong with it." in words(refused)) == (422, True)
    assert "she shouts" in refused.text
    assert "Thank you." in words(bob.send(path, path, reason="insult", words="she shouts"))
    (case,) = queue()
    assert case.reasons == {ReportReason.INSULT: 1}


def test_a_comment_is_reported_from_the_posts_page(person):
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("hello")
    comment = bob("POST", f"/posts/{post}/comments", {"body": "rude"}).json["id"]
    path = f"/comments/{comment}/report"
    assert f"/moments{path}" in ann.open(f"/posts/{post}").text
    assert f"/moments{path}" not in bob.open(f"/posts/{post}").text
    assert "rude" in ann.text(path)
    assert "Thank you." in words(ann.send(path, path, reason="insult"))
    assert [case.is_comment for case in queue()] == [True]


def test_what_one_does_not_see_has_no_form(person):
    ann, eve = person("ann"), person("eve")
    post = ann.post("hello")
    for answer in (eve.open(f"/posts/{post}/report"), eve.send(f"/posts/{post}/report", reason="spam")):
        assert answer.status_code == 404
    assert eve.open("/posts/00000000000/report").text.count("hello") == 0
    assert queue() == []


def test_its_writer_reads_why_it_is_held_and_who_looked(person):
    ann = person("ann", language="zh")
    bob = person("bob", ann)
    post = ann.post("buy")
    said = bob("POST", f"/posts/{post}/comments", {"body": "rude"}).json["id"]
    bob("POST", f"/posts/{post}/reports", {"reason": "spam"})
    ann("POST", f"/comments/{said}/reports", {"reason": "insult"})
    assert "还没有。" in ann.text("/staff-views")
    with transaction() as session:
        of_comment, of_post = moderation.queue(session, CaseState.OPEN)
        moderation.look(session, of_post.id, "李")
        moderation.hold(session, of_comment.id, ReportReason.INSULT)
    assert "A moderator holds this comment, and only you see it: Insult or hate." in bob.text(f"/posts/{post}")
    with transaction() as session:
        moderation.hold(session, of_post.id, ReportReason.SPAM, "请勿刷屏")
    assert "管理员暂停了这条动态的展示，只有你看得到：广告。 请勿刷屏" in ann.text(f"/posts/{post}")
    page = ann.text("/staff-views")
    assert "你的一条动态" in page
    assert "李" in page

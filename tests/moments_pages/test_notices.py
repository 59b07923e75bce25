"""Notices on the page: grouped by post, read, muted, and chosen by kind."""

from tests.moments_pages.people import words


def test_notices_of_a_post_stand_together_until_read(person):
    ann = person("ann")
    bob = person("bob", ann)
    cem = person("cem", ann)
    post, other = ann.post("A walk by the river"), ann.post("Tea at four")
    for each in (bob, cem):
        each("PUT", f"/posts/{post}/like")
    bob("POST", f"/posts/{other}/comments", {"body": "I'll come"})
    cem("POST", f"/posts/{post}/comments", {"body": "Lovely"})
    page = ann.text("/notices")
    assert "A walk by the river Cem commented Lovely" in page
    assert page.count("A walk by the river") == 1
    assert page.index("Tea at four") > page.index("A walk by the river")  # the newest first
    newest = ann.get("/notices").json["items"][0]["id"]
    answer = ann.send("/notices/read", "/notices", until=newest)
    assert "Mark all as read" not in words(answer)
    assert ann.get("/notices/unread").json["count"] == 0


def test_only_what_is_still_visible_is_there(person):
    ann = person("ann")
    bob = person("bob", ann)
    post = ann.post("hello")
    bob("POST", f"/posts/{post}/comments", {"body": "secret words"})
    assert "secret words" in ann.text("/notices")
    bob("DELETE", f"/friends/{ann.address}")
    page = ann.text("/notices")
    assert "secret words" not in page
    assert "Nothing new." in page


def test_a_post_is_muted_from_its_notices(person):
    ann = person("ann", language="zh")
    bob = person("bob", ann)
    post = ann.post("hello")
    bob("PUT", f"/posts/{post}/like")
    assert "这条动态不再通知你。" in words(ann.send(f"/notices/mute/{post}", "/notices"))
    assert "Bob 赞了你的动态" not in ann.text("/notices")
    assert "不再通知的动态 hello 恢复通知" in ann.text("/notices/choices")
    ann.send(f"/notices/mute/{post}", "/notices/choices", again="1")
    assert "Bob 赞了你的动态" in ann.text("/notices")


def test_kinds_are_chosen_by_their_marks(person):
    ann = person("ann")
    bob = person("bob", ann)
    bob("PUT", f"/posts/{ann.post('hello')}/like")
    assert "Bob likes your post" in ann.text("/notices")
    ann.send("/notices/choices", "/notices/choices", comment="1", also_like="1")
    choices = ann.get("/notices/choices").json
    assert {kind for kind, is_on in choices.items() if is_on} == {"comment", "also_like"}
    assert "Bob likes your post" not in ann.text("/notices")


def test_older_notices_are_a_page_further(person, unlimited):
    ann = person("ann")
    bob = person("bob", ann)
    for number in range(45):
        bob("PUT", f"/posts/{ann.post(f'post {number}')}/like")
    first = ann.open("/notices")
    assert "post 44" in words(first)
    assert "post 2 " not in words(first)
    following = first.text.split('href="/moments/notices?after=')[1].split('"')[0]
    last = ann.text(f"/notices?after={following}")
    assert "post 2 " in last
    assert "That is everything." in last

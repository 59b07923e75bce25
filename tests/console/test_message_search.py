"""Searching messages in the console: grouped, marked, paged, and honest about what cannot be found."""

from datetime import timedelta

from bot import clock
from bot.console import message_search as page
from bot.jobs import message_search as job
from bot.services import message_search
from models import InboundMessage
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse


def test_texts_are_grouped_by_conversation_and_lead_to_their_place(browser: Browser, house: TeaHouse) -> None:
    answer = browser.open("/tea-house/conversations/search?search=周六")

    assert "<mark>周六</mark>" in answer.text
    assert f'href="/console/tea-house/conversations/{house.conversation.id}"' in answer.text
    asked, answered = answer.text.index("包间还有吗"), answer.text.index("还有一间")
    assert answered < asked  # the newest first
    place = f"/tea-house/followers/{house.people[0].id}?before="
    assert place in answer.text
    link = answer.text.split(place)[1].split('"')[0].replace("&amp;", "&")
    address, _, anchor = link.partition("#")
    assert f'id="{anchor}"' in browser.open(place + address).text


def test_pages_hold_all_and_none_twice(browser: Browser, house: TeaHouse, monkeypatch) -> None:
    monkeypatch.setattr(page, "PAGE", 4)
    seen: list[str] = []
    address = "/tea-house/conversations/search?search=谢谢"
    while address:
        text = browser.open(address).text
        seen += [part.split('"')[0] for part in text.split('class="hit" href="')[1:]]
        after = text.split('rel="next" href="/console')[1:]
        address = after[0].split('"')[0].replace("&amp;", "&") if after else ""
    wanted = message_search.find(browser.session, house.account, "谢谢", limit=1000)

    assert len(seen) == len(set(seen)) == len(wanted) > 8


def test_too_little_is_told_at_the_box_and_kept(browser: Browser, house: TeaHouse) -> None:
    answer = browser.open("/tea-house/conversations/search?search=退")

    assert answer.status_code == 422
    assert 'value="退"' in answer.text
    assert "Search for two characters that stand together" in answer.text


def test_nothing_found_and_nothing_asked_say_what_to_do(browser: Browser, house: TeaHouse) -> None:
    assert "Nothing found" in browser.open("/tea-house/conversations/search?search=退款").text
    assert "Two Chinese characters are enough" in browser.open("/tea-house/conversations/search").text
    assert "Nothing found" in browser.open("/tea-house/conversations/search?search=谢谢&before=1").text


def test_while_messages_are_read_the_page_says_so(browser: Browser, house: TeaHouse) -> None:
    person = house.people[0]
    whose = {"account_id": house.account.id, "openid": person.openid, "follower_id": person.id}
    now = clock.now() - timedelta(seconds=1)
    row = InboundMessage(**whose, dedup_key="new", kind="text", text="<b>退款</b>", received_at=now)
    browser.session.add(row)
    browser.session.commit()
    address = "/tea-house/conversations/search?search=退款"
    assert "still being read" in browser.open(address).text

    job.index(1)

    text = browser.open(address).text
    assert "still being read" not in text
    assert "&lt;b&gt;<mark>退款</mark>&lt;/b&gt;" in text

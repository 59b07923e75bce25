"""The pages of campaigns: what they say, keep, refuse and do."""

import re
from datetime import timedelta
from html import escape
from typing import Any

import pytest
from sqlalchemy import select

from bot import clock
from bot.services import access, operators
from models import AccountKind, Campaign, CampaignStatus, Delivery, DeliveryStatus, Role
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse
from tests.factories import Create

COMPOSED = {
    "do": "save",
    "name": "冬茶",
    "channel": "mass",
    "whom": "everyone",
    "when": "now",
    "variants.0.name": "A",
    "variants.0.weight": "1",
    "variants.0.content.kind": "text",
    "variants.0.content.text": "冬茶到店，\r\n欢迎品尝。",
}
BASE = "/tea-house/campaigns"


def newest(create: Create) -> Campaign:
    create.session.expire_all()
    return create.session.scalars(select(Campaign).order_by(Campaign.id.desc())).first()


def now_of(create: Create, campaign: Campaign) -> Campaign:
    create.session.expire_all()
    return create.session.get_one(Campaign, campaign.id)


# The list and the calendar --------------------------------------------------------------------------------------------


def test_the_list_says_what_is_sent_and_what_is_next(browser: Browser, house: TeaHouse) -> None:
    page = browser.open(BASE).text
    assert "3 campaigns wait for a decision. “周末试饮会” is being sent. Next: “会员日”" in page
    assert "15,104 done, 31,208 left" in page
    assert "/campaigns/new?goal=event" in page
    drafts = browser.open(f"{BASE}?status=draft").text
    assert "秋茶上新" in drafts
    assert "早安茶" not in re.search(r"<tbody>.*</tbody>", drafts, re.DOTALL)[0]


def test_an_empty_list_offers_examples(browser: Browser, create: Create) -> None:
    create.account("empty")
    page = browser.open("/empty/campaigns").text
    assert "Write to your followers" in page
    for goal in ("news", "sale", "event", "survey"):
        assert f'href="/console/empty/campaigns/new?goal={goal}"' in page
        assert "<textarea" in browser.open(f"/empty/campaigns/new?goal={goal}").text


def test_a_campaign_moves_to_another_day_at_the_same_hour(browser: Browser, house: TeaHouse, create: Create) -> None:
    draft = house.campaigns[0]
    day = (clock.now() + timedelta(days=9)).strftime("%Y-%m-%d")
    answer = browser.send(f"{BASE}/{draft.id}/move", day=day, next="calendar")
    assert answer.headers["Location"].endswith(f"month={day[:7]}")
    assert now_of(create, draft).starts == f"{day}T10:00"
    assert f'data-day="{day}"' in browser.open(f"{BASE}/calendar?month={day[:7]}").text
    browser.send(f"{BASE}/{draft.id}/move", day="2020-01-01", next="calendar")
    assert now_of(create, draft).starts == f"{day}T10:00"  # a day that has passed is refused
    assert "Its start has passed" in browser.open(BASE).text


@pytest.mark.parametrize("month", ["", "2026-02", "nonsense", "2026-13", "0000-00"])
def test_the_calendar_opens_at_any_month(browser: Browser, house: TeaHouse, month: str) -> None:
    assert browser.open(f"{BASE}/calendar?month={month}").status_code == 200


# Writing --------------------------------------------------------------------------------------------------------------


@pytest.mark.databases
def test_a_campaign_is_written_and_kept(browser: Browser, house: TeaHouse, create: Create) -> None:
    answer = browser.send(f"{BASE}/new", **COMPOSED)
    made = newest(create)
    assert answer.headers["Location"].endswith(f"/campaigns/{made.id}/plan")
    assert made.variants[0]["content"] == {"kind": "text", "text": "冬茶到店，\n欢迎品尝。"}
    assert (made.channel, made.to_everyone, made.starts) == ("mass", True, "")
    page = browser.open(f"{BASE}/{made.id}/plan").text
    assert "冬茶到店" in page
    assert f'name="seen" value="{made.version}"' in page


CONTENTS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("mass", {"kind": "image", "media_id": "m1", "text": "left over"}, {"kind": "image", "media_id": "m1"}),
    (
        "mass",
        {"kind": "articles", "articles.0.title": "T", "articles.0.content": "<p>x", "articles.0.thumb_media_id": "m"},
        {"kind": "articles", "send_ignore_reprint": False},
    ),
    (
        "service",
        {"kind": "link", "title": "T", "url": "https://tea.example.com", "description": "D"},
        {"kind": "link", "title": "T", "url": "https://tea.example.com", "description": "D", "picture_url": ""},
    ),
    (
        "template",
        {"kind": "text", "template_id": "t1", "values.0.place": "thing1", "values.0.value": "{{nickname|x}}"},
        {"kind": "template", "template_id": "t1", "values": {"thing1": "{{nickname|x}}"}, "url": ""},
    ),
    (
        "notice",
        {
            "template_id": "t1",
            "values.0.place": "a",
            "values.0.value": "b",
            "miniprogram.appid": "wx0123456789abcdef",
            "miniprogram.pagepath": "p",
        },
        {"kind": "notice", "miniprogram": {"appid": "wx0123456789abcdef", "pagepath": "p"}},
    ),
]


@pytest.mark.parametrize(("channel", "typed", "kept"), CONTENTS)
def test_each_kind_is_kept_with_its_own_fields_and_shown_again(
    browser: Browser, house: TeaHouse, create: Create, channel: str, typed: dict[str, str], kept: dict[str, Any]
) -> None:
    fields = {f"variants.0.content.{name}": value for name, value in typed.items()}
    given = {**COMPOSED, "channel": channel, "variants.0.content.text": None, **fields}
    assert browser.send(f"{BASE}/new", **given).status_code == 302
    content = newest(create).variants[0]["content"]
    assert {name: content[name] for name in kept} == kept
    page = browser.open(f"{BASE}/{newest(create).id}/plan").text
    for name, value in typed.items():
        if name not in ("kind", "text"):
            assert f'name="variants.0.content.{name}"' in page
            assert escape(value) in page


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"name": ""}, "name", "Fill this in."),
        ({"variants.0.content.text": ""}, "variants-0-content-text", "Fill this in."),
        ({"whom": "segment"}, "", ""),
        ({"when": "at", "starts": ""}, "", ""),
        ({"when": "at", "starts": "x"}, "starts", "Give the start as a date and a time"),
        ({"quiet_from": "22:00"}, "quiet_from", "Give both ends"),
        ({"channel": "service", "whom": "all"}, "whom", "Only a mass message goes to a tag or to all."),
        ({"whom": "tag"}, "tag_id", "Choose the tag"),
        ({"variants.0.content.kind": "link", "variants.0.content.title": "T", "variants.0.content.url": "https://a.cn"},
         "variants-0-content-kind", "This channel cannot carry"),
        ({"variants.1.name": "A", "variants.1.content.kind": "text", "variants.1.content.text": "zwei"},
         "variants-1-name", "Give each variant a name of its own."),
        ({"pace": "0"}, "pace", "This cannot be used here."),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_its_field_and_all_is_kept(
    browser: Browser, house: TeaHouse, changed: dict[str, str], field: str, sentence: str
) -> None:
    answer = browser.send(f"{BASE}/new", **{**COMPOSED, **changed})
    if not field:
        assert answer.status_code == 302  # a draft may be unfinished; the check says what is missing
        return
    assert answer.status_code == 422
    assert re.search(rf'id="f-{field}-error">.*?{re.escape(sentence)}', answer.text, re.DOTALL), field
    assert f'id="f-{field}"' in answer.text
    assert 'name="name" value="' + changed.get("name", "冬茶") in answer.text


def test_variants_are_added_and_removed_without_losing_words(browser: Browser, house: TeaHouse) -> None:
    page = browser.send(f"{BASE}/new", **{**COMPOSED, "do": "add"}).text
    assert 'name="variants.1.name" value="B"' in page
    assert page.count("欢迎品尝。</textarea>") == 2
    two = {**COMPOSED, "variants.1.name": "B", "variants.1.content.text": "zweite", "do": "remove:0"}
    page = browser.send(f"{BASE}/new", **two).text
    assert "zweite" in page
    assert "欢迎品尝。</textarea>" not in page


def test_whoever_saves_second_sees_both_sides(browser: Browser, house: TeaHouse, create: Create) -> None:
    draft = house.campaigns[0]
    browser.send(f"{BASE}/{draft.id}/plan", **{**COMPOSED, "seen": "1", "variants.0.content.text": "erste"})
    answer = browser.send(f"{BASE}/{draft.id}/plan", **{**COMPOSED, "seen": "1", "variants.0.content.text": "zweite"})
    assert answer.status_code == 409
    assert "owner has changed “冬茶” meanwhile." in answer.text
    assert 'class="was">erste' in answer.text
    assert 'class="now">zweite' in answer.text
    seen = re.search(r'name="seen" value="(\d+)"', answer.text)
    assert now_of(create, draft).variants[0]["content"]["text"] == "erste"
    again = {**COMPOSED, "seen": seen[1], "variants.0.content.text": "zweite"}
    assert browser.send(f"{BASE}/{draft.id}/plan", **again).status_code == 302
    assert now_of(create, draft).variants[0]["content"]["text"] == "zweite"


def test_what_the_account_may_not_do_is_said_before(browser: Browser, house: TeaHouse, create: Create) -> None:
    house.account.kind = AccountKind.SUBSCRIPTION
    create.session.commit()
    page = browser.open(f"{BASE}/new").text
    locked = re.findall(r'name="channel" value="(\w+)"[^>]* disabled', page)
    assert "template" in locked
    assert "WeChat lets only verified service accounts do this." in page


def test_the_phone_shows_what_the_sender_would_send(browser: Browser, house: TeaHouse) -> None:
    words = {**COMPOSED, "channel": "service", "variants.0.content.text": "{{nickname|朋友}}，你好"}
    page = browser.send(f"{BASE}/preview", **words).text
    assert "一个名字特别特别长的老顾客从来不肯改短，你好" in page  # the worst case, by itself
    page = browser.send(f"{BASE}/preview", **words, **{"as": str(house.people[0].id)}).text
    assert "林晓雨，你好" in page
    page = browser.send(f"{BASE}/preview", **words, as_search="Emma").text
    assert re.search(rf'name="as" value="{house.people[3].id}"', page)
    page = browser.send(f"{BASE}/preview", **{**words, "channel": "mass"}).text
    assert "A mass message says the same to everybody" in page
    page = browser.send(f"{BASE}/preview", **{**words, "variants.0.content.text": ""}).text
    assert "Write something to see it here." in page


def test_a_test_goes_to_the_follower_who_was_chosen(browser: Browser, house: TeaHouse, create: Create) -> None:
    draft = house.campaigns[0]
    answer = browser.send(f"{BASE}/{draft.id}/plan", **{**COMPOSED, "do": "test"})
    assert "Choose beside the phone who gets the test." in answer.text
    chosen = {**COMPOSED, "do": "test", "as": str(house.people[1].id)}
    answer = browser.send(f"{BASE}/{draft.id}/plan", **chosen)
    assert answer.status_code == 302, re.findall(r'class="error".*?</p>', answer.text)
    assert "Sending the test" in browser.open(f"{BASE}/{draft.id}/plan").text


# Checking and launching -----------------------------------------------------------------------------------------------


@pytest.mark.databases
def test_the_button_says_what_it_does_and_does_it(browser: Browser, house: TeaHouse, create: Create) -> None:
    browser.send(f"{BASE}/new", **COMPOSED)
    made = newest(create)
    page = browser.open(f"{BASE}/{made.id}/check").text
    assert "Send to 11 followers" in page
    assert browser.send(f"{BASE}/{made.id}/launch", seen=str(made.version)).status_code == 302
    launched = now_of(create, made)
    assert (launched.status, launched.launched_by) == (CampaignStatus.PREPARING, "owner")
    again = browser.send(f"{BASE}/{made.id}/launch", seen=str(made.version))
    assert again.status_code == 302
    assert "was launched or changed a moment ago" in browser.open(f"{BASE}/{made.id}").text
    browser.send(f"{BASE}/{made.id}/steer", do="undo")
    assert now_of(create, made).status is CampaignStatus.DRAFT


def test_what_keeps_it_from_going_out_is_said_instead_of_a_button(
    browser: Browser, house: TeaHouse, create: Create
) -> None:
    browser.send(f"{BASE}/new", **{**COMPOSED, "whom": "segment"})
    page = browser.open(f"{BASE}/{newest(create).id}/check").text
    assert "Choose who gets it" in page
    assert f"/campaigns/{newest(create).id}/launch" not in page
    browser.send(f"{BASE}/new", **{**COMPOSED, "variants.0.content.text": "{{nickname}}"})
    answer = browser.send(f"{BASE}/{newest(create).id}/launch", seen=str(newest(create).version))
    assert answer.status_code == 422
    assert "A mass message says the same to everybody" in answer.text
    assert newest(create).status is CampaignStatus.DRAFT


# Running --------------------------------------------------------------------------------------------------------------


def test_each_state_says_why_and_what_next(browser: Browser, house: TeaHouse, create: Create) -> None:
    expected = {
        1: ("Stopped by itself", "More than half of the last messages failed", "Go on with the remaining 3,210"),
        2: ("Finished",),
        3: ("Being sent", "Pause", "Stop sending to the remaining 31,208"),
        4: ("Begins 2", "Take it back"),
        5: ("Waits for a second person", "Approve: send to 46,312 followers"),
        6: ("The start was missed", "Send now to 46,312 followers"),
    }
    for at, sentences in expected.items():
        page = browser.open(f"{BASE}/{house.campaigns[at].id}").text
        for sentence in sentences:
            assert sentence in page, at
    paused = now_of(create, house.campaigns[1])
    for why, sentence in {
        "token": "Check the AppSecret under Settings",
        "configuration": "Mend this in WeChat&#39;s console",
        "secret": "Enter it again under Settings",
        "refused": "This call was refused as a whole",
        "person": "nobody is written to twice",
    }.items():
        paused.why = why
        create.session.commit()
        assert sentence in browser.open(f"{BASE}/{paused.id}").text
    sending = now_of(create, house.campaigns[3])
    sending.parked_until, sending.errcode = clock.now() + timedelta(hours=5), 45028
    create.session.commit()
    page = browser.open(f"{BASE}/{sending.id}").text
    assert "quota is used up until" in page
    assert "broadcasts for this period are used up" in page


def test_steps_move_the_campaign_and_one_that_is_late_says_so(
    browser: Browser, house: TeaHouse, create: Create
) -> None:
    sending = house.campaigns[3]
    for do, status in (("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")):
        browser.send(f"{BASE}/{sending.id}/steer", do=do)
        assert now_of(create, sending).status == status
    browser.send(f"{BASE}/{sending.id}/steer", do="pause")
    assert "is no longer where it was" in browser.open(f"{BASE}/{sending.id}").text
    assert browser.send(f"{BASE}/{sending.id}/steer", do="explode").status_code == 422
    paused = house.campaigns[1]
    browser.send(f"{BASE}/{paused.id}/pace", pace="77")
    assert now_of(create, paused).pace == 77
    browser.send(f"{BASE}/{paused.id}/pace", pace="0")
    assert now_of(create, paused).pace == 77
    browser.send(f"{BASE}/{paused.id}/pace", pace="")
    assert now_of(create, paused).pace is None


def test_whoever_launched_cannot_approve(browser: Browser, house: TeaHouse, create: Create) -> None:
    waiting = now_of(create, house.campaigns[5])
    waiting.launched_by = "owner"
    create.session.commit()
    assert "somebody else has to approve it" in browser.open(f"{BASE}/{waiting.id}").text
    browser.send(f"{BASE}/{waiting.id}/steer", do="approve", seen=str(waiting.version))
    assert now_of(create, waiting).status is CampaignStatus.WAITING
    waiting.launched_by = "小林"
    create.session.commit()
    browser.send(f"{BASE}/{waiting.id}/steer", do="approve", seen=str(waiting.version))
    assert now_of(create, waiting).status is CampaignStatus.SCHEDULED


def test_who_only_looks_sees_no_button(app: Any, house: TeaHouse, create: Create) -> None:
    analyst = create.operator("analyst", role=None)
    access.give(create.session, analyst, Role.ANALYST, house.account)
    looker = Browser(app.test_client(), create.session)
    looker.sign_in(operators.sign_in(create.session, analyst, "x"))
    create.session.commit()
    for path in ("", f"/{house.campaigns[0].id}/plan", f"/{house.campaigns[1].id}", f"/{house.campaigns[3].id}"):
        page = looker.open(BASE + path).text
        for word in ("Go on with", "Stop sending", "Save the draft</button>", "New campaign", "Change the speed"):
            assert word not in re.sub(r'class="unseen".*?</button>', "", page), (path, word)


def test_what_is_not_confirmed_is_decided_by_a_person(browser: Browser, house: TeaHouse, create: Create) -> None:
    paused = house.campaigns[1]
    unknown = select(Delivery).where(Delivery.campaign_id == paused.id, Delivery.status == DeliveryStatus.UNKNOWN)
    assert create.session.scalars(unknown).all()
    browser.send(f"{BASE}/{paused.id}/steer", do="count")
    create.session.expire_all()
    assert not create.session.scalars(unknown).all()
    assert "3 followers count as sent now." in browser.open(f"{BASE}/{paused.id}").text


# Who got it -----------------------------------------------------------------------------------------------------------


def test_why_didnt_li_get_it(browser: Browser, house: TeaHouse) -> None:
    base = f"{BASE}/{house.campaigns[1].id}/recipients"
    for at, sentence in (
        (1, "WeChat refused it. The follower has not written lately"),
        (2, "they may have it"),
        (3, "They have opted out of campaigns."),
        (4, "Their turn has not come yet."),
    ):
        page = browser.open(f"{base}?follower_id={house.people[at].id}").text
        assert sentence in page
    other = f"{BASE}/{house.campaigns[3].id}/recipients?search=Li&follower_id={house.people[8].id}"
    assert "It was not meant for them" in browser.open(other).text
    assert "李四光" in browser.open(f"{base}?search=李").text
    failed = browser.open(f"{base}?status=failed&errcode=45015").text
    assert "王建国" in failed
    assert "林晓雨" not in failed


def test_the_export_says_all_and_runs_no_formula(browser: Browser, house: TeaHouse, create: Create) -> None:
    house.people[0].nickname = "=cmd|x"
    create.session.commit()
    answer = browser.send(f"{BASE}/{house.campaigns[1].id}/export")
    lines = answer.text.splitlines()
    assert len(lines) == 1 + len(house.people)
    assert "'=cmd|x" in lines[1]
    assert "45015" in answer.text


def test_a_copy_is_a_draft_to_begin_now(browser: Browser, house: TeaHouse, create: Create) -> None:
    browser.send(f"{BASE}/{house.campaigns[2].id}/copy")
    made = newest(create)
    assert (made.name, made.status, made.starts) == ("国庆回顾 (copy)", CampaignStatus.DRAFT, "")
    assert made.variants == house.campaigns[2].variants
    assert browser.send(f"{BASE}/{house.campaigns[2].id}/delete").status_code == 409
    assert browser.send(f"{BASE}/{made.id}/delete").status_code == 302
    assert create.session.scalar(select(Campaign.id).where(Campaign.name == "国庆回顾 (copy)")) is None

"""Segments as an operator makes them, without script."""

import csv
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from bot.services import fields, segments, stages, tags
from models import Account, Follower, Rule, Segment
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse
from tests.factories import Create

pytestmark = pytest.mark.databases
NEW = "/tea-house/segments/new"


def form(**values: str) -> dict[str, str]:
    """The fields of a new segment: "what", "c_0__what" … with dots and dashes for underscores."""
    return {name.replace("__", ".").replace("_", "-"): value for name, value in values.items()}


def typed(tag: int) -> dict[str, str]:
    """Follows, and the tag or wrote within 7 days, and no source beginning with “shop”."""
    return form(
        name="茶友", c__mode="all", c_0__what="follows", c_0__op="is", c_0__value="yes", c_1__mode="any",
        c_1_0__what="tag", c_1_0__op="has", c_1_0__value=str(tag), c_1_1__what="wrote", c_1_1__op="last_days",
        c_1_1__value="7", c_2__mode="none", c_2_0__what="source", c_2_0__op="begins", c_2_0__value="shop",
    )  # fmt: skip


def tree(tag: int) -> dict[str, Any]:
    """What that says."""
    has, wrote = {"field": "tag", "op": "has", "value": tag}, {"field": "wrote", "op": "last_days", "value": 7}
    follows = {"field": "follows", "op": "is", "value": True}
    source = {"field": "source", "op": "begins", "value": "shop"}
    return {"all": [follows, {"any": [has, wrote]}, {"not": {"any": [source]}}]}


def named(browser: Browser, name: str) -> Segment | None:
    browser.session.expire_all()
    return browser.session.scalars(select(Segment).where(Segment.name == name)).first()


def shown_fields(page: str) -> dict[str, str]:
    """What a browser would send of this page's builder, as it stands."""
    body = page[page.index('<form class="builder"') :]
    body = body[: body.index("</form>")]
    found = {}
    for name, value in re.findall(r'<input type="(?:text|hidden|date)"[^>]*? name="([^"]+)" value="([^"]*)"', body):
        found[name] = unescape(value)
    for name, options in re.findall(r'<select[^>]*? name="([^"]+)".*?>(.*?)</select>', body, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(
            r'<option value="([^"]*)"', options
        )
        found[name] = unescape(chosen[1]) if chosen else ""
    return {name: value for name, value in found.items() if name != "csrf_token"}


def test_a_segment_is_built_by_buttons_alone(browser: Browser, house: TeaHouse) -> None:
    """From the empty page: each press sends what the page before it showed."""

    def press(page: str, button: str, **changed: str) -> str:
        answer = browser.send(NEW, **(shown_fields(page) | changed | {"do": button}))
        assert answer.status_code in (200, 302)
        return answer.text

    page = browser.open(NEW).text
    page = press(page, "add:")
    page = press(page, "look", **{"c-1.what": "tag"})
    page = press(page, "nest:1", **{"c-1.value": str(house.tags[2].id)})
    page = press(page, "look", **{"c-1-1.what": "wrote"})
    page = press(page, "group:", **{"c-1-1.value": "7"})
    page = press(page, "look", **{"c-2.mode": "none", "c-2-0.what": "source"})
    page = press(page, "look", **{"c-2-0.op": "begins"})
    press(page, "save", **{"c-2-0.value": "shop", "name": "茶友"})
    found = named(browser, "茶友")
    assert found
    assert found.conditions == tree(house.tags[2].id)


def test_what_is_saved_is_what_the_form_shows_again(browser: Browser, house: TeaHouse) -> None:
    assert browser.send(NEW, **typed(house.tags[0].id)).status_code == 302
    found = named(browser, "茶友")
    assert found
    assert found.conditions == tree(house.tags[0].id)
    page = browser.open(f"/tea-house/segments/{found.id}").text
    sent = shown_fields(page)
    assert typed(house.tags[0].id).items() <= sent.items()
    assert browser.send(f"/tea-house/segments/{found.id}", **sent).status_code == 302
    again = named(browser, "茶友")
    assert again
    assert again.conditions == tree(house.tags[0].id)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("c-1-1.value", "soon", "Give a number of days from 1 to 3,650."),
        ("c-1-0.value", "999", "This was deleted; choose another, or remove the condition."),
        ("c-2-0.value", "", "Write 1 to 200 characters."),
        ("name", "", "Give the segment a name of 1 to 64 characters."),
        ("name", "茶友与新客", "There is a segment “茶友与新客” already"),
    ],
)
def test_a_refusal_stands_at_its_condition_and_nothing_typed_is_lost(
    browser: Browser, house: TeaHouse, field: str, value: str, sentence: str
) -> None:
    sent = typed(house.tags[0].id) | {field: value}
    answer = browser.send(NEW, **sent)
    assert answer.status_code == 422
    at = answer.text.index(f'id="f-{field.replace(".", "-")}-error"')
    assert sentence in unescape(answer.text[at : at + 600])
    assert sent.items() <= shown_fields(answer.text).items()
    assert named(browser, sent["name"] or "茶友") is None or value == "茶友与新客"


def test_the_second_of_two_editors_is_told_and_may_insist(browser: Browser, house: TeaHouse, create: Create) -> None:
    path = f"/tea-house/segments/{house.segment.id}"
    mine = shown_fields(browser.open(path).text) | {"name": "Mine"}
    theirs = {"field": "wrote", "op": "empty"}
    segment = create.session.get_one(Segment, house.segment.id)
    segments.save(create.session, house.account, "Theirs", theirs, segment, who="小美")
    create.session.commit()
    answer = browser.send(path, **mine)
    assert answer.status_code == 422
    assert "小美 changed this segment meanwhile. It is now: never wrote." in unescape(answer.text)
    assert browser.send(path, **shown_fields(answer.text)).status_code == 302
    assert named(browser, "Mine")


def test_the_page_does_not_count_and_the_preview_does(browser: Browser, house: TeaHouse) -> None:
    page = browser.open(f"/tea-house/segments/{house.segment.id}").text
    assert "followers now" not in page
    sent = shown_fields(page)
    assert "followers now" in browser.send("/tea-house/segments/preview", **sent).text
    assert "followers now" in browser.send(f"/tea-house/segments/{house.segment.id}", **sent, do="look").text
    assert "Add a condition first." in browser.send("/tea-house/segments/preview", **{"c.mode": "all"}).text


def test_a_count_is_kept_for_the_list(browser: Browser, house: TeaHouse) -> None:
    size = f"/tea-house/segments/{house.segment.id}/size"
    assert size in browser.open("/tea-house/segments").text
    counted = browser.open(size).json
    page = browser.open("/tea-house/segments").text
    assert size not in page
    assert counted
    assert f">{counted['count']}</a>" in page


def test_copied_deleted_and_put_back(browser: Browser, house: TeaHouse) -> None:
    assert browser.send(f"/tea-house/segments/{house.segment.id}/copy").status_code == 302
    assert named(browser, "茶友与新客 2")
    page = browser.send(f"/tea-house/segments/{house.segment.id}/delete").text
    assert named(browser, "茶友与新客") is None
    draft = re.search(r'name="draft" value="([^"]+)"', page)
    assert draft
    browser.send("/tea-house/segments/restore", draft=unescape(draft[1]))
    back, copy = named(browser, "茶友与新客"), named(browser, "茶友与新客 2")
    assert back
    assert copy
    assert back.conditions == copy.conditions
    assert browser.send("/tea-house/segments/restore", draft='{"name": "x"}').status_code == 422


def test_the_export_defuses_formulas_and_holds_everybody_once(browser: Browser, house: TeaHouse) -> None:
    bad = ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", '"quoted", and\nbroken']
    people = [
        Follower(account_id=house.account.id, openid=f"csv{at}", nickname=bad[at % len(bad)], language="csv")
        for at in range(1200)
    ]
    browser.session.add_all(people)
    conditions = {"field": "language", "op": "is", "value": "csv"}
    found = segments.save(browser.session, house.account, "csv", conditions)
    browser.session.commit()
    answer = browser.send(f"/tea-house/segments/{found.id}/export")
    assert answer.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(answer.text.removeprefix("\ufeff").splitlines(keepends=True)))
    assert [row["openid"] for row in rows] == [person.openid for person in people]
    assert {row["nickname"] for row in rows} == {f"'{name}" for name in bad[:5]} | {bad[5]}


@pytest.mark.parametrize("kind", ["tag", "stage", "field", "rule"])
def test_what_a_segment_asks_for_is_not_deleted(browser: Browser, house: TeaHouse, kind: str) -> None:
    session, account = browser.session, house.account
    made = _thing(browser, account, kind)
    number = made.id
    node = {
        "tag": {"field": "tag", "op": "has", "value": number},
        "stage": {"field": "stage", "op": "is", "value": number},
        "field": {"field": "field", "of": number, "op": "empty"},
        "rule": {"field": "answered", "of": number, "op": "last_days", "value": 3},
    }[kind]
    for name in ("Second", "First"):
        segments.save(session, account, name, node)
    session.commit()
    path = {"tag": "tags", "stage": "followers/stages", "field": "followers/fields", "rule": "rules"}[kind]
    answer = browser.send(f"/tea-house/{path}/{number}/delete")
    assert answer.status_code == 422
    assert "Segments ask for this: First · Second. Change or delete them first." in unescape(answer.text)
    session.expire_all()
    assert session.get(type(made), number)
    for segment in session.scalars(select(Segment).where(Segment.name.in_(("First", "Second")))).all():
        segments.remove(session, segment)
    session.commit()
    browser.send(f"/tea-house/{path}/{number}/delete")
    session.expire_all()
    assert session.get(type(made), number) is None


def _thing(browser: Browser, account: Account, kind: str) -> Any:
    if kind == "tag":
        return tags.add(browser.session, account, "asked")
    if kind == "stage":
        return stages.add(browser.session, account, "asked")
    if kind == "field":
        return fields.add(browser.session, account, "asked", "text")
    rule = browser.session.scalars(select(Rule).where(Rule.account_id == account.id)).first()
    assert rule
    return rule


def test_a_rule_past_the_list_is_still_named(browser: Browser, house: TeaHouse, monkeypatch: Any) -> None:
    monkeypatch.setattr("bot.console.segment_builder.MOST_RULES", 0)
    rule = browser.session.scalars(select(Rule).where(Rule.account_id == house.account.id)).first()
    assert rule
    node = {"field": "answered", "of": rule.id, "op": "last_days", "value": 3}
    found = segments.save(browser.session, house.account, "answered", node)
    browser.session.commit()
    assert (
        f'<option value="{rule.id}" selected>{rule.title}</option>'
        in browser.open(f"/tea-house/segments/{found.id}").text
    )


def test_the_five_ready_ones_are_added_once(browser: Browser, house: TeaHouse) -> None:
    for _twice in range(2):
        browser.send("/tea-house/segments/ready")
    assert len(segments.list_all(browser.session, house.account)) == 6

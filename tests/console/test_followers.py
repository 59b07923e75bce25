"""The list of followers and one follower's page, as an operator uses them."""

import csv
import io

from bot.services import fields, followers, stages
from models import AuditRecord
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse


def test_many_are_changed_at_once(browser: Browser, house: TeaHouse) -> None:
    stage = stages.add(browser.session, house.account, "客户")
    browser.session.commit()
    ids = [house.people[0].id, house.people[3].id]
    page = f"/tea-house/followers?stage={stage.id}"

    changed = browser.send("/tea-house/followers/bulk", ids=ids, stage=str(stage.id), next=f"/console{page}")
    nothing = browser.send("/tea-house/followers/bulk", stage="", next=f"/console{page}")

    assert changed.headers["Location"] == nothing.headers["Location"] == f"/console{page}"
    shown = browser.open(page).text
    assert "Choose at least one follower." in shown
    there = [f'name="ids" value="{each.id}"' in shown for each in house.people[:4]]
    assert there == [True, False, False, True]


def test_the_list_is_taken_along_without_formulas(browser: Browser, house: TeaHouse) -> None:
    followers.rename(browser.session, house.people[0], "=HYPERLINK(1)")
    number = fields.add(browser.session, house.account, "+points", "number")
    followers.set_fields(browser.session, house.account, house.people[0], {number.id: "-5"}, "")
    browser.session.commit()

    answer = browser.open("/tea-house/followers/export?search=hyper")

    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(rows) == 2
    assert (rows[0][-1], rows[1][2], rows[1][-1]) == ("'+points", "'=HYPERLINK(1)", "-5.0")
    everybody = browser.open("/tea-house/followers/export").text
    assert everybody.count("\n") == len(house.people) + 1


def test_what_was_typed_stays_when_a_field_is_refused(browser: Browser, house: TeaHouse) -> None:
    field = fields.add(browser.session, house.account, "生日", "date")
    browser.session.commit()
    path = f"/tea-house/followers/{house.people[0].id}"

    answer = browser.send(f"{path}/change", **{"remark": "新名", f"fields.{field.id}": "tomorrow"})

    assert answer.status_code == 422
    assert 'value="tomorrow"' in answer.text
    assert 'value="新名"' in answer.text
    assert f'id="f-fields-{field.id}-error"' in answer.text
    assert "新名" not in browser.open(path).text


def test_a_follower_is_opted_out_and_in_again(browser: Browser, house: TeaHouse) -> None:
    one = house.people[0]
    path = f"/tea-house/followers/{one.id}"
    assert "They get campaigns until they write “退订”." in browser.open(path).text

    assert browser.send(f"{path}/campaigns", on="1").headers["Location"] == f"/console{path}#campaigns"
    assert browser.send(f"{path}/change", remark="小林").status_code == 302  # from a page opened before
    shown = browser.open(path).text
    assert "Opted out of campaigns · owner" in shown
    assert "Opt them in again" in shown

    browser.send(f"{path}/campaigns", on="0")
    shown = browser.open(path).text
    assert "Gets campaigns again · owner" in shown
    assert "Send them no campaigns" in shown
    records = [each.action for each in browser.session.query(AuditRecord).order_by(AuditRecord.id.desc())]
    assert records[:3] == ["followers.opt_in", "followers.change", "followers.opt_out"]


def test_a_follower_has_a_time_zone_of_their_own(browser: Browser, house: TeaHouse) -> None:
    path = f"/tea-house/followers/{house.people[0].id}"
    assert "the account's, Asia/Shanghai." in browser.open(path).text.replace("&#39;", "'")

    refused = browser.send(f"{path}/change", remark="新名", timezone="Mars/Olympus")
    assert (refused.status_code, 'id="f-timezone-error"' in refused.text) == (422, True)
    assert 'value="Mars/Olympus"' in refused.text
    assert 'value="新名"' in refused.text
    browser.send(f"{path}/change", timezone=" Europe/Berlin ")
    assert 'name="timezone" value="Europe/Berlin"' in browser.open(path).text


def test_the_first_stages_come_at_one_press(browser: Browser, house: TeaHouse) -> None:
    browser.send("/tea-house/followers/stages/first")
    browser.send("/tea-house/followers/stages/first")
    assert [each.name for each in stages.list_all(browser.session, house.account)][:2] == ["New", "Interested"]
    assert len(stages.list_all(browser.session, house.account)) == 5
    browser.session.commit()
    refused = browser.send("/tea-house/followers/stages", **{"stage.name": "New"})
    assert (refused.status_code, "There is a stage “New” already." in refused.text) == (409, True)


def test_a_follower_without_a_name_is_called_one(browser: Browser, house: TeaHouse, create) -> None:
    create.follower(house.account, openid="o" * 22 + "y6KKva")
    assert "Follower y6KKva" in browser.open("/tea-house/followers").text
    browser.language = "zh"
    assert "粉丝 y6KKva" in browser.open("/tea-house/followers").text

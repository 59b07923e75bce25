"""The report's page: every number leads to a list of just so many, in any period and of any label."""

import csv
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot import clock
from bot.console import inbox_report as page
from models import AuditRecord, Label
from tests.console.conftest import Browser
from tests.console.samples import TeaHouse
from tests.console.states import three_weeks
from tests.factories import Create

LINK = re.compile(
    r'<a( class="figure")? href="/console(/tea-house/conversations/report/list[^"]*)">(.*?)</a>', re.DOTALL
)


@pytest.fixture
def busy(house: TeaHouse, create: Create) -> TeaHouse:
    """Conversations of three weeks, some answered, some closed, some labelled."""
    three_weeks(create, house.account)
    return house


def listed(browser: Browser, address: str) -> list[str]:
    found: list[str] = []
    while address:
        text = browser.open(address).text
        found += re.findall(r'data-conversation="(\d+)"', text)
        after = re.search(r'rel="next" href="/console([^"]+)"', text)
        address = after[1].replace("&amp;", "&") if after else ""
    assert len(found) == len(set(found))
    return found


@pytest.mark.parametrize("label", ["", "预约"])
def test_each_number_leads_to_as_many_conversations(
    browser: Browser, busy: TeaHouse, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "PAGE", 4)  # the longer lists have pages
    wanted = browser.session.scalar(select(Label.id).where(Label.name == label)) or ""
    since = clock.now().date() - timedelta(days=4)
    text = browser.open(f"/tea-house/conversations/report?since={since}&label={wanted}").text

    links = [(address.replace("&amp;", "&"), inner) for _figure, address, inner in LINK.findall(text)]
    assert len(links) > (30 if not label else 10)
    for address, inner in links:
        number = re.findall(r"(?:^|>)(\d+)(?:<|$)", inner)[-1]
        assert len(listed(browser, address)) == int(number), address


def test_the_export_says_what_the_page_says(browser: Browser, busy: TeaHouse) -> None:
    answer = browser.send("/tea-house/conversations/report/export")

    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    text = browser.open("/tea-house/conversations/report").text
    total = next(inner for figure, _address, inner in LINK.findall(text) if figure)
    assert f">{rows[1][2]}<" in total
    days = [int(row[2]) for row in rows if row[0] == "Day"]
    assert (len(days), sum(days)) == (30, int(rows[1][2]))
    actions = browser.session.scalars(select(AuditRecord.action)).all()
    assert actions.count("conversations.export") == 1


def test_a_period_without_any_says_so(browser: Browser, create: Create) -> None:
    create.account("shop")
    text = browser.open("/shop/conversations/report?since=2020-01-01&until=2020-01-31").text

    assert "No conversations in this period" in text
    assert "Export as CSV" not in text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("since=2026-13-01", "“2026-13-01” is no day."),
        ("since=2026-01-02&until=2026-01-01", "Choose a period of 1 to 366 days."),
        ("since=2020-01-01&until=2026-01-01", "Choose a period of 1 to 366 days."),
    ],
)
def test_a_period_that_is_none_is_told_at_its_field(
    browser: Browser, create: Create, query: str, sentence: str
) -> None:
    create.account("shop")
    answer = browser.open(f"/shop/conversations/report?{query}")

    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{query[6:16]}"' in answer.text


@pytest.mark.parametrize("query", ["part=none", "day=none", "since=none"])
def test_a_list_that_is_none_is_not_found(browser: Browser, create: Create, query: str) -> None:
    create.account("shop")
    assert browser.open(f"/shop/conversations/report/list?{query}").status_code in (404, 422)

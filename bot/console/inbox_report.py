"""What came of the conversations: volume, first reply, resolution; by day, hour, person and label; the lists behind."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from bot import clock
from bot.console import charts
from bot.console.blueprint import account_slug, blueprint, current_account, record, requires, row_number
from bot.console.campaign_people import line
from bot.console.forms import Form
from bot.console.language import _, _n
from bot.console.pages import show
from bot.console.segment_form import number_of
from bot.console.when import zone
from bot.database import reading, snapshot, transaction
from bot.errors import NotFound, Refused
from bot.services import accounts, inbox_reports, labels
from bot.services.inbox_reports import Part, Report, Slice
from bot.services.report_numbers import Numbers

DAYS = 30  # when nobody says
RANGES = (7, 30, 90, 365)
PAGE, BARS = 50, 12


@dataclass(frozen=True, slots=True)
class Asked:
    """The period and the label of an address."""

    first: date
    last: date
    label: int | None

    @property
    def values(self) -> dict[str, Any]:
        """As an address says it."""
        return {"since": self.first, "until": self.last, "label": self.label}


@blueprint.get("/<account>/conversations/report")
@requires("conversations:read")
def inbox_report() -> ResponseReturnValue:
    form, asked, found = Form(request.args.to_dict()), _usual(), None
    with snapshot() as session:
        try:
            asked = _asked()
            found = inbox_reports.report(session, current_account(), asked.first, asked.last, asked.label)
        except Refused as refused:
            form.refuse(refused)
        known = labels.list_all(session, current_account())
    form.values |= {name: form.at(name) or value or "" for name, value in asked.values.items()}
    return show(
        "conversations/report.html",
        422 if form.errors else 200,
        form=form,
        asked=asked,
        labels=known,
        found=found,
        ranges=[(n, asked.last - timedelta(days=n - 1)) for n in RANGES],
        charts=_charts(found) if found else {},
        behind=lambda part, **what: url_for("console.inbox_report_list", part=part, **asked.values | what),
    )


@blueprint.get("/<account>/conversations/report/list")
@requires("conversations:read")
def inbox_report_list() -> ResponseReturnValue:
    """The conversations that one number counts."""
    account, given, before = current_account(), request.args, request.args.get("before", type=row_number)
    try:
        part = Part(given.get("part", Part.OPENED))
        day = date.fromisoformat(given["day"]) if "day" in given else None
        hour, person = (number_of(given[name]) if name in given else None for name in ("hour", "person"))
    except ValueError:
        raise NotFound("There is no such list.") from None
    asked = _asked()
    what = Slice(part, day, hour, person, asked.label)
    with reading() as session:
        found = inbox_reports.behind(session, account, asked.first, asked.last, what, before=before, limit=PAGE + 1)
        label = next((each.name for each in labels.list_all(session, account) if each.id == asked.label), "")
    more = {name: given[name] for name in ("day", "hour", "person") if name in given}
    return show(
        "conversations/report_list.html",
        found=found[:PAGE],
        older=found[PAGE - 1].id if len(found) > PAGE else None,
        is_first=before is None,
        part=parts()[part],
        asked=asked,
        day=day,
        hour=hour,
        of_person=person is not None,
        person=next((each.assignee.name for each in found if each.assignee), ""),
        label=label,
        kept={"part": part.value, **asked.values, **more},
    )


@blueprint.post("/<account>/conversations/report/export")
@requires("conversations:read")
def export_inbox_report() -> ResponseReturnValue:
    asked = _asked()
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = inbox_reports.report(session, account, asked.first, asked.last, asked.label)
        record(session, account, "conversations.export", f"{asked.first} – {asked.last}")
    name = f'attachment; filename="conversations-{asked.first}-{asked.last}.csv"'
    return Response(_csv(found), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


def parts() -> dict[Part, str]:
    return {
        Part.OPENED: _("Opened"),
        Part.REPLIED: _("Replied to"),
        Part.UNREPLIED: _("Not replied to"),
        Part.CLOSED: _("Closed"),
        Part.OPEN: _("Still open"),
    }


def _usual() -> Asked:
    today = clock.now().astimezone(zone()).date()
    return Asked(today - timedelta(days=DAYS - 1), today, None)


def _asked() -> Asked:
    """
    Raises:
        Refused: what stands for a day is none.
    """
    usual, given = _usual(), {}
    for name in ("since", "until"):
        try:
            given[name] = date.fromisoformat(value) if (value := request.values.get(name, "")) else None
        except ValueError:
            raise Refused("“{value}” is no day.", field=name, value=value) from None
    last = given["until"] or usual.last
    first = given["since"] or last - timedelta(days=DAYS - 1)
    return Asked(first, last, number_of(request.values.get("label", "")))


def _charts(found: Report) -> dict[str, str]:
    """Each with its table beside it."""
    days = [f"{each.month}/{each.day}" for each in found.days]
    hours = [f"{hour}:00" for hour in found.hours]
    total = _n("{n} conversation", "{n} conversations", found.total.opened)

    def minutes(name: str) -> list[int]:
        waits = [getattr(each, name) for each in found.days.values()]
        return [round(wait.total_seconds() / 60) if wait is not None else 0 for wait in waits]

    return {
        "volume": charts.columns(_("Conversations by day"), total, days, [each.opened for each in found.days.values()]),
        "first_reply": charts.columns(
            _("First reply by day, in minutes"), _("First reply by day, in minutes"), days, minutes("first_reply")
        ),
        "resolution": charts.columns(
            _("Resolution by day, in minutes"), _("Resolution by day, in minutes"), days, minutes("resolution")
        ),
        "hours": charts.columns(_("By hour of the day"), total, hours, [each.opened for each in found.hours.values()]),
        "people": charts.bars(
            _("By person"), [(name or _("nobody"), each.opened) for _id, name, each in found.people[:BARS]]
        ),
        "labels": charts.bars(_("By label"), [(name, each.opened) for _id, name, each in found.labels[:BARS]]),
    }


def _csv(found: Report) -> str:
    told = parts()
    head = [_("Part"), _("Of"), *told.values(), _("First reply, seconds"), _("Resolution, seconds")]
    lines = ["\ufeff" + line(head)]  # the mark by which spreadsheets know that it is UTF-8
    rows: list[tuple[str, str, Numbers]] = [(_("All"), "", found.total)]
    rows += [(_("Day"), str(day), numbers) for day, numbers in found.days.items()]
    rows += [(_("Hour"), f"{hour}:00", numbers) for hour, numbers in found.hours.items()]
    rows += [(_("Person"), name or _("nobody"), numbers) for _id, name, numbers in found.people]
    rows += [(_("Label"), name, numbers) for _id, name, numbers in found.labels]
    for kind, name, numbers in rows:
        waits = (numbers.first_reply, numbers.resolution)
        seconds = ["" if wait is None else f"{wait.total_seconds():.0f}" for wait in waits]
        lines.append(line([kind, name, *(str(getattr(numbers, part)) for part in told), *seconds]))
    return "".join(lines)

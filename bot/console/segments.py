"""Segments: the list, who is in one, the export; copied, deleted and put back."""

import csv
import functools
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter

from bot import clock
from bot.console.blueprint import (
    account_slug,
    acting_operator,
    blueprint,
    current_account,
    record,
    requires,
    row_number,
)
from bot.console.language import _, look_up
from bot.console.pages import say, show
from bot.console.segment_words import names_of_ready, value_name
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, segment_queries, segments
from bot.services.segment_conditions import Tree, plain
from bot.services.segment_words import describe

PAGE = 50
COUNTED_AGAIN = timedelta(minutes=10)  # the list shows a count this long before it asks for another
COLUMNS = ("id", "openid", "nickname", "remark", "is_subscribed", "subscribed_at", "wrote_at", "seen_at")


@blueprint.get("/<account>/segments")
@requires("segments:read")
def segments_list() -> ResponseReturnValue:
    return _list()


@blueprint.get("/<account>/segments/<int:segment_id>/size")
@requires("segments:read")
def segment_size(segment_id: int) -> ResponseReturnValue:
    """How many it has now, for the list; kept for the next time the list is opened."""
    account = current_account()
    with reading() as session:
        found = segments.get(session, account, segment_id)
        counted = segment_queries.count(session, segments.query(session, account, found))
    if counted is not None:
        with transaction() as session:
            segments.note_count(session, segment_id, counted)
    return {"count": counted}


@blueprint.get("/<account>/segments/<int:segment_id>/members")
@requires("segments:read")
def segment_members(segment_id: int) -> ResponseReturnValue:
    before = request.args.get("before", type=row_number)
    with reading() as session:
        account = current_account()
        found = segments.get(session, account, segment_id)
        people = segments.members(session, account, found, before, PAGE + 1)
        older = people[PAGE - 1].id if len(people) > PAGE else None
        things = segments.things_of(session, account, [found])[found.id]
    sentence = describe(found.conditions, things, look_up, value_name)
    return show(
        "segments/members.html", segment=found, people=people[:PAGE], older=older, before=before, sentence=sentence
    )


@blueprint.post("/<account>/segments/<int:segment_id>/export")
@requires("segments:write")
def export_segment(segment_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = segments.get(session, account, segment_id)
        record(session, account, "segments.export", f"segment {found.id}")

    def lines() -> Iterator[str]:
        yield "\ufeff" + _line(COLUMNS)  # the mark tells spreadsheets that this is UTF-8
        with reading() as session:
            for follower in segments.rows(session, account, found):
                yield _line([getattr(follower, name) for name in COLUMNS])

    headers = {"Content-Disposition": f'attachment; filename="segment-{found.id}.csv"'}
    return Response(lines(), content_type="text/csv; charset=utf-8", headers=headers)


@blueprint.post("/<account>/segments/<int:segment_id>/copy")
@requires("segments:write")
def copy_segment(segment_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = segments.get(session, account, segment_id)
        name = segments.copied_name(session, account, found.name)
        made = segments.save(session, account, name, found.conditions, who=acting_operator().name)
        record(session, account, "segments.add", f"segment {made.id}")
    return redirect(url_for("console.segment", segment_id=made.id))


@blueprint.post("/<account>/segments/<int:segment_id>/delete")
@requires("segments:write")
def delete_segment(segment_id: int) -> ResponseReturnValue:
    """Deleted at once; the page that follows holds it, to put it back."""
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = segments.get(session, account, segment_id)
        kept = json.dumps({"name": found.name, "conditions": found.conditions})
        segments.remove(session, found)
        record(session, account, "segments.delete", f"segment {segment_id}")
    return _list({"name": found.name, "draft": kept})


@blueprint.post("/<account>/segments/restore")
@requires("segments:write")
def restore_segment() -> ResponseReturnValue:
    try:
        draft = json.loads(request.form.get("draft", ""))
        tree = plain(TypeAdapter[Any](Tree).validate_python(draft["conditions"]))
    except (ValueError, KeyError, TypeError):
        raise Refused("The deleted segment can no longer be put back; make it anew.") from None
    with transaction() as session:
        account = accounts.get(session, account_slug())
        made = segments.save(session, account, str(draft.get("name", "")), tree, who=acting_operator().name)
        record(session, account, "segments.restore", f"segment {made.id}")
    say(_("“{title}” is back.", title=made.name))
    return redirect(url_for("console.segments_list"))


@blueprint.post("/<account>/segments/ready")
@requires("segments:write")
def add_ready_segments() -> ResponseReturnValue:
    """The five that most begin with; those that are there already stay as they are."""
    with transaction() as session:
        account = accounts.get(session, account_slug())
        taken = {each.name for each in segments.list_all(session, account)}
        for key, name in names_of_ready().items():
            if name not in taken:
                segments.save(session, account, name, segments.READY[key], who=acting_operator().name)
        record(session, account, "segments.add")
    return redirect(url_for("console.segments_list"))


def _list(deleted: dict[str, str] | None = None) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        found = segments.list_all(session, account)
        things = segments.things_of(session, account, found)
    translate = functools.cache(look_up)  # the same few words in each of up to 200 sentences
    return show(
        "segments/list.html",
        segments=found,
        sentences={each.id: describe(each.conditions, things[each.id], translate, value_name) for each in found},
        gone={each.id for each in found if things[each.id].gone},
        old=clock.now() - COUNTED_AGAIN,
        deleted=deleted,
        ready=names_of_ready(),
        here=url_for("console.segments_list"),
    )


def _line(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_cell(each) for each in cells])
    return line.getvalue()


def _cell(value: Any) -> str:
    """Spreadsheets run what begins so as a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text

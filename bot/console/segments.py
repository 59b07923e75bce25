"""Segments: the list, the sentence builder with its live count, who is in one, and the export."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.console import segment_form
from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, record, requires
from bot.console.forms import Form
from bot.console.language import _, look_up, worded
from bot.console.pages import say, show
from bot.console.segment_words import choices, names_of_ready, value_name
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import access, accounts, menus, rules, segment_queries, segment_things, segments, tags
from bot.services.segment_conditions import Tree, plain, walk
from bot.services.segment_words import describe
from models import Account, Field, Segment, Stage

PAGE = 50
COLUMNS = ("id", "openid", "nickname", "remark", "is_subscribed", "subscribed_at", "wrote_at", "seen_at")


@blueprint.get("/<account>/segments")
@requires("segments:read")
def segments_list() -> ResponseReturnValue:
    return _list()


@blueprint.route("/<account>/segments/new", methods=["GET", "POST"])
@requires("segments:write")
def add_segment() -> ResponseReturnValue:
    ready = request.args.get("ready", "")
    root = segment_form.row_of(segments.READY.get(ready, segments.READY["active"]))
    if ready not in segments.READY:
        root["rows"] = root["rows"][:1]
    return _edit(Form({"name": names_of_ready().get(ready, "")}), root, None)


@blueprint.route("/<account>/segments/<int:segment_id>", methods=["GET", "POST"])
@requires("segments:read", to_change="segments:write")
def segment(segment_id: int) -> ResponseReturnValue:
    with reading() as session:
        found = segments.get(session, current_account(), segment_id)
    root = segment_form.row_of(found.conditions)
    root = root if "rows" in root else {"mode": "all", "rows": [root]}
    return _edit(Form({"name": found.name}), root, found)


@blueprint.post("/<account>/segments/preview")
@requires("segments:read")
def preview_segment() -> ResponseReturnValue:
    """Who is found by what stands in the form now; nothing is kept."""
    with reading() as session:
        form = Form()
        found = _found(session, form, segment_form.read(request.form))
        return show("segments/preview.html", found=found, form=form)


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
    before = request.args.get("before", type=int)
    with reading() as session:
        account = current_account()
        found = segments.get(session, account, segment_id)
        people = segments.members(session, account, found, before, PAGE + 1)
        older = people[PAGE - 1].id if len(people) > PAGE else None
        sentence = _sentence(session, account, found)
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
        sentences = {each.id: _sentence(session, account, each) for each in found}
        gone = {each.id: bool(segments.things_of(session, account, each).gone) for each in found}
    return show(
        "segments/list.html", segments=found, sentences=sentences, gone=gone, deleted=deleted, ready=names_of_ready(),
        here=url_for("console.segments_list"),
    )  # fmt: skip


def _edit(form: Form, root: segment_form.Row, segment: Segment | None) -> ResponseReturnValue:
    focus, account = "", current_account()
    if request.method == "POST":
        root, action = segment_form.read(request.form), request.form.get("do", "save")
        form.values = {"name": request.form.get("name", "")}
        if action != "save":
            focus = segment_form.act(root, action)
        else:
            try:
                with transaction() as session:
                    account = accounts.get(session, account_slug())
                    kept = segments.get(session, account, segment.id) if segment else None
                    tree = segment_form.tree_of(root, _fields(session, account))
                    name, who = form.at("name"), acting_operator().name
                    saved = segments.save(session, account, name, tree, kept, who=who)
                    record(session, account, "segments.edit" if kept else "segments.add", f"segment {saved.id}")
            except Refused as refused:
                _place(form, refused, root, locals().get("tree"))
            else:
                say(_("“{name}” is saved.", name=saved.name))
                return redirect(url_for("console.segments_list"))
    is_refused = bool(form.errors)
    with reading() as session:
        found = None if is_refused else _found(session, form, root, segment if request.method == "GET" else None)
        return show(
            "segments/edit.html",
            422 if is_refused else 200,
            form=form,
            root=root,
            segment=segment,
            found=found,
            focus=focus,
            deepest=segment_form.DEEPEST,
            **choices(**_lists(session, account)),
        )


def _found(
    session: Session, form: Form, root: segment_form.Row, segment: Segment | None = None
) -> dict[str, Any] | None:
    """Count, sample and sentence; None when the form holds what cannot be asked, which it then says."""
    account, tree = current_account(), None
    try:
        tree = segment_form.tree_of(root, _fields(session, account))
        if not segment_form.places_of(root):
            raise Refused("Add a condition first.")
        things = segment_things.check(session, account, tree)
        audience = segments.audience(session, segments.query_for(session, account, tree), 2.0)
    except Refused as refused:
        _place(form, refused, root, tree)
        return None
    return {"audience": audience, "sentence": describe(tree, things, look_up, value_name)}


def _place(form: Form, refused: Refused, root: segment_form.Row, tree: Any) -> None:
    """A refusal at the condition that it is about."""
    if refused.status == 404:
        raise refused
    form.errors[refused.field] = worded(refused)
    for place, (path, _node) in zip(segment_form.places_of(root), walk(tree) if tree else (), strict=False):
        if refused.field.startswith(path + "."):
            del form.errors[refused.field]
            form.errors[f"{place}.{refused.field.rpartition('.')[2]}"] = worded(refused)
            break


def _sentence(session: Session, account: Account, segment: Segment) -> str:
    things = segments.things_of(session, account, segment)
    return describe(segment.conditions, things, look_up, value_name)


def _fields(session: Session, account: Account) -> dict[int, Field]:
    query = select(Field).where(Field.account_id == account.id).order_by(Field.position, Field.id)
    return {each.id: each for each in session.scalars(query)}


def _lists(session: Session, account: Account) -> dict[str, Any]:
    stages = session.scalars(select(Stage).where(Stage.account_id == account.id).order_by(Stage.position, Stage.id))
    return {
        "fields": _fields(session, account),
        "tags": tags.list_all(session, account),
        "stages": list(stages),
        "people": {each.operator_id: each.operator.name for each in access.list_members(session, account)},
        "rules": rules.list_all(session, account)[:500],
        "buttons": menus.get(session, account).buttons,
    }


def _line(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_cell(each) for each in cells])
    return line.getvalue()


def _cell(value: Any) -> str:
    """Spreadsheets run what begins so as a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text

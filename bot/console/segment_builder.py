"""The sentence builder: a segment's conditions, and who is found by what stands in the form now."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.console import segment_form
from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, record, requires
from bot.console.forms import Form
from bot.console.language import _, look_up, worded
from bot.console.pages import say, show
from bot.console.segment_words import choices, names_of_ready, value_name
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import access, accounts, fields, menus, segment_things, segments, stages, tags
from bot.services.segment_conditions import Node, walk
from bot.services.segment_queries import BRIEFLY
from bot.services.segment_words import describe
from models import Account, Rule, Segment, Trigger

MOST_RULES = 500  # in a list to choose from, beside those already named


@blueprint.route("/<account>/segments/new", methods=["GET", "POST"])
@requires("segments:write")
def add_segment() -> ResponseReturnValue:
    ready = request.args.get("ready", "")
    root = segment_form.row_of(segments.READY.get(ready, segments.READY["active"]))
    if ready not in segments.READY:
        root["rows"] = root["rows"][:1]
    return _answer(Form({"name": names_of_ready().get(ready, "")}), root, None)


@blueprint.route("/<account>/segments/<int:segment_id>", methods=["GET", "POST"])
@requires("segments:read", to_change="segments:write")
def segment(segment_id: int) -> ResponseReturnValue:
    with reading() as session:
        found = segments.get(session, current_account(), segment_id)
    root = segment_form.row_of(found.conditions)
    root = root if "rows" in root else {"mode": "all", "rows": [root]}
    return _answer(Form({"name": found.name, "seen": found.updated_at.isoformat()}), root, found)


@blueprint.post("/<account>/segments/preview")
@requires("segments:read")
def preview_segment() -> ResponseReturnValue:
    """Who is found by what stands in the form now; nothing is kept."""
    form, root = Form(), segment_form.read(request.form)
    with reading() as session:
        return show("segments/preview.html", found=_found(session, form, root, counts=True), form=form)


def _answer(form: Form, root: segment_form.Row, segment: Segment | None) -> ResponseReturnValue:
    if request.method == "GET":
        return _page(form, root, segment)
    root, action = segment_form.read(request.form), request.form.get("do", "save")
    form.values = {"name": request.form.get("name", ""), "seen": request.form.get("seen", "")}
    if action != "save":
        return _page(form, root, segment, focus=segment_form.act(root, action))
    with reading() as session:
        tree = segment_form.tree_of(root, _fields(session, current_account()))
    try:
        saved = _save(form, tree, segment)
    except Refused as refused:
        _place(form, refused, root, tree)
        return _page(form, root, segment)
    say(_("“{name}” is saved.", name=saved.name))
    return redirect(url_for("console.segments_list"))


def _save(form: Form, tree: Node, segment: Segment | None) -> Segment:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        kept = segments.get(session, account, segment.id) if segment else None
        if kept and form.at("seen") != kept.updated_at.isoformat():
            form.values["seen"] = kept.updated_at.isoformat()  # who saves again has read this
            things = segments.things_of(session, account, [kept])[kept.id]
            now = describe(kept.conditions, things, look_up, value_name)
            raise Refused(
                "{who} changed this segment meanwhile. It is now: {sentence}. Save again to put yours in its place.",
                who=kept.who,
                sentence=now,
            )
        saved = segments.save(session, account, form.at("name"), tree, kept, who=acting_operator().name)
        record(session, account, "segments.edit" if kept else "segments.add", f"segment {saved.id}")
    return saved


def _page(form: Form, root: segment_form.Row, segment: Segment | None, focus: str = "") -> ResponseReturnValue:
    """The script counts by requests of its own; without one, a button counts."""
    is_refused, account = bool(form.errors), current_account()
    counts = request.method == "POST" and not is_refused and "X-Live" not in request.headers
    with reading() as session:
        return show(
            "segments/edit.html",
            422 if is_refused else 200,
            form=form,
            root=root,
            segment=segment,
            found=None if is_refused else _found(session, form, root, counts=counts),
            focus=focus,
            deepest=segment_form.DEEPEST,
            **_choices(session, account, root),
        )


def _found(session: Session, form: Form, root: segment_form.Row, *, counts: bool) -> dict[str, Any] | None:
    """Sentence and, if asked for, count and sample; None: the form holds what cannot be asked, which it then says."""
    account, tree = current_account(), None
    try:
        if not segment_form.places_of(root):
            raise Refused("Add a condition first.")
        tree = segment_form.tree_of(root, _fields(session, account))
        things = segment_things.check(session, account, tree)
        query = segments.query_for(session, account, tree)
        audience = segments.audience(session, query, BRIEFLY) if counts else None
    except Refused as refused:
        _place(form, refused, root, tree)
        return None
    return {"audience": audience, "sentence": describe(tree, things, look_up, value_name)}


def _place(form: Form, refused: Refused, root: segment_form.Row, tree: Node | None) -> None:
    """A refusal at the condition that it is about."""
    if refused.status == 404:
        raise refused
    field = refused.field
    for place, (path, _node) in zip(segment_form.places_of(root), walk(tree) if tree else (), strict=False):
        if field.startswith(path + "."):
            field = f"{place}.{field.rpartition('.')[2]}"
            break
    form.errors[field] = worded(refused)


def _fields(session: Session, account: Account) -> dict[int, Any]:
    return {each.id: each for each in fields.list_all(session, account)}


def _choices(session: Session, account: Account, root: segment_form.Row) -> dict[str, Any]:
    of_account = select(Rule.id, Rule.title).where(Rule.account_id == account.id).order_by(Rule.position)
    answered = [row for row in segment_form.conditions_of(root) if row["what"] == "answered"]
    titles: dict[int, str] = {}
    if answered:
        named = [segment_form.number_of(str(row.get("of", ""))) for row in answered]
        first = of_account.limit(MOST_RULES).subquery()
        listed = of_account.where(or_(Rule.id.in_(named), Rule.id.in_(select(first.c.id))))
        titles = {row.id: row.title for row in session.execute(listed)}
    scans = select(Rule.keywords).where(Rule.account_id == account.id, Rule.trigger == Trigger.SCAN)
    return choices(
        fields=_fields(session, account),
        tags=tags.list_all(session, account),
        stages=stages.list_all(session, account),
        people={each.operator_id: each.operator.name for each in access.list_members(session, account)},
        rules=titles,
        scenes=[word["text"] for words in session.scalars(scans.limit(MOST_RULES)) for word in words],
        buttons=menus.get(session, account).buttons,
    )

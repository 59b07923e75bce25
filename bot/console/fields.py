"""What the account keeps of its followers: stages in their order, and fields of its own."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console.blueprint import account_slug, blueprint, current_account, record, requires, row_number
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, fields, stages


@blueprint.get("/<account>/followers/fields")
@requires("fields:read")
def follower_fields() -> ResponseReturnValue:
    return _page(Form())


@blueprint.post("/<account>/followers/stages")
@requires("fields:write")
def add_stage() -> ResponseReturnValue:
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            stages.add(session, account, request.form.get("stage.name", ""))
            record(session, account, "stages.add")
    except Refused as refused:
        return _refused(refused, "stage")
    return _back("stages")


@blueprint.post("/<account>/followers/stages/first")
@requires("fields:write")
def add_first_stages() -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        stages.add_first(session, account, first_stages())
        record(session, account, "stages.add")
    say(_("These stages are yours now: rename, order or delete them."))
    return _back("stages")


@blueprint.post("/<account>/followers/stages/<int:stage_id>")
@requires("fields:write")
def change_stage(stage_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            stage = stages.get(session, account, stage_id)
            stages.rename(session, account, stage, request.form.get(f"stage-{stage_id}.name", ""))
            record(session, account, "stages.change")
    except Refused as refused:
        return _refused(refused, f"stage-{stage_id}")
    say(_("Saved."))
    return _back("stages")


@blueprint.post("/<account>/followers/stages/<int:stage_id>/move")
@requires("fields:write")
def move_stage(stage_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        stage = stages.get(session, account, stage_id)
        stages.move(session, account, stage, request.form.get("position", 0, type=row_number))
        record(session, account, "stages.change")
    return _back("stages")


@blueprint.post("/<account>/followers/stages/<int:stage_id>/delete")
@requires("fields:write")
def delete_stage(stage_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        stage = stages.get(session, account, stage_id)
        stages.delete(session, stage)
        record(session, account, "stages.delete")
    say(_("“{name}” is deleted.", name=stage.name))
    return _back("stages")


@blueprint.post("/<account>/followers/fields")
@requires("fields:write")
def add_field() -> ResponseReturnValue:
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            name, kind = request.form.get("field.name", ""), request.form.get("field.kind", "")
            fields.add(session, account, name, kind, request.form.get("field.choices", "").splitlines())
            record(session, account, "fields.add")
    except Refused as refused:
        return _refused(refused, "field")
    return _back("fields")


@blueprint.post("/<account>/followers/fields/<int:field_id>")
@requires("fields:write")
def change_field(field_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            field = fields.get(session, account, field_id)
            choices = request.form.get(f"field-{field_id}.choices")
            given = None if choices is None else choices.splitlines()
            fields.change(session, account, field, request.form.get(f"field-{field_id}.name", ""), given)
            record(session, account, "fields.change")
    except Refused as refused:
        return _refused(refused, f"field-{field_id}")
    say(_("Saved."))
    return _back("fields")


@blueprint.post("/<account>/followers/fields/<int:field_id>/move")
@requires("fields:write")
def move_field(field_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        field = fields.get(session, account, field_id)
        fields.move(session, account, field, request.form.get("position", 0, type=row_number))
        record(session, account, "fields.change")
    return _back("fields")


@blueprint.post("/<account>/followers/fields/<int:field_id>/delete")
@requires("fields:write")
def delete_field(field_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        field = fields.get(session, account, field_id)
        fields.delete(session, field)
        record(session, account, "fields.delete")
    say(_("“{name}” is deleted.", name=field.name))
    return _back("fields")


def first_stages() -> list[str]:
    """An offer for who has none, in the operator's language."""
    return [_("New"), _("Interested"), _("Customer"), _("Regular"), _("Lost")]


def _back(anchor: str) -> ResponseReturnValue:
    return redirect(url_for("console.follower_fields", _anchor=anchor))


def _refused(refused: Refused, row: str) -> ResponseReturnValue:
    """The page again with what was typed; the sentence stands in the row it is about."""
    if refused.status == 404:
        raise refused
    form = Form({row: {name.partition(".")[2]: value for name, value in request.form.items()}})
    form.refuse(refused)
    form.errors = {f"{row}.{name or 'name'}": sentence for name, sentence in form.errors.items()}
    return _page(form, refused.status)


def _page(form: Form, status: int = 200) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        known, own = stages.list_all(session, account), fields.list_all(session, account)
        return show(
            "followers/fields.html",
            status,
            form=form,
            here=url_for("console.follower_fields"),
            stages=known,
            stage_counts=stages.count(session, known),
            first_stages=first_stages(),
            fields=own,
            field_counts=fields.count(session, own),
        )

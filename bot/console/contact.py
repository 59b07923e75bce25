"""One follower: who they are, what we keep of them, what was noted, and everything that happened."""

from datetime import datetime

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console import campaign_words, charts
from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, record, requires
from bot.console.followers import number_of
from bot.console.forms import Form
from bot.console.language import _, _n
from bot.console.pages import say, show
from bot.console.when import ZONES
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, campaign_progress, fields, followers, notes, sends, stages, timeline
from bot.services.timeline import Show

CAMPAIGNS = 5  # the last ones, on a follower's page


@blueprint.get("/<account>/followers/<int:follower_id>")
@requires("followers:read")
def follower(follower_id: int) -> ResponseReturnValue:
    return _one(follower_id, Form())


@blueprint.post("/<account>/followers/<int:follower_id>/change")
@requires("followers:write")
def change_follower(follower_id: int) -> ResponseReturnValue:
    typed = {name.removeprefix("fields."): value for name, value in request.form.items() if name.startswith("fields.")}
    form = Form({**request.form.to_dict(), "fields": typed})
    try:
        with transaction() as session:
            account, who = accounts.get(session, account_slug()), acting_operator().name
            found = followers.get(session, account, follower_id)
            if "remark" in request.form:
                followers.rename(session, found, request.form["remark"])
            if "stage_id" in request.form:
                followers.set_stage(session, account, found, number_of(request.form["stage_id"]), who)
            if "owner_id" in request.form:
                followers.set_owner(session, account, found, number_of(request.form["owner_id"]), who)
            if "timezone" in request.form:
                followers.set_timezone(found, request.form["timezone"].strip())
            given = {number_of(field_id) or 0: value for field_id, value in typed.items()}
            followers.set_fields(session, account, found, given, who)
            record(session, account, "followers.change", f"follower {found.id}")
    except Refused as refused:
        if refused.status == 404:
            raise
        form.refuse(refused)
        return _one(follower_id, form, refused.status)
    say(_("Saved."))
    return redirect(url_for("console.follower", follower_id=follower_id))


@blueprint.post("/<account>/followers/<int:follower_id>/campaigns")
@requires("followers:write")
def opt_out_follower(follower_id: int) -> ResponseReturnValue:
    """``on``: 1 opts out, 0 in again.  Alone in its form: a page opened earlier must not undo what they asked for."""
    on = request.form.get("on") != "0"
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = followers.get(session, account, follower_id)
        followers.set_opted_out(session, found, on, acting_operator().name)
        record(session, account, "followers.opt_out" if on else "followers.opt_in", f"follower {found.id}")
    say(_("No campaign reaches this follower any more.") if on else _("Campaigns reach this follower again."))
    return redirect(url_for("console.follower", follower_id=follower_id, _anchor="campaigns"))


@blueprint.post("/<account>/followers/<int:follower_id>/notes")
@requires("followers:write")
def add_note(follower_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            account, me = accounts.get(session, account_slug()), acting_operator()
            found = followers.get(session, account, follower_id)
            notes.add(session, found, request.form.get("text", ""), me, me.name)
            record(session, account, "followers.note", f"follower {found.id}")
    except Refused as refused:
        if refused.status == 404:
            raise
        form = Form(request.form.to_dict())
        form.refuse(refused)
        return _one(follower_id, form, refused.status)
    return redirect(url_for("console.follower", follower_id=follower_id, _anchor="notes"))


@blueprint.post("/<account>/followers/<int:follower_id>/notes/<int:note_id>/delete")
@requires("followers:write")
def delete_note(follower_id: int, note_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account, me = accounts.get(session, account_slug()), acting_operator()
        found = followers.get(session, account, follower_id)
        notes.delete(session, found, notes.get(session, account, found, note_id), me, me.name)
        record(session, account, "followers.note_delete", f"follower {found.id}")
    say(_("The note is deleted."))
    return redirect(url_for("console.follower", follower_id=follower_id, _anchor="notes"))


def _one(follower_id: int, form: Form, status: int = 200) -> ResponseReturnValue:
    account, before = current_account(), _time(request.args.get("before", ""))
    shown = request.args.get("show", "")
    which = Show(shown) if shown in set(Show) else Show.ALL
    with reading() as session:
        found = followers.get(session, account, follower_id)
        known = fields.list_all(session, account)
        kept = fields.values(session, known, [found.id]).get(found.id, {})
        form.values.setdefault("remark", found.remark)
        form.values.setdefault("stage_id", found.stage_id or "")
        form.values.setdefault("owner_id", found.owner_id or "")
        form.values.setdefault("timezone", found.timezone)
        typed = form.at("fields", {})
        form.values["fields"] = {str(each.id): fields.shown(kept.get(each.id)) for each in known} | (
            typed if isinstance(typed, dict) else {}
        )
        written = notes.page(session, found)
        owners = {each.id: each.name for each in followers.possible_owners(session, account)}
        days = timeline.activity(session, account, found)
        total = sum(count for _day, count in days)
        return show(
            "followers/one.html",
            status,
            form=form,
            here=request.full_path.rstrip("?")
            if request.method == "GET"
            else url_for("console.follower", follower_id=follower_id),
            one=found,
            which=which.value,
            is_last=before is None,
            story=timeline.page(session, account, found, show=which, before=before),
            allowance=sends.allowance(session, found.id),
            stages=stages.list_all(session, account),
            owners=followers.owner_names(session, [found]) | owners,
            fields=known,
            zones=ZONES,
            notes=written,
            campaigns=campaign_progress.of_follower(session, account, found.id, CAMPAIGNS),
            campaign_words=campaign_words,
            authors=notes.authors(session, written),
            active_days=[(day, count) for day, count in days if count],
            total=total,
            chart=charts.columns(
                _("Active days"),
                _n("{n} time active in 90 days", "{n} times active in 90 days", total),
                [f"{day.month}/{day.day}" for day, _count in days],
                [count for _day, count in days],
            ),
        )


def _time(value: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo else None

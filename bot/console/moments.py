"""Moments: what its members reported, and what is done about it; for owners of the whole install."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console.blueprint import acting_operator, blueprint, record, requires, row_number
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.moments import moderation
from bot.moments.media import serving
from models import CaseState, PostMode, ReportReason

PAGE = 50


@blueprint.get("/moments")
@requires("moments:read")
def moments_queue() -> ResponseReturnValue:
    state = CaseState.HELD if request.args.get("state") == "held" else CaseState.OPEN
    with reading() as session:
        found = moderation.queue(session, state, request.args.get("before", type=row_number), PAGE + 1)
        return show(
            "moments/queue.html",
            found=found[:PAGE],
            older=found[PAGE - 1].id if len(found) > PAGE else None,
            state=state.value,
            reasons=reasons(),
            suspended=moderation.suspended(session),
        )


@blueprint.get("/moments/cases/<int:case_id>")
@requires("moments:read")
def moments_case(case_id: int, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    """Opening it is a look at what somebody wrote: noted for them, and in the audit log."""
    with transaction() as session:
        case = moderation.look(session, case_id, acting_operator().name)
        record(session, None, "moments.look", f"case {case.id}")
        return show(
            "moments/case.html",
            status,
            case=case,
            form=form or Form({"reason": case.reports[0].reason if case.reports else ""}),
            here=url_for("console.moments_case", case_id=case_id),
            reasons=reasons(),
            audience=audience(case.mode),
        )


@blueprint.get("/moments/cases/<int:case_id>/media/<int:media_id>/<part>")
@requires("moments:read")
def moments_media(case_id: int, media_id: int, part: str) -> ResponseReturnValue:
    with reading() as session:
        return serving.serve(moderation.media(session, case_id, media_id, acting_operator().name), part)


@blueprint.post("/moments/cases/<int:case_id>/hold")
@requires("moments:write")
def hold_case(case_id: int) -> ResponseReturnValue:
    form = Form(request.form.to_dict())
    try:
        with transaction() as session:
            moderation.hold(session, case_id, _reason(form.at("reason")), form.at("words"))
            record(session, None, "moments.hold", f"case {case_id}")
    except Refused as refused:
        if refused.status != Refused.status:
            raise
        form.refuse(refused)
        return moments_case(case_id, form, refused.status)
    say(_("It is held: only its writer sees it, with your reason."))
    return redirect(url_for("console.moments_queue"))


@blueprint.post("/moments/cases/<int:case_id>/release")
@requires("moments:write")
def release_case(case_id: int) -> ResponseReturnValue:
    with transaction() as session:
        moderation.release(session, case_id)
        record(session, None, "moments.release", f"case {case_id}")
    say(_("It is shown again to those for whom it is."))
    return redirect(url_for("console.moments_queue", state="held"))


@blueprint.post("/moments/cases/<int:case_id>/dismiss")
@requires("moments:write")
def dismiss_case(case_id: int) -> ResponseReturnValue:
    with transaction() as session:
        moderation.dismiss(session, case_id)
        record(session, None, "moments.dismiss", f"case {case_id}")
    say(_("The case is closed; another report opens it again."))
    return redirect(url_for("console.moments_queue"))


@blueprint.post("/moments/members/<int:member_id>/suspension")
@requires("moments:write")
def suspend_member(member_id: int) -> ResponseReturnValue:
    is_on = request.form.get("on") == "1"
    with transaction() as session:
        change = moderation.suspend if is_on else moderation.release_member
        member = change(session, member_id)
        record(session, None, "moments.suspend" if is_on else "moments.release_member", member.handle)
    said = _("Nobody sees anything of {name} until you end it.") if is_on else _("{name} is back, as it was before.")
    say(said.format(name=member.name))
    return redirect(url_for("console.moments_queue"))


def reasons() -> dict[str, str]:
    return {
        ReportReason.SPAM: _("Advertising"),
        ReportReason.FRAUD: _("Fraud"),
        ReportReason.INSULT: _("Insult or hate"),
        ReportReason.SEXUAL: _("Sexual content"),
        ReportReason.VIOLENCE: _("Violence"),
        ReportReason.PRIVACY: _("Shows somebody's private things"),
        ReportReason.OTHER: _("Something else"),
    }


def audience(mode: PostMode) -> str:
    """The kind only: who is in it stays with the author."""
    return {
        PostMode.FRIENDS: _("for all friends"),
        PostMode.PRIVATE: _("for its author only"),
        PostMode.ALLOW: _("for some friends"),
        PostMode.DENY: _("for all friends but some"),
    }[mode]


def _reason(value: str) -> ReportReason:
    try:
        return ReportReason(value)
    except ValueError:
        raise Refused("Choose a reason; the writer reads it.", field="reason") from None

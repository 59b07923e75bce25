"""Reporting a post or a comment, and what moderators looked at of one's own."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.errors import Refused
from bot.moments import addresses, cards, posts, reactions, reports
from bot.moments.pages.forms import Form
from bot.moments.pages.language import _
from bot.moments.pages.shell import acting, bp, looking, say, show
from models import ReportReason


@bp.get("/posts/<post>/report")
def report_post(post: str, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    with looking() as (session, me):
        card = cards.one(session, me, posts.find(session, me, addresses.read("post", post)))
        back = url_for("moments.post", post=post)
        return _page(_("Report this post"), card["author"]["name"], card["body"], back, form, status)


@bp.post("/posts/<post>/report", endpoint="send_post_report")
def send_post_report(post: str) -> ResponseReturnValue:
    try:
        with acting() as (session, me):
            reports.report_post(session, me, addresses.read("post", post), _reason(), request.form.get("words", ""))
    except Refused as refused:
        return report_post(post, _form(refused), refused.status)
    return _thanks(post)


@bp.get("/comments/<comment>/report")
def report_comment(comment: str, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    with looking() as (session, me):
        found = reactions.find(session, me, addresses.read("comment", comment))
        said = cards.comment(session, me, found)
        back = url_for("moments.post", post=addresses.of("post", found.post_id), at=comment)
        return _page(_("Report this comment"), said["by"]["name"], said["body"], back, form, status)


@bp.post("/comments/<comment>/report", endpoint="send_comment_report")
def send_comment_report(comment: str) -> ResponseReturnValue:
    try:
        with acting() as (session, me):
            comment_id = addresses.read("comment", comment)
            reports.report_comment(session, me, comment_id, _reason(), request.form.get("words", ""))
            post = addresses.of("post", reactions.find(session, me, comment_id).post_id)
    except Refused as refused:
        return report_comment(comment, _form(refused), refused.status)
    return _thanks(post)


@bp.get("/staff-views")
def staff_views() -> ResponseReturnValue:
    with looking(also_off=True) as (session, me):
        views = cards.staff_views(session, me)
        ids = {each["post"]: addresses.read("post", each["post"]) for each in views if each["post"]}
        there = posts.those(session, me, list(ids.values()))
        return show("staff_views.html", views=views, there={post for post, post_id in ids.items() if post_id in there})


@bp.app_template_global()
def reason_words() -> dict[str, str]:
    return {
        ReportReason.SPAM: _("Advertising"),
        ReportReason.FRAUD: _("Fraud"),
        ReportReason.INSULT: _("Insult or hate"),
        ReportReason.SEXUAL: _("Sexual content"),
        ReportReason.VIOLENCE: _("Violence"),
        ReportReason.PRIVACY: _("Shows somebody's private things"),
        ReportReason.OTHER: _("Something else"),
    }


def _page(title: str, name: str, body: str, back: str, form: Form | None, status: int) -> ResponseReturnValue:
    return show("report.html", status, title=title, name=name, body=body, back=back, form=form or Form())


def _reason() -> ReportReason:
    try:
        return ReportReason(request.form.get("reason", ""))
    except ValueError:
        raise Refused("Choose what is wrong with it.", field="reason") from None


def _form(refused: Refused) -> Form:
    """What was typed stays; what is not there any more has no form."""
    if refused.status == 404:
        raise refused
    form = Form({name: request.form.get(name, "") for name in ("reason", "words")})
    form.refuse(refused, "reason")
    return form


def _thanks(post: str) -> ResponseReturnValue:
    say(_("Thank you. The moderators look at it; nobody else learns of it, and they are not told who you are."))
    return redirect(url_for("moments.post", post=post))

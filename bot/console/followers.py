"""Followers: finding one, and everything said between them and the account."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console.blueprint import account_slug, blueprint, current_account, record, requires
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, follower_sync, followers, messages, sends, tasks

PAGE = 50


@blueprint.get("/<account>/followers")
@requires("followers:read")
def followers_list() -> ResponseReturnValue:
    account, search = current_account(), request.args.get("search", "").strip()
    before = request.args.get("before", type=int)
    with reading() as session:
        found = followers.page(session, account, search=search, before=before, limit=PAGE + 1)
        return show(
            "followers/list.html",
            found=found[:PAGE],
            older=found[PAGE - 1].id if len(found) > PAGE else None,
            is_first=before is None,
            search=search,
            count=followers.count(session, account),
            task=tasks.latest(session, account, follower_sync.KIND),
        )


@blueprint.get("/<account>/followers/<int:follower_id>")
@requires("followers:read")
def follower(follower_id: int) -> ResponseReturnValue:
    return _one(follower_id, Form())


@blueprint.post("/<account>/followers/<int:follower_id>/remark")
@requires("followers:write")
def rename_follower(follower_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            found = followers.get(session, account, follower_id)
            followers.rename(session, found, request.form.get("remark", ""))
            record(session, account, "followers.rename", f"follower {found.id}")
    except Refused as refused:
        if refused.status == 404:
            raise
        form = Form(request.form.to_dict())
        form.refuse(refused)
        return _one(follower_id, form, refused.status)
    say(_("Saved."))
    return redirect(url_for("console.follower", follower_id=follower_id))


@blueprint.post("/<account>/followers/sync")
@requires("followers:write")
def sync_followers() -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        follower_sync.start(session, account)
        record(session, account, "followers.sync")
    return redirect(url_for("console.followers_list"))


def _one(follower_id: int, form: Form, status: int = 200) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        found = followers.get(session, account, follower_id)
        form.values.setdefault("remark", found.remark)
        return show(
            "followers/one.html",
            status,
            form=form,
            here=url_for("console.follower", follower_id=follower_id),
            one=found,
            turns=messages.timeline(session, account, found),
            allowance=sends.allowance(session, found.id),
        )

"""Tags: what there is, what WeChat has yet to hear, who gets one by itself; and on a follower's page, theirs."""

from collections.abc import Callable

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy.orm import Session

from bot.console.blueprint import (
    account_slug,
    acting_operator,
    blueprint,
    current_account,
    may,
    own_path,
    record,
    requires,
)
from bot.console.forms import Form
from bot.console.language import _, _n
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import NotFound, Refused
from bot.services import abilities, accounts, auto_tags, blocklist, followers, tag_pushes, tags, tasks
from bot.services.auto_tags import AutoTagDraft
from models import Account, Tag


@blueprint.get("/<account>/tags")
@requires("tags:read")
def tags_page() -> ResponseReturnValue:
    return _page(Form())


@blueprint.post("/<account>/tags")
@requires("tags:write")
def add_tag() -> ResponseReturnValue:
    form = Form(request.form.to_dict())
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            tag = tags.add(session, account, request.form.get("name", ""))
            record(session, account, "tags.add", tag.name)
    except Refused as refused:
        form.refuse(refused)
        return _page(form, refused.status)
    say(_("The tag “{name}” is added.", name=tag.name))
    return redirect(url_for("console.tags_page"))


@blueprint.post("/<account>/tags/<int:tag_id>/rename")
@requires("tags:write")
def rename_tag(tag_id: int) -> ResponseReturnValue:
    form = Form({"renamed": str(tag_id), "new_name": request.form.get("name", "")})
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            tag = tags.get(session, account, tag_id)
            tags.rename(session, account, tag, request.form.get("name", ""))
            record(session, account, "tags.rename", tag.name)
    except NotFound:
        raise
    except Refused as refused:
        refused.field = "new_name"
        form.refuse(refused)
        return _page(form, refused.status)
    say(_("The tag is now “{name}”.", name=tag.name))
    return redirect(url_for("console.tags_page"))


@blueprint.post("/<account>/tags/<int:tag_id>/delete")
@requires("tags:write")
def delete_tag(tag_id: int) -> ResponseReturnValue:
    name = _change(tag_id, "tags.delete", tags.delete)
    say(_("“{title}” was deleted.", title=name))
    return redirect(url_for("console.tags_page"))


@blueprint.post("/<account>/tags/<int:tag_id>/share")
@requires("tags:write")
def share_tag(tag_id: int) -> ResponseReturnValue:
    name = _change(tag_id, "tags.share", tags.share)
    say(_("“{name}” is on its way to WeChat.", name=name))
    return redirect(url_for("console.tags_page"))


@blueprint.post("/<account>/tags/problems")
@requires("tags:write")
def settle_tag_problems() -> ResponseReturnValue:
    do = tag_pushes.dismiss if request.form.get("do") == "dismiss" else tag_pushes.retry
    with transaction() as session:
        account = accounts.get(session, account_slug())
        do(session, account)
        record(session, account, "tags.settle")
    return redirect(url_for("console.tags_page"))


@blueprint.post("/<account>/tags/auto")
@requires("tags:write")
def add_auto_tag() -> ResponseReturnValue:
    form = Form(request.form.to_dict())
    given = {name: form.values.get(name, "") for name in ("trigger", "mode", "pattern")}
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            tag = tags.find_or_add(session, account, _tag_name(form))
            auto = auto_tags.save(session, account, AutoTagDraft.model_validate({**given, "tag_id": tag.id}))
            record(session, account, "tags.auto_add", f"automatic tag {auto.id}")
    except (Refused, ValidationError) as problem:
        if isinstance(problem, Refused) and problem.field == "name":
            problem.field = "tag"
        form.refuse(problem)
        return _page(form, 422)
    say(_("“{name}” is given by itself from the next message on.", name=tag.name))
    return redirect(url_for("console.tags_page", _anchor="auto"))


@blueprint.post("/<account>/tags/auto/<int:auto_tag_id>/switch")
@requires("tags:write")
def switch_auto_tag(auto_tag_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        auto = auto_tags.get(session, account, auto_tag_id)
        auto_tags.set_enabled(session, account, auto, request.form.get("on") == "1")
        record(session, account, "tags.auto_switch", f"automatic tag {auto_tag_id}")
    return redirect(url_for("console.tags_page", _anchor="auto"))


@blueprint.post("/<account>/tags/auto/<int:auto_tag_id>/delete")
@requires("tags:write")
def delete_auto_tag(auto_tag_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        auto_tags.delete(session, account, auto_tags.get(session, account, auto_tag_id))
        record(session, account, "tags.auto_delete", f"automatic tag {auto_tag_id}")
    return redirect(url_for("console.tags_page", _anchor="auto"))


@blueprint.post("/<account>/followers/tag")
@requires("followers:write")
def tag_followers() -> ResponseReturnValue:
    """Tag the followers that were ticked: ``ids``, ``tag`` (a name), ``do``: add or remove."""
    sent = [*request.form.getlist("ids"), *request.form.getlist("ids[]")]
    ids = [int(each) for each in sent if each.isdecimal() and len(each) < 19]
    removes = request.form.get("do") == "remove"
    with transaction() as session:
        account = accounts.get(session, account_slug())
        if not ids:
            raise Refused("Tick at least one follower first.")
        tag = _named(session, account)
        done = (tags.take if removes else tags.give)(session, account, tag, ids, acting_operator().name)
        record(session, account, "tags.untag" if removes else "tags.tag", f"{tag.name}: {done}")
    name = tag.name
    if removes:
        say(_n("“{name}” was taken from one follower.", "“{name}” was taken from {n} followers.", done, name=name))
    else:
        say(_n("“{name}” was given to one follower.", "“{name}” was given to {n} followers.", done, name=name))
    return redirect(own_path(request.form.get("next", "") or url_for("console.followers_list")))


@blueprint.post("/<account>/followers/<int:follower_id>/tags")
@requires("followers:write")
def tag_follower(follower_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            follower = followers.get(session, account, follower_id)
            tag = _named(session, account)
            tags.give(session, account, tag, [follower.id], acting_operator().name)
            record(session, account, "tags.tag", f"follower {follower.id}: {tag.name}")
    except NotFound:
        raise
    except Refused as refused:
        say(refused.sentence(_), "bad")
    return _back(follower_id)


@blueprint.post("/<account>/followers/<int:follower_id>/tags/<int:tag_id>/remove")
@requires("followers:write")
def untag_follower(follower_id: int, tag_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        tag = tags.get(session, account, tag_id)
        tags.take(session, account, tag, [follower_id], acting_operator().name)
        record(session, account, "tags.untag", f"follower {follower_id}: {tag.name}")
    return _back(follower_id)


@blueprint.post("/<account>/followers/<int:follower_id>/block")
@requires("followers:write")
def block_follower(follower_id: int) -> ResponseReturnValue:
    """``on``: 1 blocks, 0 unblocks."""
    on = request.form.get("on") != "0"
    with transaction() as session:
        account = accounts.get(session, account_slug())
        act = blocklist.block if on else blocklist.unblock
        act(session, account, [follower_id], acting_operator().name)
        record(session, account, "followers.block" if on else "followers.unblock", f"follower {follower_id}")
    if on:
        say(_("Blocked: nothing comes from this follower any more, and nothing goes to them."))
    else:
        say(_("This follower may write again."))
    return _back(follower_id)


@blueprint.app_template_global()
def tag_names() -> list[str]:
    """Of this page's account, to choose from."""
    with reading() as session:
        return [tag.name for tag in tags.list_all(session, current_account())]


@blueprint.app_template_global()
def may_keep_tags() -> bool:
    """Whether WeChat keeps tags and a blocklist for this page's account."""
    return abilities.may(current_account(), "followers")


def _back(follower_id: int) -> ResponseReturnValue:
    return redirect(url_for("console.follower", follower_id=follower_id, _anchor="tags"))


def _tag_name(form: Form) -> str:
    return str(form.values.get("tag", ""))


def _named(session: Session, account: Account) -> Tag:
    """The tag that was chosen or typed; a new one only from who may make tags."""
    name = request.form.get("tag", "")
    found = tags.find(session, account, name)
    if found is None and not may("tags:write"):
        raise Refused("There is no tag of this name; choose one from the list.", field="tag")
    return found or tags.add(session, account, name)


def _change(tag_id: int, action: str, change: Callable[[Session, Account, Tag], None]) -> str:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        tag = tags.get(session, account, tag_id)
        name = tag.name
        change(session, account, tag)
        record(session, account, action, name)
    return name


def _page(form: Form, status: int = 200) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        listed = tags.listed(session, account)
        return show(
            "tags.html",
            status,
            form=form,
            here=url_for("console.tags_page"),
            listed=listed,
            names={each.tag.id: each.tag.name for each in listed},
            auto=auto_tags.list_all(session, account),
            waiting=tag_pushes.waiting(session, account),
            problems=tag_pushes.problems(session, account),
            task=tasks.latest(session, account, tag_pushes.KIND),
        )

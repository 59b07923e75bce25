"""The account's labels and canned replies: what its operators choose from."""

from collections.abc import Callable

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.console.blueprint import account_slug, blueprint, current_account, record, requires
from bot.console.forms import Form
from bot.console.pages import show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, canned_replies, labels
from models import Account


@blueprint.get("/<account>/conversations/texts")
@requires("conversations:read")
def inbox_texts() -> ResponseReturnValue:
    return _page(Form())


@blueprint.post("/<account>/conversations/labels")
@requires("conversations:write")
def add_label() -> ResponseReturnValue:
    return _change("labels.add", lambda session, account: labels.add(session, account, request.form.get("name", "")))


@blueprint.post("/<account>/conversations/labels/<int:label_id>")
@requires("conversations:write")
def change_label(label_id: int) -> ResponseReturnValue:
    def change(session: Session, account: Account) -> None:
        label = labels.get(session, account, label_id)
        if "delete" in request.form:
            labels.remove(session, label)
        else:
            labels.rename(session, account, label, request.form.get("name", ""))

    return _change("labels.change", change, f"label-{label_id}")


@blueprint.post("/<account>/conversations/canned")
@requires("conversations:write")
def add_canned_reply() -> ResponseReturnValue:
    name, text = request.form.get("name", ""), request.form.get("text", "")
    return _change(
        "canned_replies.add", lambda session, account: canned_replies.save(session, account, name, text), "canned"
    )


@blueprint.post("/<account>/conversations/canned/<int:canned_id>")
@requires("conversations:write")
def change_canned_reply(canned_id: int) -> ResponseReturnValue:
    def change(session: Session, account: Account) -> None:
        known = canned_replies.get(session, account, canned_id)
        if "delete" in request.form:
            canned_replies.remove(session, known)
        else:
            name, text = request.form.get("name", ""), request.form.get("text", "")
            canned_replies.save(session, account, name, text, known)

    return _change("canned_replies.change", change, f"canned-{canned_id}")


def _change(action: str, change: Callable[[Session, Account], object], part: str = "label") -> ResponseReturnValue:
    """``part``: the form that was sent; its fields are named so in the page, where what is wrong is shown."""
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            change(session, account)
            record(session, account, action)
    except Refused as refused:
        if refused.status == 404:
            raise
        form = Form({part: request.form.to_dict()})
        form.refuse(refused)
        form.errors = {f"{part}.{name}": sentence for name, sentence in form.errors.items()}
        return _page(form, refused.status)
    return redirect(url_for("console.inbox_texts"))


def _page(form: Form, status: int = 200) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        known, replies = labels.list_all(session, account), canned_replies.list_all(session, account)
    for label in known:
        form.values.setdefault(f"label-{label.id}", {"name": label.name})
    for reply in replies:
        form.values.setdefault(f"canned-{reply.id}", {"name": reply.name, "text": reply.text})
    here = url_for("console.inbox_texts")
    variables = canned_replies.VARIABLES
    return show(
        "conversations/texts.html", status, form=form, labels=known, replies=replies, variables=variables, here=here
    )

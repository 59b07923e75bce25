"""The menus at the foot of the chat: one form for each, the phone that shows it, and publishing all to WeChat."""

from collections.abc import Sequence
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.console import menu_form, words
from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, may, record, requires
from bot.console.forms import Form, nested, rows
from bot.console.language import _, look_up
from bot.console.pages import say, show
from bot.console.rule_words import Side
from bot.database import reading, transaction
from bot.errors import Conflict, Refused
from bot.services import accounts, menu_replies, menus, tasks
from bot.wechat import limits
from models import Account, Menu, fingerprint


@blueprint.route("/<account>/menu", methods=["GET", "POST"], defaults={"menu_id": 0})
@blueprint.route("/<account>/menu/<int:menu_id>", methods=["GET", "POST"])
@requires("menus:read", to_change="menus:write")
def menu_edit(menu_id: int) -> ResponseReturnValue:
    """One form, two buttons: save, or save and publish.  Without an id it is the usual menu."""
    if request.method == "GET":
        with reading() as session:
            form = form_of(session, current_account(), menu_id)
        return page(menu_id, form)
    form = Form(nested(request.form))
    given = rows(form.values, "buttons")
    if "move" in request.form:
        form.values["buttons"] = menu_form.moved(given, request.form["move"])
        return page(menu_id, form)
    clash: list[Side] = []
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            menu = menus.hold(session, account)
            known = menu_replies.answers(session, account)
            taken = {*known, *menu_form.keys(menu)}
            form.values["buttons"], buttons = menu_form.buttons(given, taken)
            was_deleted = _save(session, account, menu, menu_id, form, buttons)
            if may("rules:write"):
                for path, row in menu_form.answered(form.values["buttons"], known):
                    _write_reply(session, account, path, row)
            publishes = "publish" in request.form and not was_deleted
            if publishes:
                menus.publish(session, account, acting_operator().name)
            record(session, account, "menus.publish" if publishes else "menus.edit")
    except Conflict as refused:
        form.refuse(refused)
        with reading() as session:
            theirs = form_of(session, current_account(), menu_id)
            tag_by_id = menu_form.tags_by_id(session, current_account())
        clash = menu_form.sides(theirs.values, form.values, tag_by_id, may_reply=may("rules:write"))
        form.values["revision"] = theirs.at("revision")
    except Refused as refused:
        if refused.status == 404:
            raise
        form.refuse(refused)
        form.errors = {menu_form.field(name): sentence for name, sentence in form.errors.items()}
    else:
        if was_deleted:
            say(_("Somebody deleted this menu meanwhile. It is back with what you typed, as the last that is tried."))
        elif not publishes:
            say(_("Saved. Followers still see the published menu."))
        return redirect(url_for("console.menu_edit", menu_id=menu_id, _anchor="publishing" if publishes else None))
    return page(menu_id, form, 409 if form.error("revision") else 422, clash=clash)


def _save(
    session: Session, account: Account, menu: Menu, menu_id: int, form: Form, buttons: list[dict[str, Any]]
) -> bool:
    """Keep what the form says; True: somebody had deleted the menu, so it was put back.

    Raises:
        Conflict: somebody changed it since the form was opened.
    """
    rule = {name: form.at(name) for name in ("tag_id", "client_platform_type")}
    one = {"title": form.at("title"), "matchrule": rule, "buttons": buttons}
    began = form.at("revision")
    if began and menu_id and all(each["id"] != menu_id for each in menu.conditional):
        menus.restore_conditional(session, account, {**one, "id": menu_id}, len(menu.conditional) + 1)
        return True
    if began and began != form_of(session, account, menu_id).at("revision"):
        raise Conflict(menus.CHANGED, field="revision")
    if menu_id:
        menus.save_conditional(session, account, menu_id, **one)
    else:
        menus.save(session, account, buttons)
    return False


def form_of(session: Session, account: Account, menu_id: int) -> Form:
    """One menu as it is kept, with what its keys answer.

    ``revision`` stands for all of it: another one whenever something in the form is different.
    """
    menu = menus.get(session, account)
    known = menu_replies.answers(session, account)
    one: dict[str, Any] = menus.find(menu, menu_id) if menu_id else {"buttons": menu.buttons, "matchrule": {}}
    values = {"title": one.get("title", ""), **one["matchrule"]}
    values["buttons"] = [menu_form.shown(each, known) for each in one["buttons"]]
    return Form({**values, "revision": fingerprint(values)})


def _write_reply(session: Session, account: Account, path: str, row: dict[str, Any]) -> None:
    text = str(row["reply"]).strip()
    if not text:
        raise Refused("Write an answer here, or switch its rule off among the replies.", field=f"{path}.reply")
    try:
        menu_replies.write(session, account, str(row["value"]), text, str(row["name"]))
    except Refused as refused:
        raise Refused(refused.template, field=f"{path}.reply", **refused.values) from None


def page(
    menu_id: int,
    form: Form,
    status: int = 200,
    *,
    clash: Sequence[Side] = (),
    deleted: dict[str, Any] | None = None,
) -> ResponseReturnValue:
    """The designer.

    Args:
        clash: what somebody else saved meanwhile, beside what was typed.
        deleted: ``title``, ``menu`` and ``position`` of one that was just deleted, to put it back.
    """
    account = current_account()
    with reading() as session:
        menu = menus.get(session, account)
        known = menu_replies.answers(session, account)
        tag_by_id = menu_form.tags_by_id(session, account)
        return show(
            "menu.html",
            status,
            form=form,
            menu=menu,
            one=menus.find(menu, menu_id) if menu_id else None,
            menu_id=menu_id,
            here=url_for("console.menu_edit", menu_id=menu_id),
            clash=clash,
            deleted=deleted,
            is_published=menu.published_at is not None
            and (menu.published, menu.published_conditional or []) == (menu.buttons, menu.conditional),
            known=known,
            tag_options=list(tag_by_id.items()),
            tag_by_id=tag_by_id,
            warnings=[
                {
                    "menu_id": each.menu_id,
                    "menu": words.menu_name(menus.find(menu, each.menu_id) if each.menu_id else None, tag_by_id),
                    "place": each.place,
                    "text": look_up(each.sentence).format(**each.values),
                }
                for each in menu_replies.warnings(menu, known)
            ],
            has_taps=bool(menu_form.live(menu, menu_id)),
            task=tasks.latest(session, account, menus.KIND),
            newest=next(iter(menus.versions(session, account, 1)), None),
            limits=limits,
        )

"""The list of menus for some followers: added, moved, deleted and put back."""

import json
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console import menu, menu_form, words
from bot.console.blueprint import account_slug, blueprint, current_account, record, requires, row_number
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, menus


@blueprint.post("/<account>/menu/add")
@requires("menus:write")
def add_menu() -> ResponseReturnValue:
    """A menu for some followers, empty or with the usual menu's buttons."""
    rule = {name: request.form.get(name, "") for name in ("tag_id", "client_platform_type")}
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            title, is_copy = request.form.get("title", ""), "copy" in request.form
            menu_id = menus.add_conditional(session, account, is_copy=is_copy, title=title, matchrule=rule)
            record(session, account, "menus.add")
    except Refused as refused:
        adding = Form()
        adding.refuse(refused)
        with reading() as session:
            form = menu.form_of(session, current_account(), 0)
        form.values["new"] = rule
        form.errors = {f"new.{name.rpartition('.')[2]}": sentence for name, sentence in adding.errors.items()}
        return menu.page(0, form, refused.status)
    return redirect(url_for("console.menu_edit", menu_id=menu_id))


@blueprint.post("/<account>/menu/<int:menu_id>/move")
@requires("menus:write")
def move_menu(menu_id: int) -> ResponseReturnValue:
    """Up or down the list: the first menu that fits is shown."""
    place = request.form.get("position", type=row_number)
    with transaction() as session:
        account = accounts.get(session, account_slug())
        menus.find(menus.get(session, account), menu_id)
        if place is None:
            raise Refused("Give the place in the list as a number.", field="position")
        menus.move_conditional(session, account, menu_id, place)
        record(session, account, "menus.move")
    return redirect(url_for("console.menu_edit", menu_id=menu_id))


@blueprint.post("/<account>/menu/<int:menu_id>/delete")
@requires("menus:write")
def delete_menu(menu_id: int) -> ResponseReturnValue:
    """Out of the draft; the page that follows holds the menu, to put it back."""
    with transaction() as session:
        account = accounts.get(session, account_slug())
        one, place = menus.delete_conditional(session, account, menu_id)
        record(session, account, "menus.delete")
    with reading() as session:
        form = menu.form_of(session, current_account(), 0)
        name = words.menu_name(one, menu_form.tags_by_id(session, current_account()))
    return menu.page(0, form, deleted={"title": name, "menu": json.dumps(one), "position": place})


@blueprint.post("/<account>/menu/restore")
@requires("menus:write")
def restore_menu() -> ResponseReturnValue:
    try:
        one: dict[str, Any] = json.loads(request.form.get("menu", ""))
        kept = {name: one[name] for name in ("id", "title", "matchrule", "buttons")}
        place = int(request.form.get("position", ""))
        if not (isinstance(kept["id"], int) and isinstance(kept["matchrule"], dict)):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("The deleted menu can no longer be put back; make it anew.") from None
    with transaction() as session:
        account = accounts.get(session, account_slug())
        menu_id = menus.restore_conditional(session, account, kept, place)
        record(session, account, "menus.restore")
        name = words.menu_name(kept, menu_form.tags_by_id(session, account))
    say(_("“{title}” is back.", title=name))
    return redirect(url_for("console.menu_edit", menu_id=menu_id))

"""The menu at the foot of the chat: editing, a phone that shows it, and publishing it to WeChat."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, record, requires
from bot.console.forms import Form, nested, rows
from bot.console.language import _
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, menus, tasks
from bot.wechat import limits


@blueprint.route("/<account>/menu", methods=["GET", "POST"])
@requires("menus:read", to_change="menus:write")
def menu_edit() -> ResponseReturnValue:
    """One form, two buttons: save, or save and publish."""
    account = current_account()
    if request.method == "GET":
        with reading() as session:
            kept = menus.get(session, account)
            return _page(Form({"buttons": [_shown(button) for button in kept.buttons]}))
    form = Form(nested(request.form))
    form.values["buttons"], buttons = _buttons(rows(form.values, "buttons"))
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            menus.save(session, account, buttons)
            publishes = "publish" in request.form
            if publishes:
                menus.publish(session, account, acting_operator().name)
            action = "menus.publish" if publishes else "menus.edit"
            record(session, account, action)
    except Refused as refused:
        form.refuse(refused)
        form.errors = {_field_in_form(name): sentence for name, sentence in form.errors.items()}
        return _page(form, refused.status)
    if not publishes:
        say(_("Saved. Followers still see the published menu."))
    return redirect(url_for("console.menu_edit", _anchor="publishing"))


@blueprint.get("/<account>/menu/history")
@requires("menus:read")
def menu_history() -> ResponseReturnValue:
    """What was published; with ?version=, how that one differs from what followers have."""
    account = current_account()
    with reading() as session:
        chosen = request.args.get("version", "")
        version = menus.version(session, account, int(chosen)) if chosen.isdecimal() and len(chosen) < 19 else None
        live = menus.get(session, account).published
        return show(
            "menu_history.html",
            versions=menus.versions(session, account),
            version=version,
            live=live,
            changes=menus.difference(live, version.buttons) if version else [],
        )


@blueprint.post("/<account>/menu/history/<int:version_id>/roll-back")
@requires("menus:write")
def roll_back_menu(version_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        menus.roll_back(session, account, version_id, acting_operator().name)
        record(session, account, "menus.roll_back")
    return redirect(url_for("console.menu_edit", _anchor="publishing"))


def _page(form: Form, status: int = 200) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        return show(
            "menu.html",
            status,
            form=form,
            menu=menus.get(session, account),
            task=tasks.latest(session, account, menus.KIND),
            limits=limits,
        )


def _shown(button: dict[str, Any]) -> dict[str, Any]:
    """A button in WeChat's shape as the form's row."""
    kind = button.get("type", "click")
    row = {"name": button.get("name", ""), "type": kind, "value": button.get(_value_field(kind), "")}
    row |= {name: button.get(name, "") for name in ("appid", "pagepath")}
    return {**row, "sub_button": [_shown(each) for each in button.get("sub_button", [])]}


def _buttons(given: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows that hold something, and the same in WeChat's shape: one's place is the other's."""
    kept: list[dict[str, Any]] = []
    buttons: list[dict[str, Any]] = []
    for row in given:
        row["sub_button"], below = _buttons(rows(row, "sub_button"))
        if not any(str(row.get(name, "")).strip() for name in ("name", "value")) and not below:
            continue
        kept.append(row)
        buttons.append({"name": row.get("name", ""), "sub_button": below} if below else _button(row))
    return kept, buttons


def _button(row: dict[str, Any]) -> dict[str, Any]:
    kind = str(row.get("type", "click"))
    button = {"name": row.get("name", ""), "type": kind, _value_field(kind): str(row.get("value", "")).strip()}
    if kind == "miniprogram":
        button |= {name: str(row.get(name, "")).strip() for name in ("appid", "pagepath")}
    return button


def _value_field(kind: str) -> str:
    """WeChat's name for a button's value."""
    return menus.TYPES.get(kind, ("key",))[0]


def _field_in_form(name: str) -> str:
    path, _dot, last = name.rpartition(".")
    return f"{path}.value" if last in ("key", "url", "media_id", "article_id") else name

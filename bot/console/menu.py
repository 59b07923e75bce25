"""The menus at the foot of the chat: one form for each, the phone that shows it, and publishing all to WeChat."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.console import charts, menu_form, words
from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, may, record, requires
from bot.console.forms import Form, nested, rows
from bot.console.language import _, look_up
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, menu_clicks, menu_replies, menus, tags, tasks
from bot.wechat import limits
from models import Account, Menu


@blueprint.route("/<account>/menu", methods=["GET", "POST"], defaults={"menu_id": 0})
@blueprint.route("/<account>/menu/<int:menu_id>", methods=["GET", "POST"])
@requires("menus:read", to_change="menus:write")
def menu_edit(menu_id: int) -> ResponseReturnValue:
    """One form, two buttons: save, or save and publish.  Without an id it is the usual menu."""
    account = current_account()
    if request.method == "GET":
        with reading() as session:
            kept = menus.get(session, account)
            known = menu_replies.answers(session, account)
            usual: dict[str, Any] = {"buttons": kept.buttons, "matchrule": {}}
            one = menus.find(kept, menu_id) if menu_id else usual
        values = {"title": one.get("title", ""), **one["matchrule"]}
        return _page(menu_id, Form({**values, "buttons": [menu_form.shown(each, known) for each in one["buttons"]]}))
    form = Form(nested(request.form))
    given = rows(form.values, "buttons")
    if "move" in request.form:
        form.values["buttons"] = menu_form.moved(given, request.form["move"])
        return _page(menu_id, form)
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            known = menu_replies.answers(session, account)
            taken = {*known, *menu_form.keys(menus.get(session, account))}
            form.values["buttons"], buttons = menu_form.buttons(given, taken)
            if menu_id:
                rule = {name: form.at(name) for name in ("tag_id", "client_platform_type")}
                menus.save_conditional(
                    session, account, menu_id, title=form.at("title"), matchrule=rule, buttons=buttons
                )
            else:
                menus.save(session, account, buttons)
            if may("rules:write"):
                for path, row in menu_form.answered(form.values["buttons"], known):
                    _write_reply(session, account, path, row)
            publishes = "publish" in request.form
            if publishes:
                menus.publish(session, account, acting_operator().name)
            record(session, account, "menus.publish" if publishes else "menus.edit")
    except Refused as refused:
        if refused.status == 404:
            raise
        form.refuse(refused)
        form.errors = {menu_form.field(name): sentence for name, sentence in form.errors.items()}
        return _page(menu_id, form, refused.status)
    if not publishes:
        say(_("Saved. Followers still see the published menu."))
    return redirect(url_for("console.menu_edit", menu_id=menu_id, _anchor="publishing" if publishes else None))


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
        adding = Form(request.form.to_dict())
        adding.refuse(refused)
        adding.errors = {f"new.{name.rpartition('.')[2]}": sentence for name, sentence in adding.errors.items()}
        adding.values["new"] = {**adding.values}
        with reading() as session:
            kept = menus.get(session, current_account()).buttons
            known = menu_replies.answers(session, current_account())
        form = Form({"buttons": [menu_form.shown(each, known) for each in kept], **adding.values}, adding.errors)
        return _page(0, form, refused.status)
    return redirect(url_for("console.menu_edit", menu_id=menu_id))


@blueprint.post("/<account>/menu/<int:menu_id>/move")
@requires("menus:write")
def move_menu(menu_id: int) -> ResponseReturnValue:
    """Up or down the list: the first menu that fits is shown."""
    place = request.form.get("position", type=int)
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
    with transaction() as session:
        account = accounts.get(session, account_slug())
        menus.delete_conditional(session, account, menu_id)
        record(session, account, "menus.delete")
    say(_("It is out of the draft. Followers lose it when you publish; the history keeps what was published."))
    return redirect(url_for("console.menu_edit"))


def _write_reply(session: Session, account: Account, path: str, row: dict[str, Any]) -> None:
    text = str(row["reply"]).strip()
    if not text:
        raise Refused("Write an answer here, or switch its rule off among the replies.", field=f"{path}.reply")
    try:
        menu_replies.write(session, account, str(row["value"]), text, str(row["name"]))
    except Refused as refused:
        raise Refused(refused.template, field=f"{path}.reply", **refused.values) from None


def _page(menu_id: int, form: Form, status: int = 200) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        menu = menus.get(session, account)
        live = [menu.published, *(each["buttons"] for each in menu.published_conditional or [])]
        counted = menu_clicks.counts(session, account, live)
        counts = menu_clicks.per_button(_live(menu, menu_id), counted)
        known = menu_replies.answers(session, account)
        tag_by_id = {str(tag.wechat_id): tag.name for tag in tags.list_all(session, account) if tag.wechat_id}
        newest = next(iter(menus.versions(session, account, 1)), None)
        return show(
            "menu.html",
            status,
            form=form,
            menu=menu,
            one=menus.find(menu, menu_id) if menu_id else None,
            menu_id=menu_id,
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
            counts=counts,
            count_of={each.place: each.count for each in counts},
            chart=charts.bars(
                _("Taps in the last {n} days", n=menu_clicks.LONG),
                [(each.name, each.count.last_30) for each in counts if each.count],
            ),
            task=tasks.latest(session, account, menus.KIND),
            newest=newest,
            limits=limits,
        )


def _live(menu: Menu, menu_id: int) -> list[dict[str, Any]]:
    """What followers have of this menu."""
    if not menu_id:
        return list(menu.published)
    return next((each["buttons"] for each in menu.published_conditional or [] if each["id"] == menu_id), [])

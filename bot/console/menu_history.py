"""What was published, how it differs from what followers have, and who sees which menu."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console.blueprint import (
    account_slug,
    acting_operator,
    blueprint,
    current_account,
    record,
    requires,
    row_number,
)
from bot.console.pages import show
from bot.database import reading, transaction
from bot.services import accounts, followers, menu_audience, menu_buttons, menu_conditions, menus, tags

PEOPLE = 8  # found by a search


@blueprint.get("/<account>/menu/history")
@requires("menus:read")
def menu_history() -> ResponseReturnValue:
    """What was published; with ?version=, how that one differs from what followers have."""
    account = current_account()
    with reading() as session:
        chosen = request.args.get("version", "")
        version = menus.version(session, account, int(chosen)) if chosen.isdecimal() and len(chosen) < 19 else None
        menu = menus.get(session, account)
        live = menu.published, menu.published_conditional or []
        return show(
            "menu_history.html",
            versions=menus.versions(session, account),
            version=version,
            live=live[0],
            differences=menu_buttons.differences(*live, version.buttons, version.conditional) if version else [],
            tags={str(tag.wechat_id): tag.name for tag in tags.list_all(session, account)},
        )


@blueprint.post("/<account>/menu/history/<int:version_id>/roll-back")
@requires("menus:write")
def roll_back_menu(version_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        menus.roll_back(session, account, version_id, acting_operator().name)
        record(session, account, "menus.roll_back")
    return redirect(url_for("console.menu_edit", _anchor="publishing"))


@blueprint.get("/<account>/menu/who-sees")
@requires("menus:read")
def menu_audience_of() -> ResponseReturnValue:
    """Which menu a chosen follower would see, and which WeChat shows now."""
    account, search = current_account(), request.args.get("search", "").strip()
    platform = request.args.get("platform", "")
    platform = platform if platform in menu_conditions.PLATFORMS else ""
    chosen = request.args.get("follower_id", 0, type=row_number)
    with reading() as session:
        menu = menus.get(session, account)
        one = followers.get(session, account, chosen) if chosen else None
        tag = menu_audience.counting_tag(session, one) if one else None
        task = menu_audience.answer(session, account, one) if one else None
        said = task.state.get("buttons") if task else None
        return show(
            "menu_audience.html",
            search=search,
            people=followers.page(session, account, search=search, limit=PEOPLE) if search or not one else [],
            one=one,
            tag=tag,
            platform=platform,
            menu=menu,
            looks=menu_audience.explain(menu.conditional, tag.wechat_id if tag else None, platform) if one else [],
            task=task,
            said=said,
            live=menu_audience.which(said, menu.published, menu.published_conditional or []) if said else None,
            tags={str(each.wechat_id): each.name for each in tags.list_all(session, account)},
        )


@blueprint.post("/<account>/menu/who-sees/<int:follower_id>")
@requires("menus:write")
def ask_menu_audience(follower_id: int) -> ResponseReturnValue:
    """Have WeChat say which menu this follower sees."""
    with transaction() as session:
        account = accounts.get(session, account_slug())
        menu_audience.ask(session, account, followers.get(session, account, follower_id))
        record(session, account, "menus.try_match")
    platform = request.form.get("platform") or None
    return redirect(url_for("console.menu_audience_of", follower_id=follower_id, platform=platform, _anchor="wechat"))

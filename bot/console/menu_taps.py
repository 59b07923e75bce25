"""How often each published button was tapped: counted in a request of its own, as millions of messages take a while."""

from flask import request
from flask.typing import ResponseReturnValue

from bot.console import charts, menu_form
from bot.console.blueprint import blueprint, current_account, requires, row_number
from bot.console.language import _
from bot.console.pages import show
from bot.database import reading
from bot.services import menu_clicks, menus


@blueprint.get("/<account>/menu/taps")
@requires("menus:read")
def menu_taps() -> ResponseReturnValue:
    """With ?menu_id=, of that menu; the designer takes the table out of this page."""
    account, menu_id = current_account(), request.args.get("menu_id", 0, type=row_number)
    with reading() as session:
        menu = menus.get(session, account)
        buttons = menu_form.live(menu, menu_id)
        counted = menu_clicks.counts(session, account, [buttons])
        counts = menu_clicks.per_button(buttons, counted)
        return show(
            "menu_taps.html",
            menu_id=menu_id,
            took_too_long=counted is None,
            # With what stands in the designer's fields, by which it knows its buttons again.
            taps=[
                (each, menu_form.shown(button, {}))
                for each, (_place, button) in zip(counts, menu_clicks.leaves(buttons), strict=True)
            ],
            chart=charts.bars(
                _("Taps in the last {n} days", n=menu_clicks.LONG),
                [(each.name, each.count.last_30) for each in counts if each.count],
            ),
        )

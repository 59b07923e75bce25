"""The parts that pages are made of, on one page: for those who build pages, so only where one practises."""

from flask import abort
from flask.typing import ResponseReturnValue

from bot.console import charts
from bot.console.blueprint import blueprint, requires
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import show
from bot.errors import Refused
from bot.settings import settings
from models import Task, TaskStatus

COLOURS = ("page", "surface", "sunken", "line", "text", "muted", "accent", "accent-soft", "blue", "amber", "red")
DAYS = (("10/1", 12), ("10/2", 18), ("10/3", 9), ("10/4", 31), ("10/5", 24), ("10/6", 40), ("10/7", 36))
MENU = [{"name": "茶单", "sub_button": [{"name": "春茶"}, {"name": "秋茶"}]}, {"name": "预订"}]


@blueprint.get("/design")
@requires("signed-in")
def design() -> ResponseReturnValue:
    if not settings().is_practice:
        abort(404)
    form = Form({"name": "云上茶舍", "hours": "25:00"})
    form.refuse(Refused("Write the hour as 09:30.", field="hours"))
    return show(
        "design.html",
        form=form,
        colours=COLOURS,
        task=Task(status=TaskStatus.RUNNING, done=31_000, total=50_000, error=""),
        chart=charts.line(_("Messages"), _("Up and down through a week"), [d for d, _n in DAYS], [n for _d, n in DAYS]),
        days=DAYS,
        menu=MENU,
    )

"""The operators' console under /console: server-rendered pages over the same services as the API.

One file a noun; blueprint.py says who may open what, pages.py how a page is shown, safety.py what keeps it safe.
"""

from flask import Flask

from bot.console import (
    accounts,
    audit,
    connecting,
    conversations,
    followers,
    health,
    home,
    menu,
    menu_history,
    pages,
    people,
    profile,
    rules,
    safety,
    sign_in,
    tokens,
)
from bot.console import (
    blueprint as door,
)

PAGES = (
    home, sign_in, profile, accounts, connecting, rules, menu, conversations, followers, health, people, tokens, audit,
    menu_history, pages,
)  # fmt: skip

door.blueprint.before_request(safety.check_form)
door.blueprint.before_request(door.let_in)
door.blueprint.after_request(safety.add_headers)
door.blueprint.after_request(door.keep_cookie)


def register(app: Flask) -> None:
    """Put the console into an app; stops when a page declares no policy."""
    safety.prepare(app)
    app.register_blueprint(door.blueprint)
    door.refuse_undeclared(app)

"""The operators' console under /console: server-rendered pages over the same services as the API.

One file a noun; blueprint.py says who may open what, pages.py how a page is shown; bot/safety.py keeps it safe.
"""

from flask import Flask

from bot import safety
from bot.console import (
    accounts,
    assistant,
    assistant_knowledge,
    audit,
    campaign_check,
    campaign_composer,
    campaign_outcome,
    campaign_people,
    campaign_run,
    campaigns,
    connecting,
    contact,
    conversations,
    design,
    fields,
    followers,
    health,
    home,
    inbox_actions,
    inbox_report,
    inbox_stream,
    inbox_texts,
    menu,
    menu_history,
    menu_others,
    menu_taps,
    message_search,
    pages,
    people,
    profile,
    rule_versions,
    rules,
    segment_builder,
    segments,
    sign_in,
    tags,
    tokens,
)
from bot.console import (
    blueprint as door,
)

PAGES = (
    home,
    sign_in,
    profile,
    accounts,
    connecting,
    rule_versions,
    rules,
    menu,
    conversations,
    inbox_stream,
    inbox_actions,
    inbox_texts,
    message_search,
    inbox_report,
    followers,
    contact,
    fields,
    health,
    people,
    tokens,
    audit,
    menu_history,
    segment_builder,
    menu_others,
    menu_taps,
    segments,
    campaigns,
    campaign_composer,
    campaign_check,
    campaign_run,
    campaign_people,
    campaign_outcome,
    tags,
    assistant,
    assistant_knowledge,
    design,
    pages,
)

door.blueprint.before_request(safety.check_form)
door.blueprint.before_request(door.let_in)
door.blueprint.after_request(safety.add_headers)
door.blueprint.after_request(door.keep_cookie)


def register(app: Flask) -> None:
    """Put the console into an app; stops when a page declares no policy."""
    safety.prepare(app)
    app.register_blueprint(door.blueprint)
    door.refuse_undeclared(app)

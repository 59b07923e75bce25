"""Door: the pages of Moments under /moments."""

from flask import Flask

from bot import safety
from bot.moments.pages import (
    account,
    activity,
    album,
    change,
    codes,
    compose,
    door,
    feed,
    friend,
    friends,
    groups,
    later,
    many,
    notices,
    post,
    privacy,
    reports,
    shell,
    wechat,
)

PAGES = (
    door,
    feed,
    compose,
    later,
    post,
    change,
    album,
    friends,
    codes,
    friend,
    groups,
    privacy,
    many,
    notices,
    activity,
    reports,
    account,
    wechat,
)


def register(app: Flask) -> None:
    safety.prepare(app)
    app.register_blueprint(shell.bp)

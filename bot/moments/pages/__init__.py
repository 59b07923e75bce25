"""Door: the pages of Moments under /moments."""

from flask import Flask

from bot.moments.pages import account, activity, codes, friend, friends, groups, notices, privacy, shell

PAGES = (friends, codes, friend, groups, privacy, notices, activity, account)


def register(app: Flask) -> None:
    app.register_blueprint(shell.bp)

"""Door: the pages that a follower opens inside WeChat.  They are open to all, and only look."""

from flask import Flask

from bot.pages import answers, links
from bot.pages.blueprint import blueprint

__all__ = ["answers", "links", "register"]


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)

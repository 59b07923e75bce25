"""The web process: any WSGI server serves ``wsgi:app``."""

from bot.app import create_app

app = create_app()

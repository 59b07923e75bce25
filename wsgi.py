"""The web process: any WSGI server serves ``wsgi:app``."""

from bot.app import create_app, settle

app = create_app()
settle()

"""The web process: any WSGI server serves ``wsgi:app``."""

import gc

from bot.app import create_app

app = create_app()

# What is loaded now stays: without this each full collection walks through 160,000 objects, and one request in ten or
# so waits 90 ms for it.
gc.freeze()

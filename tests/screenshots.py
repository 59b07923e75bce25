"""Pictures of every page, to look at: ``python -m tests.screenshots [folder] [part of a path]``.

Each page of tests/console/test_browser.py in both languages, light and dark, on a desktop and on a phone, filled with
the tea house of tests/console/samples.py.  ``index.html`` in the folder shows them side by side.
"""

import logging
import os
import sys
import tempfile
import threading
from html import escape
from itertools import product
from pathlib import Path

from flask import Flask
from playwright.sync_api import sync_playwright
from rich.progress import track
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from bot import console, database
from bot.services import operators
from models import Base
from tests.chromium import launch
from tests.console.samples import tea_house
from tests.console.test_browser import PATHS
from tests.factories import Create

WIDTHS = {"desktop": 1280, "phone": 390}
LOOKS = list(product(WIDTHS, ("zh", "en"), ("light", "dark")))


def main(folder: Path, part: str = "") -> None:
    paths = [path for path in (*PATHS, "/sign-in") if part in path]
    names = {path: f"{at:02d}{''.join(c if c.isalnum() else '-' for c in path)}"[:60] for at, path in enumerate(paths)}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        os.environ |= {"LOBBY_DATA_DIR": data, "LOBBY_DATABASE_URL": f"sqlite:///{data}/lobby.db"}
        os.environ |= {"LOBBY_SECRET_KEY": "0123456789abcdef" * 4, "LOBBY_WECHAT_URL": "http://127.0.0.1:9"}
        cookie = _fill()
        app = Flask("screenshots")
        app.secret_key = "0123456789abcdef" * 4
        console.register(app)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.port}"
        with sync_playwright() as playwright:
            browser = launch(playwright)
            for width, language, theme in track(LOOKS, "Taking pictures"):
                context = browser.new_context(viewport={"width": WIDTHS[width], "height": 800})
                cookies = {"lobby-theme": theme, "lobby-language": language}
                context.add_cookies([{"name": k, "value": v, "url": address} for k, v in cookies.items()])
                page = context.new_page()
                for path in paths:
                    if path != "/sign-in":  # the last
                        context.add_cookies([{"name": "lobby", "value": cookie, "url": address}])
                    else:
                        context.clear_cookies(name="lobby")
                    page.goto(f"{address}/console{path}")
                    page.screenshot(path=folder / f"{names[path]}-{width}-{language}-{theme}.png", full_page=True)
                context.close()
            browser.close()
        server.shutdown()
    (folder / "index.html").write_text(_index(names), encoding="utf-8")
    print(f"{len(paths) * len(LOOKS)} pictures of {len(paths)} pages; look at {folder / 'index.html'}")


def _fill() -> str:
    """The tea house and its owner; returns the owner's cookie."""
    Base.metadata.create_all(database.database().write)
    with Session(database.database().write, expire_on_commit=False) as session:
        create = Create(session)
        owner = create.operator("owner")
        owner.password_hash = "set"  # or there is no second step to set up
        tea_house(create)
        cookie = operators.sign_in(session, owner, "Chromium")
        session.commit()
    return cookie


def _index(names: dict[str, str]) -> str:
    rows = [
        f"<h2>{escape(path)}</h2><div>"
        + "".join(f'<img loading="lazy" src="{name}-{"-".join(look)}.png" alt="{" ".join(look)}">' for look in LOOKS)
        + "</div>"
        for path, name in names.items()
    ]
    style = "body{font:16px sans-serif}div{display:flex;gap:8px;overflow:auto;align-items:start}img{height:480px}"
    return f'<!doctype html><meta charset="utf-8"><title>Lobby</title><style>{style}</style>{"".join(rows)}'


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "var/screenshots/pages"), *sys.argv[2:3])

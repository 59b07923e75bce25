"""Pictures of every page, to look at: ``python -m tests.screenshots [folder] [part of a path or state]``.

Each page of tests/console/test_browser.py and each state of tests/console/states.py in both languages, light and dark,
on a desktop and on a phone, filled with the tea house of tests/console/samples.py.  ``index.html`` in the folder shows
them side by side.
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
from playwright.sync_api import Page, sync_playwright
from rich.progress import track
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from bot import console, database
from bot.services import passwords
from models import Base
from tests.chromium import launch
from tests.console.moments_samples import reported
from tests.console.samples import tea_house
from tests.console.states import STATES, State, arrange
from tests.console.test_browser import PATHS
from tests.factories import Create

WIDTHS = {"desktop": 1280, "phone": 390}
LOOKS = list(product(WIDTHS, ("zh", "en"), ("light", "dark")))
PAGES = {**{path: State(path) for path in PATHS}, "/sign-in": State("/sign-in", who=""), **STATES}


def main(folder: Path, part: str = "") -> None:
    pages = {name: page for name, page in PAGES.items() if part in name}
    files = {name: f"{at:02d}{''.join(c if c.isalnum() else '-' for c in name)}"[:60] for at, name in enumerate(pages)}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        os.environ |= {"LOBBY_DATA_DIR": data, "LOBBY_DATABASE_URL": f"sqlite:///{data}/lobby.db"}
        os.environ |= {"LOBBY_SECRET_KEY": "0123456789abcdef" * 4, "LOBBY_WECHAT_URL": "http://127.0.0.1:9"}
        cookies, link = _fill()
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
                passwords.forget()  # wrong passwords count, and each is mistyped in every look
                windows: dict[str, Page] = {}
                for name, page in pages.items():
                    window = windows.get(page.who)
                    if window is None:
                        context = browser.new_context(viewport={"width": WIDTHS[width], "height": 800})
                        kept = {"lobby-theme": theme, "lobby-language": language}
                        kept |= {"lobby": cookies[page.who]} if page.who else {}
                        context.add_cookies([{"name": k, "value": v, "url": address} for k, v in kept.items()])
                        window = windows[page.who] = context.new_page()
                    window.goto(f"{address}/console{page.path.format(link=link)}")
                    page.act(window)
                    _take(window, folder / f"{files[name]}-{width}-{language}-{theme}.png")
                for window in windows.values():
                    window.context.close()
            browser.close()
        server.shutdown()
    (folder / "index.html").write_text(_index(files), encoding="utf-8")
    print(f"{len(pages) * len(LOOKS)} pictures of {len(pages)} pages; look at {folder / 'index.html'}")


def _take(page: Page, path: Path) -> None:
    """In a window as tall as the page: what sticks to its edges would hide the middle."""
    page.wait_for_load_state()
    size = page.viewport_size
    assert size
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({**size, "height": max(size["height"], height)})
    page.screenshot(path=path)
    page.set_viewport_size(size)


def _fill() -> tuple[dict[str, str], str]:
    """The tea house and all states; returns name → cookie, and the secret of a sign-in link."""
    Base.metadata.create_all(database.database().write)
    with Session(database.database().write, expire_on_commit=False) as session:
        create = Create(session)
        owner = create.operator("owner")
        owner.password_hash = "set"  # or there is no second step to set up
        reported(session)
        return arrange(create, tea_house(create))


def _index(files: dict[str, str]) -> str:
    rows = [
        f"<h2>{escape(name)}</h2><div>"
        + "".join(f'<img loading="lazy" src="{file}-{"-".join(look)}.png" alt="{" ".join(look)}">' for look in LOOKS)
        + "</div>"
        for name, file in files.items()
    ]
    style = "body{font:16px sans-serif}div{display:flex;gap:8px;overflow:auto;align-items:start}img{height:480px}"
    return f'<!doctype html><meta charset="utf-8"><title>Lobby</title><style>{style}</style>{"".join(rows)}'


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "var/screenshots/pages"), *sys.argv[2:3])

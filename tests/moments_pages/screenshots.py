"""Pictures of the pages of Moments: ``python -m tests.moments_pages.screenshots [folder] [part of a name] [full]``.

As tests/screenshots.py for the console: both languages, light and dark, on a phone and on a desktop.
"""

import logging
import os
import sys
import tempfile
import threading
from itertools import product
from pathlib import Path

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

WIDTHS = {"phone": 390, "desktop": 1280}
LOOKS = [*product(WIDTHS, ("zh-CN", "en-GB"), ("light", "dark"))]


def main(folder: Path, part: str = "", looks: list[tuple[str, str, str]] = LOOKS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        os.environ |= {"LOBBY_DATA_DIR": data, "LOBBY_DATABASE_URL": f"sqlite:///{data}/lobby.db"}
        os.environ |= {"LOBBY_SECRET_KEY": "0123456789abcdef" * 4, "LOBBY_WECHAT_URL": "http://127.0.0.1:9"}
        os.environ |= {"LOBBY_MOMENTS_LIMIT_FACTOR": "1000"}
        from bot import database
        from bot.app import create_app
        from bot.moments.api.contract import COOKIE
        from models import Base
        from tests.chromium import launch
        from tests.moments_pages.moments import days
        from tests.moments_pages.people import Person

        Base.metadata.create_all(database.database().write)
        app = create_app()

        def person(handle: str, *friends: Person, name: str = "") -> Person:
            made = Person(app, handle, name or handle.title())
            for friend in friends:
                made.befriend(friend)
            return made

        around, paths = days(person)
        alone = person("alone")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.port}"
        pages = [(name, path, around.me.cookie) for name, path in {**paths, **around.paths}.items()]
        pages += [("alone", "/", alone.cookie), ("sign_in", "/sign-in", ""), ("join", "/join", "")]
        with sync_playwright() as playwright:
            browser = launch(playwright)
            for width, language, theme in looks:
                for name, path, cookie in pages:
                    if part not in name:
                        continue
                    size = {"width": WIDTHS[width], "height": 844}
                    context = browser.new_context(viewport=size, locale=language, color_scheme=theme)
                    if cookie:
                        context.add_cookies([{"name": COOKIE, "value": cookie, "url": f"{address}/moments"}])
                    page = context.new_page()
                    page.goto(f"{address}/moments{path}")
                    page.wait_for_load_state("networkidle")
                    page.screenshot(
                        path=folder / f"{name}-{width}-{language[:2]}-{theme}.png", full_page=sys.argv[-1] == "full"
                    )
                    context.close()
            browser.close()
        server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"), *sys.argv[2:3])

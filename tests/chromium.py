"""The machine's own Chromium; where there is none, browser tests are skipped and say so."""

import os
import shutil

import pytest
from playwright.sync_api import Browser, Playwright

FOUND = os.environ.get("LOBBY_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

needs_chromium = pytest.mark.skipif(
    not FOUND, reason="There is no Chromium; apt install chromium, or set LOBBY_TEST_CHROMIUM."
)


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=FOUND, args=["--no-sandbox", "--disable-gpu"])

"""What every part of the simulator works with: its memory, its time, its bells and its way out."""

from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from bot.simulator.clock import Clock
from bot.simulator.live import Alarm, Bell
from bot.simulator.store import Store


@dataclass(frozen=True)
class World:
    store: Store
    clock: Clock
    bell: Bell
    alarm: Alarm  # rings when jobs or events may be due
    http: requests.Session
    media_dir: Path


def open_world(data_dir: Path, clock_file: Path | None) -> World:
    """Make the data folder, or find again what is in it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    media_dir = data_dir / "media"
    media_dir.mkdir(exist_ok=True)
    store = Store(data_dir / "simulator.db")
    http = requests.Session()
    http.trust_env = False  # no proxy stands between WeChat and a callback on this machine
    http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # pushes remember nothing
    http.mount("http://", HTTPAdapter(pool_connections=16, pool_maxsize=64))
    http.mount("https://", HTTPAdapter(pool_connections=16, pool_maxsize=64))
    return World(store, Clock(store, clock_file), Bell(), Alarm(), http, media_dir)

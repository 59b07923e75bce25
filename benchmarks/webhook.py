"""Lobby's whole webhook beside the peers': `python -m benchmarks.webhook [--rounds 3] [--requests 6000]`.

One server program (granian, one process, four blocking threads, on one core), one load (16 keep-alive connections from
the other core), safe mode everywhere.  Lobby checks, decrypts, enters each message into its ledger, matches 10,000
mixed rules, and keeps the reply; the echoes keep nothing.  Prints a Markdown table; a round visits every cell once.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from benchmarks import load

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "var" / "peers"
TOKEN, APPID, ORIGINAL = "benchtoken", "wx1234567890abcdef", "gh_bench"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFA"
FOLLOWERS = 20_000  # all wrote before, as most who write have
KINDS = ["exact"] * 6 + ["contains"] * 3 + ["regex"]


def make_rules(count: int) -> list[tuple[str, str, str]]:
    """Mixed rules: (mode, text, reply)."""
    dice = random.Random(7)
    rules = []
    for number in range(count):
        mode = KINDS[number % len(KINDS)]
        word = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=6)) + str(number)
        rules.append((mode, rf"{word}\s*\d+元" if mode == "regex" else word, f"回复 {number}"))
    return rules


def make_texts(rules: list[tuple[str, str, str]], count: int) -> list[str]:
    """Seven of ten hit a uniformly drawn rule."""
    dice = random.Random(8)
    texts = []
    for _ in range(count):
        mode, text, _reply = dice.choice(rules)
        word = text.partition("\\")[0]
        if dice.random() > 0.7:
            texts.append("今天天气不错，你们几点开门？")
        else:
            texts.append({"exact": word, "contains": f"请问 {word} 有吗", "regex": f"{word} 25元"}[mode])
    return texts


def make_requests(texts: list[str], first_id: int) -> list[bytes]:
    dice = random.Random(first_id)
    return make_pushes([(f"o{dice.randrange(FOLLOWERS):027d}", text) for text in texts], first_id)


def make_pushes(said: list[tuple[str, str]], first_id: int) -> list[bytes]:
    """Encrypted pushes of (openid, text), signed now: each with a MsgId of its own."""
    key = b64decode(AES_KEY + "=")
    dice = random.Random(first_id)
    stamp = str(int(time.time()))
    made = []
    for number, (openid, text) in enumerate(said):
        xml = (
            f"<xml><ToUserName><![CDATA[{ORIGINAL}]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
            f"<CreateTime>{stamp}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[{text}]]></Content><MsgId>{first_id + number}</MsgId></xml>"
        ).encode()
        plain = os.urandom(16) + len(xml).to_bytes(4, "big") + xml + APPID.encode()
        pad = 32 - len(plain) % 32
        encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        sealed = b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()
        nonce = str(dice.randrange(10**9))
        body = (
            f"<xml><ToUserName><![CDATA[{ORIGINAL}]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        ).encode()
        path = (
            f"/wechat/bench?signature={_sha1(TOKEN, stamp, nonce)}&timestamp={stamp}&nonce={nonce}&openid={openid}"
            f"&encrypt_type=aes&msg_signature={_sha1(TOKEN, stamp, nonce, sealed)}"
        )
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def _sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def peer_python() -> Path:
    """The peers' own venv, made at the first run."""
    python = PEERS / "bin" / "python"
    if not (PEERS / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
        packages = ["werobot==1.13.1", "wechatpy==1.8.18", "cryptography", "flask", "granian"]
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        (PEERS / "ready").touch()
    return python


def prepare_lobby(folder: Path, rules: list[tuple[str, str, str]]) -> dict[str, str]:
    """A database with one account and its rules; returns the environment that finds it."""
    env = {"LOBBY_DATA_DIR": str(folder), "LOBBY_SECRET_KEY": "b" * 64, "LOBBY_REDIS_URL": "unix:///nowhere"}
    os.environ.update(env)
    from sqlalchemy import insert, select

    from bot import clock, migrations
    from bot.database import transaction
    from bot.services import accounts, rule_versions
    from bot.settings import settings
    from models import Follower, ReplyWindow, Rule

    migrations.upgrade(settings())
    with transaction() as session:
        account = accounts.create(
            session, "bench", appid=APPID, original_id=ORIGINAL, token=TOKEN, aes_key=AES_KEY, mode="safe"
        )
        session.flush()
        session.add_all(Follower(account_id=account.id, openid=f"o{number:027d}") for number in range(FOLLOWERS))
        session.flush()
        session.execute(
            insert(ReplyWindow),
            [
                {"follower_id": follower_id, "trigger": "message", "left": 5, "expires_at": clock.now()}
                for follower_id in session.scalars(select(Follower.id))
            ],
        )
        for place, (mode, text, reply) in enumerate(rules):
            session.add(
                Rule(
                    account_id=account.id,
                    title=text[:64],
                    position=place,
                    keywords=[{"mode": mode, "text": text}],
                    replies=[{"kind": "text", "text": reply}],
                )
            )
        rule_versions.publish(session, account, None, "bench")
    return env


def serve(python: Path | str, application: str, env: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(python), "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "error", application]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **env}, preexec_fn=lambda: os.sched_setaffinity(0, {0})
    )
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{application} did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=6000)
    parser.add_argument("--rules", type=int, default=10_000)
    asked = parser.parse_args()

    rules = make_rules(asked.rules)
    with tempfile.TemporaryDirectory() as folder:
        env = prepare_lobby(Path(folder), rules)
        kept = Path(folder) / "rules.json"
        kept.write_text(json.dumps(rules))
        peer = peer_python()
        secrets = {"TOKEN": TOKEN, "APPID": APPID, "AES_KEY": AES_KEY, "RULES": str(kept)}
        cells = {
            f"Lobby, {asked.rules:,} rules": (sys.executable, "wsgi:app", env),
            f"WeRoBot, {asked.rules:,} rules": (peer, "benchmarks.peers:app", {**secrets, "PEER": "werobot-rules"}),
            "WeRoBot echo": (peer, "benchmarks.peers:app", {**secrets, "PEER": "werobot-echo"}),
            "wechatpy + Flask echo": (peer, "benchmarks.peers:app", {**secrets, "PEER": "wechatpy-echo"}),
        }
        os.sched_setaffinity(0, {1})
        results: dict[str, list[load.Result]] = {name: [] for name in cells}
        next_id = 10**17
        for _round in range(asked.rounds):
            for name, (python, application, cell_env) in cells.items():
                process, port = serve(python, application, cell_env)
                try:
                    texts = make_texts(rules, asked.requests + 300)
                    requests = make_requests(texts, next_id)
                    next_id += len(requests)
                    load.run(port, requests[:300], process.pid)  # warm
                    results[name].append(load.run(port, requests[300:], process.pid))
                finally:
                    process.send_signal(signal.SIGTERM)
                    process.wait(20)
    print_table(results)


def print_table(results: dict[str, list[load.Result]]) -> None:
    """Medians over the rounds; the ratios are taken within each round, then the median."""
    names = list(results)
    lobby, echo = results[names[0]], results["WeRoBot echo"]
    print("| cell | requests/s | CPU-ms a request | p50 ms | p99 ms | MB | CPU / WeRoBot echo | Lobby's throughput / |")
    print("|---|---|---|---|---|---|---|---|")
    for name, runs in results.items():
        assert all(run.failed == 0 for run in runs), f"{name}: requests failed"
        median = {
            field: statistics.median(getattr(run, field) for run in runs)
            for field in ("per_second", "cpu_ms", "p50_ms", "p99_ms", "rss_mb")
        }
        against = statistics.median(run.cpu_ms / base.cpu_ms for run, base in zip(runs, echo, strict=True))
        times = statistics.median(ours.per_second / run.per_second for ours, run in zip(lobby, runs, strict=True))
        print(
            f"| {name} | {median['per_second']:,.0f} | {median['cpu_ms']:.3f} | {median['p50_ms']:.1f} | "
            f"{median['p99_ms']:.1f} | {median['rss_mb']:.0f} | {against:.2f} | {times:.2f} |"
        )


if __name__ == "__main__":
    main()

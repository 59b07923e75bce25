"""Campaigns at size: `python -m benchmarks.broadcast [--part NAME] [--database sqlite|postgresql]`.

freeze  the audience of a million followers into the ledger: seconds, the longest write lock, memory
each    a call for each follower at 50 ms: messages a second, CPU a recipient beside a bare http.client
pace    1, 4 and 16 workers at one pace: the worst ten seconds
mass    a million followers by openid lists through the simulator at its cap: seconds, RQ jobs
"""

import argparse
import http.client
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from bisect import bisect_left
from collections.abc import Callable
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

APPID = "wx" + "b" * 16
PARTS = ("freeze", "each", "pace", "mass")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--followers", type=int, default=1_000_000)
    parser.add_argument("--recipients", type=int, default=20_000, help="of the part “each”")
    given = parser.parse_args()
    from benchmarks.console import database

    print("| part | figure | reached |\n|---|---|---|", flush=True)
    for part in PARTS if given.part is None else (given.part,):
        with (
            tempfile.TemporaryDirectory(prefix="lobby-broadcast-") as folder,
            database(given.database, Path(folder)) as url,
        ):
            os.environ |= {"LOBBY_DATA_DIR": folder, "LOBBY_DATABASE_URL": url, "LOBBY_SECRET_KEY": "b" * 64}
            _forget()
            globals()[part](given)


def row(part: str, figure: str, reached: str) -> None:
    print(f"| {part} | {figure} | {reached} |", flush=True)


# Parts ----------------------------------------------------------------------------------------------------------------


def freeze(given: argparse.Namespace) -> None:
    from bot.jobs import campaigns as jobs
    from bot.services import campaign_launches

    _account(given.followers)
    campaign = _plan({"kind": "text", "text": "秋茶上新"}, "mass")
    _launch(campaign)
    locks: list[float] = []
    real = campaign_launches.holds

    def timed(*args: Any, **values: Any) -> bool:
        locks.append(time.perf_counter())
        return real(*args, **values)

    campaign_launches.holds = timed
    before, cpu, began = _memory(), time.process_time(), time.perf_counter()
    jobs.prepare(campaign)
    seconds = time.perf_counter() - began
    longest = max((two - one for one, two in pairwise(locks[1:])), default=0.0)
    row("freeze", f"{given.followers:,} followers", f"{seconds:.1f} s, {time.process_time() - cpu:.1f} s CPU")
    row("freeze", "longest write transaction", f"{longest * 1000:.0f} ms")
    row("freeze", "memory grows by", f"{_memory() - before:.0f} MB")


def each(given: argparse.Namespace) -> None:
    count = given.recipients
    with stub(50) as address:
        _account(count, address, windows=True)
        campaign = _plan({"kind": "text", "text": "{{nickname|朋友}}，秋茶上新"}, "service")
        _launch(campaign, at_once=True)
        cpu, began = time.process_time(), time.perf_counter()
        turns = _run(campaign)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        bare = _bare(address, min(count, 5_000))
    row("each", "messages a second, one worker, 50 ms", f"{count / seconds:,.0f}")
    row("each", "CPU a recipient", f"{used / count * 1000:.3f} ms, of which a bare http.client {bare * 1000:.3f} ms")
    row("each", "own CPU a recipient", f"{(used / count - bare) * 1000:.3f} ms")
    row("each", "turns (RQ jobs) a million", f"{turns / count * 1e6:,.0f}")
    row(
        "each",
        "memory of the worker at its most",
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB",
    )


def pace(given: argparse.Namespace) -> None:
    target, seconds = 200, 24
    for workers in (1, 4, 16):
        with stub(50) as address:
            _account(target * seconds, address, windows=True, slug=f"pace{workers}")
            campaign = _plan({"kind": "text", "text": "秋茶上新"}, "service", pace=target, slug=f"pace{workers}")
            _launch(campaign, at_once=True)
            context = multiprocessing.get_context("spawn")
            ready = context.Barrier(workers)  # all have imported: their start is not what is measured
            given_to = (campaign, dict(os.environ), ready)
            running = [context.Process(target=_work, args=given_to) for _ in range(workers)]
            for process in running:
                process.start()
            for process in running:
                process.join()
            with urllib.request.urlopen(f"{address}/times") as answer:
                times = sorted(json.load(answer))
        # Whole windows of ten seconds, at every message; the first seconds open connections and fetch the token.
        starts = [start for start in times if times[0] + 2 < start < times[-1] - 10]
        windows = [bisect_left(times, start + 10) - bisect_left(times, start) for start in starts]
        worst = max((abs(found / (target * 10) - 1) for found in windows), default=1.0)
        row("pace", f"{workers} workers at {target}/s: worst ten seconds", f"{worst:.1%} off, {len(times)} sent")


def mass(given: argparse.Namespace) -> None:
    with simulator() as (address, post):
        _account(0, address)
        post("accounts", account="bench", appid=APPID, secret="s" * 32, kind="service", verified=True)
        post("followers", account="bench", name="小李", count=given.followers)
        _followers_of(address, given.followers)
        campaign = _plan({"kind": "text", "text": "秋茶上新"}, "mass")
        began = time.perf_counter()
        _launch(campaign, at_once=True)
        prepared = time.perf_counter() - began
        cpu, began = time.process_time(), time.perf_counter()
        turns = _run(campaign, until=("sent",), total=given.followers)
        seconds = time.perf_counter() - began
        row(
            "mass",
            f"{given.followers:,} by lists, at WeChat's cap",
            f"{seconds:.0f} s after {prepared:.1f} s of freezing",
        )
        row("mass", "turns (RQ jobs)", f"{turns}")
        row("mass", "CPU", f"{time.process_time() - cpu:.1f} s")
        row("mass", "memory of the worker at its most",
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")  # fmt: skip


# What they stand on ---------------------------------------------------------------------------------------------------


@contextmanager
def stub(delay_ms: int) -> Any:
    from tests.stack import free_ports

    [port] = free_ports(1)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.stub", str(port), str(delay_ms)], **quiet)
    address = f"http://127.0.0.1:{port}"
    _wait(lambda: urllib.request.urlopen(f"{address}/times").close())
    os.environ["LOBBY_WECHAT_URL"] = address
    _forget()
    try:
        yield address
    finally:
        process.terminate()
        process.wait()


@contextmanager
def simulator() -> Any:
    from tests.stack import free_ports

    [port] = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bot.simulator", "--port", str(port), "--data-dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}"
        _wait(lambda: urllib.request.urlopen(f"{address}/sim/accounts").close())
        os.environ["LOBBY_WECHAT_URL"] = address
        _forget()

        def post(path: str, **body: Any) -> Any:
            data = json.dumps(body).encode()
            asked = urllib.request.Request(f"{address}/sim/{path}", data, {"Content-Type": "application/json"})
            with urllib.request.urlopen(asked, timeout=600) as answer:
                return json.load(answer)

        try:
            yield address, post
        finally:
            process.terminate()
            process.wait()


def _forget() -> None:
    from bot import database, settings

    database.forget()
    settings.settings.cache_clear()


def _wait(answers: Callable[[], Any]) -> None:
    for _ in range(200):
        try:
            answers()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("it does not start")


def _account(followers: int, address: str = "", *, windows: bool = False, slug: str = "bench") -> None:
    from datetime import timedelta

    from bot import clock
    from bot.database import database, transaction
    from bot.services import accounts
    from models import Account, Base, Follower, ReplyWindow

    Base.metadata.create_all(database().write)
    with transaction() as session:
        account = accounts.create(session, slug, title="云上茶舍", appid=APPID, secret="s" * 32)
        account_id = account.id
    now = clock.now()
    for start in range(0, followers, 50_000):
        with transaction() as session:
            some = range(start, min(start + 50_000, followers))
            rows = [
                {"account_id": account_id, "openid": f"o{n:027d}", "nickname": "小李", "seen_at": now} for n in some
            ]
            session.execute(insert(Follower), rows)
            if windows:
                ids = select(Follower.id, *_window(now + timedelta(hours=40))).where(
                    Follower.account_id == account_id, Follower.openid >= f"o{start:027d}"
                )
                columns = ["follower_id", "trigger", "left", "expires_at"]
                session.execute(insert(ReplyWindow).from_select(columns, ids))
    with transaction() as session:
        assert session.get(Account, account_id)


def _window(until: Any) -> Any:
    from sqlalchemy import literal

    from models import ReplyWindow

    return literal("message"), literal(5), literal(until, ReplyWindow.expires_at.type)


def _followers_of(address: str, count: int) -> None:
    """Those the simulator made."""
    from bot.database import transaction
    from models import Account, Follower

    with urllib.request.urlopen(f"{address}/sim/followers?account=bench", timeout=600) as answer:
        openids = [one["openid"] for one in json.load(answer)]
    assert len(openids) == count
    for start in range(0, count, 50_000):
        with transaction() as session:
            account_id = session.scalars(select(Account.id)).one()
            rows = [{"account_id": account_id, "openid": openid} for openid in openids[start : start + 50_000]]
            session.execute(insert(Follower), rows)


def _plan(content: dict[str, Any], channel: str, slug: str = "bench", **values: Any) -> int:
    from bot.database import transaction
    from bot.services import accounts, campaigns

    given = {"name": "秋茶", "channel": channel, "to_everyone": True, "variants": [{"content": content}], **values}
    with transaction() as session:
        draft = campaigns.CampaignDraft.model_validate(given)
        return campaigns.save(session, accounts.get(session, slug), draft).id


def _launch(campaign_id: int, *, at_once: bool = False) -> None:
    """``at_once``: prepared, and without the 30 seconds to undo it."""
    from datetime import timedelta

    from bot import clock
    from bot.database import transaction
    from bot.jobs import campaigns as jobs
    from bot.services import campaign_control
    from models import Account, Batch, Campaign

    with transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        campaign_control.launch(session, session.get_one(Account, campaign.account_id), campaign)
    if at_once:
        jobs.prepare(campaign_id)
        with transaction() as session:
            past = clock.now() - timedelta(seconds=1)
            session.execute(update(Batch).values(due_at=past))
            session.execute(update(Campaign).where(Campaign.id == campaign_id).values(starts_at=past))


def _run(campaign_id: int, until: tuple[str, ...] = (), total: int = 0) -> int:
    """Turn after turn as RQ jobs would come; returns how many.  Without Redis hints get lost, which costs nothing."""
    from bot.database import reading
    from bot.jobs import campaigns as jobs
    from bot.services import campaign_progress
    from models import Campaign, CampaignStatus

    turns = 0
    while True:
        jobs.advance(campaign_id)
        turns += 1
        with reading() as session:
            campaign = session.get_one(Campaign, campaign_id)
            stands = campaign_progress.of(session, campaign)
        if campaign.status is CampaignStatus.PAUSED:
            raise RuntimeError(f"paused: {campaign.why} {campaign.errcode}")
        if campaign.status is CampaignStatus.FINISHED or (until and stands.sent >= total):
            return turns
        time.sleep(0.05)


def _work(campaign_id: int, environment: dict[str, str], ready: Any) -> None:
    os.environ.update(environment)
    from bot.jobs import campaigns

    assert campaigns
    ready.wait()
    _run(campaign_id)


def _bare(address: str, count: int) -> float:
    """CPU seconds of one call by http.client alone, a connection for each of as many threads."""
    from bot.services.campaign_ledger import CALLS

    host = address.removeprefix("http://")
    body = json.dumps({"touser": "o" * 28, "msgtype": "text", "text": {"content": "秋茶上新"}}).encode()

    def call(times: int) -> None:
        connection = http.client.HTTPConnection(host)
        for _ in range(times):
            connection.request("POST", "/cgi-bin/message/custom/send?access_token=t", body)
            json.loads(connection.getresponse().read())
        connection.close()

    threads = [threading.Thread(target=call, args=(count // CALLS,)) for _ in range(CALLS)]
    began = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.process_time() - began) / (count // CALLS * CALLS)


def _most_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _memory() -> float:
    """Megabytes resident now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


if __name__ == "__main__":
    main()

"""Campaigns on the command line: listed, steered, and watched on a terminal, as lines and by a script."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import threading

import pytest
from rich.console import Console
from sqlalchemy import select

from bot.cli import campaign_watch
from bot.database import reading
from bot.services import campaign_control
from models import AuditRecord, CampaignStatus
from tests.cli.conftest import Lobby
from tests.jobs.campaigner import Campaigner
from tests.jobs.test_campaigns import ended, until
from tests.stack import LOBBY

TEXT = {"kind": "text", "text": "秋茶上新。"}


@pytest.fixture
def marketer(create, sim, live) -> Campaigner:
    marketer = Campaigner(create, sim, live, followers=6)
    for openid in marketer.openids:
        sim.say(marketer.account, openid, "你好")
    return marketer


@pytest.fixture
def campaign(marketer):
    """Being sent, and nobody has it yet."""
    campaign = marketer.plan(TEXT, channel="service")
    marketer.launch(campaign)
    marketer.sim.wait(31)
    marketer.do(campaign_control.begin_now, campaign)
    return campaign


def test_campaigns_are_listed_by_account_and_state(lobby: Lobby, marketer, campaign, create) -> None:
    create.account("other")
    draft = marketer.plan(name="草稿")

    assert [one["id"] for one in json.loads(lobby("campaign", "list", "--json").stdout)] == [draft.id, campaign.id]
    [one] = json.loads(lobby("campaign", "list", "--status", "draft", "--json").stdout)
    assert (one["name"], one["account"], one["audience"]) == ("草稿", "practice", None)
    assert "秋茶上新" in lobby("campaign", "list").stdout
    assert lobby("campaign", "list", "--account", "other").stdout.startswith("There is no such campaign yet")


def test_one_is_shown_with_what_failed_and_what_it_means(lobby: Lobby, marketer, campaign) -> None:
    marketer.fault("/cgi-bin/message/custom/send", times=2, errcode=40008)
    marketer.advance(campaign)

    shown = lobby("campaign", "show", str(campaign.id)).stdout
    assert "4 done · 0 left · 2 failed · 0 not confirmed" in shown
    assert "2 with 40008: This type of message cannot be sent this way." in shown
    facts = json.loads(lobby("campaign", "show", str(campaign.id), "--json").stdout)
    assert (facts["status"], facts["sent"], facts["errors"][0]["errcode"]) == ("finished", 4, 40008)


def test_it_is_paused_resumed_and_cancelled(lobby: Lobby, marketer, campaign) -> None:
    number = str(campaign.id)

    assert "is paused" in lobby("campaign", "pause", number).stdout
    assert marketer.advance(campaign).status is CampaignStatus.PAUSED
    refused = lobby("campaign", "pause", number)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "goes on" in lobby("campaign", "resume", number).stdout
    assert marketer.now(campaign).status is CampaignStatus.SENDING
    assert lobby("campaign", "cancel", number, input="n\n").exit_code == 1
    assert marketer.now(campaign).status is CampaignStatus.SENDING
    assert "6 followers would get nothing" in lobby("campaign", "cancel", number, input="y\n").stdout
    assert marketer.advance(campaign).status is CampaignStatus.CANCELLED
    assert marketer.received()["receipts"] == 0
    with reading() as session:
        query = select(AuditRecord.action, AuditRecord.detail).where(AuditRecord.action.startswith("campaigns."))
        found = dict(session.execute(query).all())
    assert found == {
        f"campaigns.{act}": f"campaign {number}, on the command line" for act in ("pause", "resume", "cancel")
    }


def test_who_watches_sees_a_line_for_each_change_and_the_end(lobby: Lobby, marketer, campaign) -> None:
    marketer.do(campaign_control.pause, campaign)

    def go_on() -> None:
        marketer.do(campaign_control.resume, campaign)
        marketer.advance(campaign)

    later = threading.Timer(1.0, go_on)
    later.start()
    done = lobby("campaign", "watch", str(campaign.id), "--json")
    later.join()

    assert done.exit_code == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (lines[0]["status"], lines[0]["left"]) == ("paused", 6)
    assert (lines[-1]["status"], lines[-1]["sent"], lines[-1]["left"]) == ("finished", 6, 0)
    assert len(lines) <= 10
    assert lobby("campaign", "watch", str(campaign.id)).stdout == (
        "6 done · 0 left · 0 failed · 0 not confirmed · finished\n"
    )


def test_watching_one_that_is_cancelled_or_was_never_launched_ends_badly(lobby: Lobby, marketer, campaign) -> None:
    lobby("campaign", "cancel", str(campaign.id), "--yes")
    draft = marketer.plan()

    done = lobby("campaign", "watch", str(campaign.id))
    assert (done.exit_code, done.stderr) == (1, "“秋茶上新” is cancelled.\n")
    done = lobby("campaign", "watch", str(draft.id))
    assert (done.exit_code, done.stdout) == (2, "")


def test_the_bar_says_what_stopped_it(marketer, campaign) -> None:
    marketer.fault("/cgi-bin/message/custom/send", times=0, errcode=48001)
    marketer.advance(campaign)

    console = Console(file=io.StringIO(), width=200)
    console.print(campaign_watch.drawn(campaign_watch.look(campaign.id)))
    told = console.file.getvalue()
    assert re.search("秋茶上新.*0%", told)
    assert "0 done · 6 left" in told
    assert "paused: the account is not set up for it (48001: The account may not use this function." in told


def test_a_terminal_gets_a_bar_that_ctrl_c_leaves(marketer, campaign) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "90"}
    words = [LOBBY, "campaign", "watch", str(campaign.id)]
    process = subprocess.Popen(words, stdout=theirs, stderr=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    seen = b""

    def read_until(words: str) -> None:
        nonlocal seen
        while words.encode() not in seen:
            seen += os.read(ours, 4096)  # an OSError once the process has ended

    read_until("6 left")
    process.send_signal(signal.SIGINT)
    read_until("Left; it goes on.")

    assert process.wait(10) == 130
    assert re.search("秋茶上新.*━", seen.decode())
    os.close(ours)
    marketer.advance(campaign)
    until(lambda: ended(marketer, campaign))

"""The first page: who is waiting, what happened today, and what is still to be set up."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from bot.console import campaign_words, charts, overview
from bot.console.blueprint import blueprint, current_account, may_open, own_accounts, requires
from bot.console.language import _, _n
from bot.console.pages import show
from bot.console.when import day
from bot.database import reading
from bot.services import campaign_progress, conversation_queues, followers
from bot.services.conversation_queues import Queue


@blueprint.get("/")
@requires("signed-in")
def front_door() -> ResponseReturnValue:
    with reading() as session:
        known = own_accounts(session)
    if not known:
        return redirect(url_for("console.add_account" if may_open("console.add_account") else "console.accounts_list"))
    return redirect(url_for("console.home", account=known[0].slug))


@blueprint.get("/<account>/")
@requires("accounts:read")
def home() -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        numbers = overview.read(session, account)
        may_talk = may_open("console.conversations_list")
        talks = conversation_queues.page(session, account, Queue.OPEN, limit=200) if may_talk else ()
        waiting = [one for one in talks if one.waiting_since]
        labels = [f"{date.month}/{date.day}" for date, _count in numbers.days]
        total = sum(count for _date, count in numbers.days)
        chart = charts.line(
            _("Messages in the last 14 days"),
            _n("{n} message in 14 days", "{n} messages in 14 days", total),
            labels,
            [count for _date, count in numbers.days],
        )
        is_connected = bool(account.appid and account.original_id and account.sealed_secret)
        steps = [
            (is_connected, _("Connect the account to WeChat"), "console.connect"),
            (numbers.rules > 0, _("Write your first automatic reply"), "console.rules_list"),
            (numbers.has_menu, _("Publish a menu"), "console.menu_edit"),
            (total > 0, _("Receive a first message"), "console.health"),
        ]
        steps = [step for step in steps if may_open(step[2])]
        return show(
            "home.html",
            numbers=numbers,
            running=campaign_progress.running(session, account),
            campaign_words=campaign_words,
            waiting=waiting,
            longest=min((one.waiting_since for one in waiting if one.waiting_since), default=None),
            follower_count=followers.count(session, account),
            chart=chart,
            total=total,
            steps=steps,
            steps_done=sum(1 for done, _what, _where in steps if done),
            day=day,
        )

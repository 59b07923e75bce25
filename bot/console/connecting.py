"""Connecting an account without losing what it had: one page of steps, and what the account may do."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, record, requires
from bot.console.health import KINDS, shown
from bot.console.language import _, look_up
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.services import abilities, account_health, accounts, checks, menus, takeovers, tasks
from bot.services.takeovers import Plan
from bot.settings import settings
from models import Account, Takeover, TakeoverStatus


@blueprint.get("/<account>/connect")
@requires("accounts:write")
def connect() -> ResponseReturnValue:
    return _page()


@blueprint.post("/<account>/connect/reveal")
@requires("accounts:write")
def connect_reveal() -> ResponseReturnValue:
    """The token and key to copy into WeChat; who looked is recorded."""
    with transaction() as session:
        account = accounts.get(session, account_slug())
        record(session, account, "accounts.reveal")
    return _page(revealed=accounts.credentials(account))


@blueprint.post("/<account>/connect/check")
@requires("accounts:write")
def check_connection() -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        tasks.start(session, account, account_health.CHECK)
        record(session, account, "accounts.check")
    return redirect(url_for("console.connect", _anchor="checks"))


@blueprint.post("/<account>/connect/read")
@requires("accounts:write")
def read_console() -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        takeovers.start(session, account)
        record(session, account, "takeovers.read")
    return redirect(url_for("console.connect", _anchor="takeover"))


@blueprint.post("/<account>/connect/<int:takeover_id>/approve")
@requires("accounts:write")
def approve_takeover(takeover_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        takeovers.approve(session, account, takeover_id, acting_operator().name)
        record(session, account, "takeovers.approve")
    say(_("It is taken over. Followers notice nothing."))
    return redirect(url_for("console.connect", _anchor="takeover"))


@blueprint.post("/<account>/connect/<int:takeover_id>/restore")
@requires("accounts:write")
def restore_takeover(takeover_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        takeovers.restore(session, account, takeover_id, acting_operator().name)
        record(session, account, "takeovers.restore")
    say(_("Lobby's rules and menu are as they were before."))
    return redirect(url_for("console.connect", _anchor="takeover"))


@blueprint.get("/<account>/abilities")
@requires("accounts:read")
def account_abilities() -> ResponseReturnValue:
    return show("accounts/abilities.html", abilities=abilities.of(current_account()))


def _page(revealed: object = None) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        check = tasks.latest(session, account, account_health.CHECK)
        row = takeovers.in_force(session, account) or takeovers.latest(session, account)
        plan = takeovers.plan(session, account, row) if row else None
        found = [checks.read(each) for each in check.state.get("checks", [])] if check else []
        return show(
            "accounts/connect.html",
            here=url_for("console.connect"),
            callback=f"{settings().base_url}/wechat/{account.slug}",
            revealed=revealed,
            check=check,
            checks=[shown(each) for each in found],
            ip=next((str(each.values["address"]) for each in found if each.values.get("address")), ""),
            reading=tasks.latest(session, account, takeovers.KIND),
            publishing=tasks.latest(session, account, menus.KIND) if row and row.applied_at else None,
            row=row,
            plan=plan,
            notes=_notes(plan),
            steps=_steps(account, row, [KINDS[each.state] for each in found]),
        )


def _notes(plan: Plan | None) -> dict[str, list[str]]:
    found = plan.converted.notes if plan else []
    return {
        "lost": [note.sentence(look_up) for note in found if note.is_loss],
        "differs": [note.sentence(look_up) for note in found if not note.is_loss],
        "meets": [note.sentence(look_up) for note in plan.meets] if plan else [],
    }


def _steps(account: Account, row: Takeover | None, kinds: list[str]) -> dict[str, bool]:
    """Which steps are done."""
    return {
        "identity": bool(account.appid and account.sealed_secret),
        "checks": bool(kinds) and "bad" not in kinds,
        "takeover": row is not None and row.status is TakeoverStatus.APPROVED,
        "server": account.verified_at is not None,
    }

"""Official accounts: which there are, adding one, and what WeChat and we must know of each other."""

from typing import Any
from urllib.parse import urlsplit

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console import opening_hours_form
from bot.console.blueprint import account_slug, blueprint, current_account, own_accounts, record, requires
from bot.console.campaigns import weekdays
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.console.when import ZONES
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, opening_hours, tokens
from bot.settings import settings
from bot.wechat.limits import TEXT_BYTES
from models import Account

NUMBERS = ("handover_minutes", "offline_minutes", *accounts.CAMPAIGNS)
CHOICES = ("desk", "assigning")
PLAIN = ("title", "appid", "original_id", "kind", "mode", "timezone")


@blueprint.get("/accounts")
@requires("signed-in")
def accounts_list() -> ResponseReturnValue:
    with reading() as session:
        return show("accounts/list.html", found=own_accounts(session))


@blueprint.route("/accounts/new", methods=["GET", "POST"])
@requires("accounts:write")
def add_account() -> ResponseReturnValue:
    form = Form({"kind": "service", "mode": "safe", "timezone": "Asia/Shanghai", "is_verified": "1"})
    if request.method == "POST":
        form.values = request.form.to_dict()
        slug = form.values.get("slug", "").strip()
        try:
            with transaction() as session:
                account = accounts.create(session, slug, **_typed(form.values))
                record(session, account, "accounts.add")
        except Refused as refused:
            form.refuse(refused)
            return show("accounts/new.html", refused.status, form=form, zones=ZONES)
        say(_("The account is added. Next: see that WeChat knows us, and take over what it does already."))
        return redirect(url_for("console.connect", account=slug))
    return show("accounts/new.html", form=form, zones=ZONES)


@blueprint.route("/<account>/settings", methods=["GET", "POST"])
@requires("accounts:write")
def account_settings() -> ResponseReturnValue:
    form = Form(_shown(current_account()))
    if request.method == "POST":
        form.values = request.form.to_dict()
        try:
            with transaction() as session:
                account = accounts.get(session, account_slug())
                values, appid = _typed(form.values), account.appid
                accounts.update(session, account, values)
                if "secret" in values or account.appid != appid:
                    tokens.forget(session, account.id)  # or the breaker of the wrong secret stays shut
                record(session, account, "accounts.edit")
        except Refused as refused:
            form.refuse(refused)
            return _settings_page(form, status=refused.status)
        say(_("Saved."))
        return redirect(url_for("console.account_settings"))
    return _settings_page(form)


@blueprint.post("/<account>/settings/reveal")
@requires("accounts:write")
def reveal_credentials() -> ResponseReturnValue:
    """The token and key to copy into WeChat; who looked is recorded."""
    with transaction() as session:
        account = accounts.get(session, account_slug())
        record(session, account, "accounts.reveal")
    return _settings_page(Form(_shown(account)), revealed=accounts.credentials(account))


def _settings_page(form: Form, *, status: int = 200, revealed: Any = None) -> ResponseReturnValue:
    return show(
        "accounts/settings.html",
        status,
        form=form,
        here=url_for("console.account_settings"),
        zones=ZONES,
        revealed=revealed,
        days=list(zip(opening_hours.DAYS, weekdays(), strict=True)),
        has_secret=bool(current_account().sealed_secret),
        text_bytes=TEXT_BYTES,
        callback=f"{settings().base_url}/wechat/{account_slug()}",
        host=urlsplit(settings().base_url).hostname,
    )


def _shown(account: Account) -> dict[str, Any]:
    """What a form may show: no secrets."""
    return {
        **{name: getattr(account, name) for name in PLAIN},
        "is_verified": "1" if account.is_verified else "",
        "signs_members_in": "1" if account.signs_members_in else "",
        **{name: "\n".join(getattr(account, name)) for name in accounts.WORDS},
        **{name: getattr(account, name) for name in (*accounts.REPLIES, "away_reply", *NUMBERS, *CHOICES)},
        **opening_hours_form.shown(account.opening_hours),
    }


def _typed(given: dict[str, str]) -> dict[str, Any]:
    """The form's strings as the service wants them; an empty secret means "as it was"."""
    values: dict[str, Any] = {name: given[name].strip() for name in PLAIN if name in given}
    values |= {name: given[name].strip() for name in accounts.SEALED if given.get(name, "").strip()}
    if "shown" in given:  # an unticked box is not sent at all
        values["is_verified"] = "is_verified" in given
    if "moments_shown" in given:
        values["signs_members_in"] = "signs_members_in" in given
    for name in accounts.WORDS:
        if name in given:
            values[name] = given[name].replace(",", "\n").replace("，", "\n").splitlines()
    values |= {
        name: given[name].replace("\r\n", "\n").strip() for name in (*accounts.REPLIES, "away_reply") if name in given
    }
    values |= {name: given[name] for name in CHOICES if name in given}
    if "hours" in given:
        values["opening_hours"] = opening_hours_form.typed(given)
    for name in NUMBERS:
        typed = given.get(name, "").strip()
        if typed.isdecimal() and len(typed) < 10:
            values[name] = int(typed)
        elif typed:
            raise Refused("Give a number.", field=name)
        elif name in given and name == "approval_above":
            values[name] = None
    return values

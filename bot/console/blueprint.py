"""The console's one blueprint: which pages there are, who may open each, and which account a page is about."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.database import reading, transaction
from bot.services import accounts, audit, operators
from bot.settings import settings
from models import Account, Operator, SignIn

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

POLICIES: dict[str, Callable[[Operator | None], bool]] = {
    "public": lambda operator: True,
    "signed-in": lambda operator: operator is not None,
}

blueprint = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")

_declared: dict[Callable[..., Any], str] = {}


def requires(policy: str) -> Callable[[View], View]:
    """Declare who may open a page; a console page without this stops the process at start."""
    if policy not in POLICIES:
        raise ValueError(f"There is no policy {policy!r}; known are {', '.join(POLICIES)}.")

    def declare(view: View) -> View:
        _declared[view] = policy
        return view

    return declare


def policy_of(app: Flask, endpoint: str) -> str | None:
    return _declared.get(app.view_functions[endpoint])


def refuse_undeclared(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("console.") and policy_of(app, rule.endpoint) is None:
            raise RuntimeError(f"{rule.endpoint} declares no policy: put @requires(…) under its route.")


def cookie_name() -> str:
    """The __Host- prefix ties the cookie to this host and to https; browsers refuse it on plain http."""
    return "__Host-lobby" if is_https() else "lobby"


def is_https() -> bool:
    return settings().base_url.startswith("https:")


def signed_in() -> SignIn | None:
    found: SignIn | None = g.get("sign_in")
    return found


def current_operator() -> Operator | None:
    sign_in = signed_in()
    return sign_in.operator if sign_in else None


def acting_operator() -> Operator:
    """Whoever pressed the button; a page that asks must require a sign-in."""
    operator = current_operator()
    assert operator is not None
    return operator


def record(session: Session, account: Account, action: str, detail: str = "") -> None:
    """Note, in the change's own transaction, that this operator did it."""
    audit.record(session, action, detail, account_id=account.id, operator_id=acting_operator().id)


def current_account() -> Account:
    """The account of this address, to look at; to change things, read it again in the transaction."""
    account: Account = g.account
    return account


def account_slug() -> str:
    slug: str = g.get("account_slug", "")
    return slug


def own_path(path: str) -> str:
    """A path of ours to go on to, or the console's front door: never another site's address."""
    clean = path.startswith("/console") and not any(character in path for character in "\\\r\n\t") and ".." not in path
    return path if clean else url_for("console.front_door")


@blueprint.url_value_preprocessor
def _take_account(endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.account_slug = (values or {}).pop("account", "")


@blueprint.url_defaults
def _give_account(endpoint: str, values: dict[str, Any]) -> None:
    if "account" not in values and account_slug() and current_app.url_map.is_endpoint_expecting(endpoint, "account"):
        values["account"] = account_slug()


def let_in() -> ResponseReturnValue | None:
    """Before each page, after its form's token was checked: who is it, may they, and which account."""
    policy = policy_of(current_app, request.endpoint or "")
    if policy is None:
        abort(403)
    g.sign_in = _identify()
    if not POLICIES[policy](current_operator()):
        if current_operator() is not None:
            abort(403)
        if request.headers.get("X-Live"):
            abort(401)
        wanted = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("console.sign_in", next=wanted))
    if account_slug():
        with reading() as session:
            g.account = accounts.get(session, account_slug())
    return None


def _identify() -> SignIn | None:
    cookie = request.cookies.get(cookie_name(), "")
    if not cookie:
        return None
    with reading() as session:
        sign_in = operators.find_sign_in(session, cookie)
    if sign_in is not None and operators.is_due(sign_in):
        with transaction() as session:
            operators.touch(session, sign_in)
    return sign_in

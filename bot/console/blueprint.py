"""The console's one blueprint: which pages there are, who may open each, and which account a page is about."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from bot.database import reading, transaction
from bot.errors import Forbidden, NotFound
from bot.safety import is_https
from bot.services import access, accounts, audit, media_uploads, operators
from bot.services.access import Access
from models import Account, Operator, SignIn

LARGEST = 2**63 - 1  # of a database's numbers
UPLOADS = ("console.reply_to_conversation",)

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

OPEN_TO_ALL, SIGNED_IN = "public", "signed-in"
POLICIES = {OPEN_TO_ALL, SIGNED_IN, *access.EVERYTHING}  # the others are permissions, which a role has or not

blueprint = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")

_declared: dict[Callable[..., Any], tuple[str, str]] = {}


def requires(policy: str, *, to_change: str = "") -> Callable[[View], View]:
    """Declare who may open a page; a console page without this stops the process at start.

    With ``to_change``, ``policy`` is for looking and this for sending the page's form.
    """
    for each in (policy, to_change or policy):
        if each not in POLICIES:
            raise ValueError(f"There is no policy {each!r}; known are {', '.join(sorted(POLICIES))}.")

    def declare(view: View) -> View:
        _declared[view] = (policy, to_change or policy)
        return view

    return declare


def policy_of(app: Flask, endpoint: str, method: str = "GET") -> str | None:
    found = _declared.get(app.view_functions[endpoint])
    return found and found[method not in ("GET", "HEAD", "OPTIONS")]


def refuse_undeclared(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("console.") and policy_of(app, rule.endpoint) is None:
            raise RuntimeError(f"{rule.endpoint} declares no policy: put @requires(…) under its route.")


def cookie_name() -> str:
    """The __Host- prefix ties the cookie to this host and to https; browsers refuse it on plain http."""
    return "__Host-lobby" if is_https() else "lobby"


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


def record(session: Session, account: Account | None, action: str, detail: str = "", **changed: Any) -> None:
    """Note, in the change's own transaction, that this operator did it; what its rows were and became is added."""
    place = account.id if account else None
    audit.record(session, action, detail, account_id=place, operator_id=acting_operator().id, **changed)


def current_access() -> Access:
    """What whoever is signed in may do, where; read anew for each request."""
    known: Access = g.get("access") or Access({})
    return known


def own_accounts(session: Session) -> list[Account]:
    """Those the operator has a role in."""
    return [each for each in accounts.list_all(session) if current_access().at(each.id)]


def may(permission: str) -> bool:
    """Whether the account of this page (without one: the install) lets the operator do this."""
    account = g.get("account")
    return permission in current_access().at(account.id if account else None)


def may_open(endpoint: str, method: str = "GET") -> bool:
    """Whether a page of this account would open; links and buttons that would not are left away."""
    policy = policy_of(current_app, endpoint, method)
    return policy in (OPEN_TO_ALL, SIGNED_IN) or (policy is not None and may(policy))


def may_send(address: str) -> bool:
    """Whether a form of ours may be sent to this address."""
    urls = g.get("urls")  # kept: a table asks for each of its buttons
    if urls is None:
        urls = g.urls = current_app.create_url_adapter(request)
    assert urls is not None
    try:
        endpoint, _values = urls.match(address.partition("?")[0].partition("#")[0], "POST")
    except HTTPException:
        return False
    return may_open(endpoint, "POST")


def current_account() -> Account:
    """The account of this address, to look at; to change things, read it again in the transaction."""
    account: Account = g.account
    return account


def row_number(text: str) -> int:
    """For ``request.args.get(…, type=row_number)``: what no row can have is as if it were not there."""
    number = int(text)
    if number > LARGEST:
        raise ValueError(text[:40])
    return number


def account_slug() -> str:
    slug: str = g.get("account_slug", "")
    return slug


def own_path(path: str) -> str:
    """A path of ours to go on to, or the console's front door: never another site's address."""
    clean = path.startswith("/console") and not any(character in path for character in "\\\r\n\t") and ".." not in path
    return path if clean else url_for("console.front_door")


@blueprint.url_value_preprocessor
def _take_account(endpoint: str | None, values: dict[str, Any] | None) -> None:
    values = {} if values is None else values
    g.account_slug = values.pop("account", "")
    for name, value in values.items():
        if isinstance(value, int) and value > LARGEST:
            values[name] = LARGEST  # looked for like any other that is not there


@blueprint.url_defaults
def _give_account(endpoint: str, values: dict[str, Any]) -> None:
    if "account" not in values and account_slug() and current_app.url_map.is_endpoint_expecting(endpoint, "account"):
        values["account"] = account_slug()


def take_file() -> None:
    """Before any of it is read: where a page takes files, whoever is signed in may send more than 1 MB."""
    if request.endpoint in UPLOADS:
        with reading() as session:
            if operators.find_sign_in(session, request.cookies.get(cookie_name(), "")) is not None:
                request.max_content_length = media_uploads.REQUEST_BYTES


def let_in() -> ResponseReturnValue | None:
    """Before each page, after its form's token was checked: who is it, which account, and may they."""
    policy = policy_of(current_app, request.endpoint or "", request.method)
    if policy is None:
        abort(403)
    g.sign_in = _identify()
    operator = current_operator()
    if operator is None:
        return None if policy == OPEN_TO_ALL else _to_the_door()
    with reading() as session:
        g.access = access.of_operator(session, operator.id)
        if account_slug():
            account = accounts.get(session, account_slug())
            if not current_access().at(account.id):  # the very words of one that is not there (T21)
                raise NotFound("There is no account “{slug}”.", slug=account_slug())
            g.account = account
    if policy not in (OPEN_TO_ALL, SIGNED_IN) and not may(policy):
        raise Forbidden("Your role does not allow this. Whoever owns the account can give you another one.")
    return None


def _to_the_door() -> ResponseReturnValue:
    if request.headers.get("X-Live"):
        abort(401)
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("console.sign_in", next=wanted))


def _identify() -> SignIn | None:
    cookie = request.cookies.get(cookie_name(), "")
    if not cookie:
        return None
    with reading() as session:
        sign_in = operators.find_sign_in(session, cookie)
    if sign_in is not None and sign_in.must_renew:
        with transaction() as session:
            g.new_cookie = operators.renew(session, sign_in)
        return sign_in if g.new_cookie else None
    if sign_in is not None and operators.is_due(sign_in):
        with transaction() as session:
            operators.touch(session, sign_in)
    return sign_in


def keep_cookie(response: Response) -> Response:
    """After each page: the cookie that took the old one's place."""
    if g.get("new_cookie"):
        set_cookie(response, g.new_cookie)
    return response


def set_cookie(response: AnyResponse, cookie: str) -> None:
    seconds = int(operators.LIFETIME.total_seconds())
    response.set_cookie(
        cookie_name(), cookie, max_age=seconds, path="/", secure=is_https(), httponly=True, samesite="Lax"
    )

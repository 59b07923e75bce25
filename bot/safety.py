"""What keeps the pages of the console and of Moments safe in the browser: form tokens, the caller's origin, headers."""

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from flask_wtf.csrf import CSRFProtect

from bot.settings import settings

# Nothing inline, nothing from elsewhere.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "X-Robots-Tag": "noindex, nofollow",
}

csrf = CSRFProtect()


def is_https() -> bool:
    return settings().base_url.startswith("https:")


def prepare(app: Flask) -> None:
    """Form tokens live in Flask's own signed cookie, checked for pages only.  A second time changes nothing."""
    if "csrf" in app.extensions:
        return
    if not app.secret_key:
        app.secret_key = settings().secret_key.get_secret_value()
    app.config.update(
        SESSION_COOKIE_NAME="__Host-lobby-form" if is_https() else "lobby-form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_https(),
        WTF_CSRF_CHECK_DEFAULT=False,  # the callback and the API carry no cookie
        WTF_CSRF_TIME_LIMIT=None,  # as long as the browser is open: a thread may be read all morning
        WTF_CSRF_SSL_STRICT=False,  # check_form looks at Origin, which proxies do not strip
    )
    csrf.init_app(app)


def check_form() -> None:
    """Refuse a change that one of our own pages did not ask for."""
    if any("\0" in value for value in request.values.values()):
        abort(400)  # typed by nobody, and PostgreSQL knows no such text
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc not in (request.host, urlsplit(settings().base_url).netloc):
        abort(403)
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403)
    csrf.protect()


def add_headers(response: Response) -> Response:
    """Those that the page itself has not set."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if is_https():
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    response.headers.setdefault("Cache-Control", "no-store")
    return response

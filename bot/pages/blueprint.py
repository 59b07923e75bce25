"""The public pages' one blueprint: open to all, for looking only, with headers of their own."""

from flask import Blueprint, Response, make_response, render_template

from bot.settings import settings

blueprint = Blueprint(
    "pages", __name__, template_folder="templates", static_folder="static", static_url_path="/p/static"
)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


@blueprint.after_request
def add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if settings().base_url.startswith("https:"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def nothing_here() -> Response:
    """What a follower sees whose link leads nowhere; in Chinese and in English, as nobody knows which they read."""
    return make_response(render_template("pages/nothing.html"), 404)

"""The one place where all parts are put together."""

import gc
import uuid

import structlog
from apiflask import APIFlask
from flask import Response, redirect
from werkzeug.middleware.proxy_fix import ProxyFix

from bot import api, clock, console, health, logs, pages, webhook
from bot.moments import api as moments_api
from bot.moments import pages as moments_pages
from bot.settings import settings


def create_app() -> APIFlask:
    """The web application, with the settings of the environment."""
    config = settings()
    clock.follow(config.clock_file)
    logs.setup(config.log_format)
    app = APIFlask("lobby", title="Lobby", docs_path=None, spec_path=None, static_folder=None)  # type: ignore[arg-type]  # as Flask
    app.config["SECRET_KEY"] = config.secret_key.get_secret_value()
    app.config["MAX_CONTENT_LENGTH"] = 1 << 20  # the callback has a smaller limit of its own

    @app.before_request
    def name_request() -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=uuid.uuid4().hex[:12])

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    @app.get("/")
    def front_page() -> Response:
        return redirect("/console/")  # type: ignore[return-value]  # werkzeug's own, which Flask sends as well

    app.register_blueprint(webhook.bp)
    app.register_blueprint(health.bp)
    pages.register(app)
    api.register(app)
    moments_api.register(app)
    moments_pages.register(app)
    console.register(app)
    if hops := config.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    app.wsgi_app = webhook.Front(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to mount middleware
    return app


def settle() -> None:
    """Once all is loaded: the garbage collector leaves that alone, and looks at the rest less often.

    A full collection walks through the 160,000 objects of the libraries; one request in ten waited 90 ms for it.
    """
    gc.freeze()
    gc.set_threshold(50_000)  # reading ten thousand rules makes 100,000 objects, none of them garbage

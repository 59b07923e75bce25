"""The simulator as one WSGI app: WeChat's paths, the control under /sim/, the phone under /phone/."""

from pathlib import Path

from flask import Flask, Response, abort, render_template, request, send_file
from flask.json.provider import DefaultJSONProvider

from bot.simulator import consent_pages, control, drafts, media, phone, postman, qrcodes
from bot.simulator.api import (
    account,
    codes,
    credentials,
    custom,
    files,
    masses,
    materials,
    menus,
    notices,
    publishing,
    tags,
    templates,
    users,
)
from bot.simulator.api import drafts as draft_box
from bot.simulator.api.calls import Call, answer, refuse
from bot.simulator.errors import Refusal
from bot.simulator.world import World, open_world

# A new family of paths is a module with CALLS, named here.
FAMILIES = (
    *(account, codes, custom, draft_box, files, masses, materials, menus, notices, publishing, tags, templates, users),
)
CALLS: dict[str, Call] = {call.path: call for family in FAMILIES for call in family.CALLS}

# What its author wrote may show pictures, and do nothing.
ARTICLE_CSP = "default-src 'none'; img-src 'self' https:; style-src 'unsafe-inline'; sandbox"

MOST_UPLOAD_BYTES = 24 << 20


def create_app(data_dir: Path, clock_file: Path | None = None) -> Flask:
    """Open the world kept in `data_dir`; the clock's offset is also written to `clock_file`."""
    world = open_world(Path(data_dir), clock_file)
    postman.start(world)
    app = Flask(__name__, static_url_path="/phone/static")
    app.extensions["simulator"] = world
    app.config["MAX_CONTENT_LENGTH"] = MOST_UPLOAD_BYTES
    assert isinstance(app.json, DefaultJSONProvider)
    app.json.sort_keys = False
    app.json.ensure_ascii = False
    app.register_blueprint(control.make(world, CALLS.keys() | credentials.CALLS.keys()))
    app.register_blueprint(phone.make(world))
    app.register_blueprint(consent_pages.make(world))
    _add_pictures(app, world)

    @app.route("/<path:path>", methods=["GET", "POST"])
    def wechat(path: str) -> Response:
        path = "/" + path
        if path in credentials.CALLS:
            return credentials.answer(world, path, request)
        call = CALLS.get(path)
        if call is None:
            return refuse(world, Refusal(40066))
        return answer(world, call, request)

    return app


def _add_pictures(app: Flask, world: World) -> None:
    """What WeChat serves without a token."""

    @app.get("/cgi-bin/showqrcode")
    def show_qrcode() -> Response:
        with world.store.reading() as db:
            code = qrcodes.find(db, request.args.get("ticket", ""), world.clock.now())
        if code is None:
            abort(404)
        return Response(qrcodes.picture(code), content_type="image/jpg")

    @app.get("/s/<page_id>/<int:place>")
    def show_article(page_id: str, place: int) -> Response:
        with world.store.reading() as db:
            return _page(drafts.on_page(db, page_id, place))

    @app.get("/s/draft/<media_id>/<int:place>")
    def show_draft(media_id: str, place: int) -> Response:
        with world.store.reading() as db:
            articles = drafts.find_any(db, media_id)
        return _page(articles[place - 1] if 1 <= place <= len(articles) else None)

    @app.get("/pic/<media_id>")
    def show_picture(media_id: str) -> Response:
        with world.store.reading() as db:
            row = media.find_any(db, media_id)
        if row is None:
            abort(404)
        response = send_file(media.path_of(world, row["media_id"]), mimetype=row["content_type"])
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _page(article: drafts.Article | None) -> Response:
    if article is None:
        abort(404)
    html = render_template("article.html", article=article)
    return Response(html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": ARTICLE_CSP})

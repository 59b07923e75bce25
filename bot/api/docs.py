"""/api/docs: a page to read and try the API, served from here with nothing from elsewhere."""

from importlib.resources import files

from flask import Blueprint, Response, abort

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lobby API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<link rel="icon" href="/api/docs/favicon-32x32.png">
</head>
<body>
<div id="docs"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
});
"""
TYPES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

bp = Blueprint("api_docs", __name__, url_prefix="/api/docs")


@bp.get("")
def page() -> Response:
    return Response(PAGE, content_type="text/html; charset=utf-8")


@bp.get("/start.js")
def start() -> Response:
    return Response(START, content_type="text/javascript; charset=utf-8")


@bp.get("/<name>")
def file(name: str) -> Response:
    if name not in TYPES:
        abort(404)
    data = files("flask_swagger_ui").joinpath("dist", name).read_bytes()
    response = Response(data, content_type=TYPES[name])
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


@bp.after_request
def guard(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response

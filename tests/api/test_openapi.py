"""The document says what the API does: it is a valid OpenAPI 3.1.  That each answer fits it, test_contract.py asks."""

import json
import re

import pytest

from bot.api.contract import ENDPOINTS
from tests.api.document import misfit, of, resolve

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(app):
    return of(app)


def test_the_document_is_well_formed(document):
    assert document["openapi"] == "3.1.0"
    ids, refs = [], set(re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(document)))
    for ref in refs:
        assert resolve(document, {"$ref": ref})
    for path, operations in document["paths"].items():
        assert set(operations) <= METHODS
        for operation in operations.values():
            ids.append(operation["operationId"])
            assert operation["summary"]
            assert {"401", "403", "422"} <= set(operation["responses"])
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            for response in operation["responses"].values():
                assert resolve(document, response)["description"]
    assert len(ids) == len(set(ids)) == len(ENDPOINTS)


def test_names_of_schemas_are_words(document):
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", name) for name in document["components"]["schemas"])


def test_the_check_itself_finds_faults(document):
    task = {"$ref": "#/components/schemas/Task"}
    good = {
        "id": 1, "kind": "x", "status": "done", "done": 0, "total": None, "error": "", "created_at": "x",
        "finished_at": None,
    }  # fmt: skip

    assert misfit(document, task, good) == ""
    for wrong in ({**good, "status": "odd"}, {**good, "id": "1"}, {**good, "more": 1}, {"id": 1}):
        assert misfit(document, task, wrong)


def test_the_docs_page_needs_nothing_from_elsewhere(client):
    page = client.get("/api/docs")
    html = page.get_data(as_text=True)

    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "http" not in html.replace("https://lobby", "")
    assert not re.search(r"<script(?![^>]*src=)|style=|\son\w+=", html)
    for asset_path in re.findall(r'(?:src|href)="([^"]+)"', html):
        asset = client.get(asset_path)
        assert asset.status_code == 200, asset_path
        assert asset.headers["Content-Type"].split(";")[0] in {"text/css", "text/javascript", "image/png"}
    for odd in ("../README.md", "..%2fREADME.md", "swagger-ui.js", "%00"):
        assert client.get(f"/api/docs/{odd}").status_code == 404

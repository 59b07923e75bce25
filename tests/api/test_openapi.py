"""The document says what the API does: it is a valid OpenAPI 3.1, and each answer fits it."""

import json
import re

import pytest

from bot.api.contract import ENDPOINTS
from tests.api.test_contract import address, body_of, rows  # noqa: F401 - a fixture

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(client):
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json


def resolve(document, schema):
    while "$ref" in schema:
        assert schema["$ref"].startswith("#/")
        found = document
        for part in schema["$ref"][2:].split("/"):
            found = found[part]
        schema = found
    return schema


def misfit(document, schema, value, at="") -> str:
    """The first place where a value does not fit a JSON schema, of the kinds that our document uses."""
    schema = resolve(document, schema)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        faults = [misfit(document, option, value, at) for option in options]
        return "" if "" in faults else " / ".join(faults)
    if "const" in schema:
        return "" if value == schema["const"] else f"{at}: not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{at}: {value!r} not in {schema['enum']}"
    kinds = {
        "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
        "null": type(None),
    }  # fmt: skip
    if (kind := schema.get("type")) and not isinstance(value, kinds[kind]):
        return f"{at}: {value!r} is no {kind}"
    if isinstance(value, list):
        faults = (misfit(document, schema.get("items", {}), each, f"{at}.{n}") for n, each in enumerate(value))
        return next(filter(None, faults), "")
    if isinstance(value, dict) and "properties" in schema:
        if missing := set(schema.get("required", ())) - set(value):
            return f"{at}: {missing} missing"
        if unknown := set(value) - set(schema["properties"]):
            return f"{at}: {unknown} not in the document"
        faults = (misfit(document, schema["properties"][name], each, f"{at}.{name}") for name, each in value.items())
        return next(filter(None, faults), "")
    return ""


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


@pytest.mark.parametrize("known", ENDPOINTS, ids=lambda known: known.name)
def test_each_answer_fits_the_document(known, rows, api, document):  # noqa: F811
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", known.path)
    responses = document["paths"][path][known.method.lower()]["responses"]
    body = body_of(known, rows)

    answer = api(known.method, address(known, "mine", rows), body)

    content = resolve(document, responses[str(answer.status_code)]).get("content")
    if content is None:
        assert answer.data == b""
    else:
        assert misfit(document, content["application/json"]["schema"], answer.json) == ""
    refused = api.client.open(f"/api/v1{address(known, 'mine', rows)}", method=known.method, json=body)
    error = resolve(document, responses["401"])["content"]["application/json"]["schema"]
    assert misfit(document, error, refused.json) == ""


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

"""The OpenAPI document, and whether a value fits it."""

import functools
import re


@functools.cache
def of(app):
    """What an application says of itself; made once, as it takes a while."""
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json


def misfit_of(app, known, answer) -> str:
    """The first place where an endpoint's answer differs from what the document says of its status."""
    document = of(app)
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", known.path)
    response = document["paths"][path][known.method.lower()]["responses"][str(answer.status_code)]
    content = resolve(document, response).get("content")
    if content is None:
        return "" if answer.data == b"" else "it has a body"
    if answer.mimetype != "application/json":
        return "" if answer.mimetype in content else f"it is {answer.mimetype}"
    return misfit(document, content["application/json"]["schema"], answer.json)


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

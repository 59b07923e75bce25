"""T01: signatures, tokens and secrets are compared in constant time, and in one place."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Not the "sign" in assigned, design, signal or sign_in.
PRECIOUS = re.compile(r"(?<!as)(?<!de)sign(?!al|_?in(?!g))|token|secret", re.IGNORECASE)


def unsafe_comparisons(source: str) -> list[int]:
    """Lines that compare something precious with == or != to anything but "", None, numbers, enums and columns."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        for (left, right), operator in zip(pairwise(sides), node.ops, strict=True):
            if (
                isinstance(operator, ast.Eq | ast.NotEq)
                and (_is_precious(left) or _is_precious(right))
                and not (_is_harmless(left) or _is_harmless(right))
            ):
                lines.append(node.lineno)
    return sorted(set(lines))


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inner, slice=ast.Constant(value=str(key))):
            return f"{_name(inner)} {key}"
        case ast.Call(func=inner, args=arguments):
            keys = [str(a.value) for a in arguments if isinstance(a, ast.Constant)]
            return " ".join([_name(inner), *keys])
        case ast.Await(value=inner) | ast.Subscript(value=inner):
            return _name(inner)
    return ""


def _is_precious(node: ast.expr) -> bool:
    # len(token) and the like say nothing about the content.
    if isinstance(node, ast.Call) and _name(node.func) in {"len", "count", "type"}:
        return False
    return bool(PRECIOUS.search(_name(node))) and not _is_harmless(node)


def _is_harmless(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value in ("", None, b"") or isinstance(node.value, int)
    # A member of an enum, or a column: the database compares, and finds by index.
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id[:1].isupper()


FILES = [path for folder in ("bot", "handlers", "models") for path in sorted((ROOT / folder).rglob("*.py"))]


def test_no_secret_is_compared_with_an_equals_sign():
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in FILES
        for line in unsafe_comparisons(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_there_is_something_to_check():
    assert len(FILES) >= 8


@pytest.mark.parametrize(
    "source",
    [
        "signature == given",
        "given != query['msg_signature']",
        "sign(a, b) == c",
        "account.token != token",
        "request.args.get('token') == x",
        "a == b.app_secret == c",
        "if not (self._secret == other): pass",
        "token == 'letmein'",
    ],
)
def test_the_check_finds(source):
    assert unsafe_comparisons(source) == [1]


@pytest.mark.parametrize(
    "source",
    [
        "token == ''",
        "secret is None",
        "len(token) == 43",
        "hmac.compare_digest(signature, given)",
        "state == TokenState.USED",
        "name == 'x'",
        "ApiToken.token_hash == token_hash",
        "assigned_to == sign_in_id",
    ],
)
def test_the_check_lets_pass(source):
    assert unsafe_comparisons(source) == []

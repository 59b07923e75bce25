"""Whatever Moments refuses, it says in Chinese too."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from bot.moments.media.refusals import SENTENCES

MOMENTS = Path(__file__).parents[2] / "bot" / "moments"
CHINESE = json.loads((MOMENTS / "pages" / "locale" / "zh.json").read_text("utf-8"))


def refusals() -> Iterator[str]:
    """The first words of everything that is called like an error of ours."""
    names = {"Refused", "NotFound", "Conflict", "Forbidden", "Unauthenticated", "TooMany", "TooBusy", "Full"}
    for path in MOMENTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            if getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
                yield node.args[0].value
    yield from SENTENCES.values()


def test_every_refusal_has_its_sentence_with_the_same_gaps():
    found = set(refusals())
    assert len(found) > 60
    assert sorted(found - set(CHINESE)) == []
    gaps = {
        sentence
        for sentence in found
        if set(re.findall(r"{\w+}", sentence)) != set(re.findall(r"{\w+}", CHINESE[sentence]))
    }
    assert gaps == set()

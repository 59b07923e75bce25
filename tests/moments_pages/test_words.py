"""Chinese first, English complete: every sentence of these pages is in their catalogue, and no other."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from bot.moments.pages.language import catalogue
from tests.console.test_words import in_code, sentences_of

MOMENTS = Path(__file__).parents[2] / "bot" / "moments"
PAGES = MOMENTS / "pages"


def in_templates() -> Iterator[str]:
    for path in PAGES.rglob("*.html"):
        source = path.read_text("utf-8")
        for quote in ('"', "'"):
            text = rf"{quote}((?:[^{quote}\\]|\\.)*){quote}"
            yield from re.findall(rf"(?<![\w.])_\(\s*{text}", source)
            for _one, many in re.findall(rf"(?<![\w.])_n\(\s*{text},\s*{text}", source):
                yield many  # Chinese has one form for both


def refusals(path: Path) -> Iterator[str]:
    """Of services: what they refuse with, also from a table of sentences."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in ("TooMany", "TooBusy", "Full", "TooManyTries", "Malformed", "Unreachable"):
                yield from (each.value for each in node.args[:1] if isinstance(each, ast.Constant))


def wanted() -> set[str]:
    found = set(in_templates())
    for path in MOMENTS.rglob("*.py"):
        if MOMENTS / "api" not in path.parents:
            found |= set(in_code(path)) | set(refusals(path))
    for path in (MOMENTS / "media" / "refusals.py", MOMENTS.parent / "services" / "passwords.py"):
        found |= set(sentences_of(path))
    for path in (
        MOMENTS / "api" / "contract.py",
        MOMENTS / "api" / "wechat.py",
        MOMENTS.parent / "follower_sign_in.py",
    ):
        found |= set(in_code(path)) | set(refusals(path))  # who is let in
    return {sentence for sentence in found if re.search(r"[A-Za-z]{2}", re.sub(r"{\w+}", "", sentence))}


def test_every_sentence_has_a_translation() -> None:
    missing = sorted(wanted() - set(catalogue()))
    assert not missing, f"bot/moments/pages/locale/zh.json lacks {len(missing)}:\n" + "\n".join(missing)


def test_a_translation_fills_the_same_gaps() -> None:
    gaps = re.compile(r"{(\w+)}")
    assert not [e for e, c in catalogue().items() if set(gaps.findall(e)) != set(gaps.findall(c)) and "{n}" not in e]


def test_nothing_is_left_over() -> None:
    assert (
        not {english for english in catalogue() if re.search(r"[A-Za-z]{2}", re.sub(r"{\w+}", "", english))} - wanted()
    )


def test_no_sentence_stands_in_two_files() -> None:
    files = [json.loads(path.read_text("utf-8")) for path in (PAGES / "locale").glob("zh*.json")]
    assert sum(map(len, files)) == len(catalogue())

"""Chinese first, English complete: every sentence an operator can read is in the catalogue."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from bot.console.language import catalogue

ROOT = Path(__file__).parents[2]
CONSOLE = ROOT / "bot" / "console"
FIRST_ARGUMENTS = {
    "_",
    "look_up",
    "Refused",
    "NotFound",
    "Conflict",
    "Forbidden",
    "Unauthenticated",
    "TooManyTries",
    "_refuse",
}
CHECKS = {"ok", "warn", "fail"}  # services.health: all of their texts


def in_templates() -> Iterator[str]:
    for path in CONSOLE.rglob("*.html"):
        source = path.read_text("utf-8")
        for quote in ('"', "'"):
            text = rf"{quote}((?:[^{quote}\\]|\\.)*){quote}"
            yield from re.findall(rf"(?<![\w.])_\(\s*{text}", source)
            for _one, many in re.findall(rf"(?<![\w.])_n\(\s*{text},\s*{text}", source):
                yield many  # Chinese has one form for both


def in_code(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if name in FIRST_ARGUMENTS:
            yield from texts[:1]
        elif name == "_n":
            yield texts[1]
        elif name in CHECKS and path.name.endswith("health.py"):
            yield from texts


def sentences_of(path: Path) -> Iterator[str]:
    """Services also keep sentences for later: why a rule was passed over, why a send failed."""
    tree = ast.parse(path.read_text("utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in documentation else ""
        if isinstance(text, str) and re.fullmatch(r"[A-Z“][^\n]* [^\n]*[.?!]", text):
            yield text


def wanted() -> set[str]:
    found = set(in_templates())
    for path in CONSOLE.rglob("*.py"):
        found |= set(in_code(path))
    moderation = ROOT / "bot" / "moments" / "moderation.py"
    for path in [*(ROOT / "bot" / "services").rglob("*.py"), ROOT / "bot" / "errors.py", moderation]:
        found |= set(in_code(path)) | set(sentences_of(path))
    traced = [*(ROOT / "bot" / "jobs").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]
    for path in traced:
        found |= set(sentences_of(path))
    return {sentence for sentence in found if re.search(r"[A-Za-z]{2}", re.sub(r"{\w+}", "", sentence))}


def test_every_sentence_has_a_translation() -> None:
    missing = sorted(wanted() - set(catalogue()))
    assert not missing, f"bot/console/locale/zh.json lacks {len(missing)}:\n" + "\n".join(missing)


def test_a_translation_fills_the_same_gaps() -> None:
    gaps = re.compile(r"{(\w+)}")
    wrong = [
        english
        for english, chinese in catalogue().items()
        if set(gaps.findall(english)) != set(gaps.findall(chinese)) and "{n}" not in english
    ]
    assert not wrong


def test_nothing_is_left_over() -> None:
    kept = json.loads((CONSOLE / "locale" / "zh.json").read_text("utf-8"))
    spare = {english for english in kept if re.search(r"[A-Za-z]{2}", re.sub(r"{\w+}", "", english))} - wanted()
    assert not spare

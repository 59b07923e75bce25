"""What the stand-in answers: the passage that has most in common with the question, in its language.  Pure."""

import re
from typing import Any

_FENCED = re.compile(r"<<(\w+) (passage \d+|question|earlier)\n(.*?)\n\1>>", re.DOTALL)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_WORD = re.compile(r"[a-z0-9]+")
_COMMON = re.compile(r"a|an|and|are|at|can|do|does|for|how|i|in|is|it|me|my|of|on|or|the|to|what|when|where|you|your")

UNKNOWN = {
    "zh": "这个问题我手边的资料里没有提到。发送“人工”可以找真人帮您。",
    "en": "What I was given to read does not say. Write “human” and a person will help you.",
}


def answer(messages: list[dict[str, Any]]) -> str:
    """Quotes what it was given; without anything that fits it says so."""
    found = [
        (what, text) for message in messages[-1:] for _, what, text in _FENCED.findall(str(message.get("content")))
    ]
    question = next((text for what, text in found if what == "question"), "")
    passages = [text for what, text in found if what.startswith("passage")]
    language = "zh" if _CHINESE.search(question) else "en"
    wanted = _pieces(question)
    scored = [
        (len(wanted & _pieces(text)) * (2 if _speaks(text, language) else 1), -at, text)
        for at, text in enumerate(passages)
    ]
    best = max(scored, default=(0, 0, ""))
    if not best[0]:
        return UNKNOWN[language]
    title, _, rest = best[2].partition("\n")
    return _lines_of(rest or title, language)


def _lines_of(text: str, language: str) -> str:
    """Of a passage in two languages only the lines of the question's."""
    lines = [line for line in text.splitlines() if line.strip()]
    own = [line for line in lines if _speaks(line, language)]
    return "\n".join(own or lines)[:600]


def _speaks(text: str, language: str) -> bool:
    return bool(_CHINESE.search(text)) == (language == "zh")


def _pieces(text: str) -> set[str]:
    low = text.lower()
    dense = "".join(_CHINESE.findall(low))
    return {dense[at : at + 2] for at in range(len(dense) - 1)} | {
        word for word in _WORD.findall(low) if not _COMMON.fullmatch(word)
    }

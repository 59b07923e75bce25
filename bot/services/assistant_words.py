"""From what a model writes to what a WeChat message shows: no markup, no thinking aloud.  Pure."""

import re

MOST_CHARACTERS = 6000  # of one answer: some nine messages

_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*\n?", re.MULTILINE)
_IMAGE = re.compile(r"!\[([^\]\n]{0,200})\]\(([^)\s]{1,1000})[^)\n]{0,200}\)")
_LINK = re.compile(r"\[([^\]\n]{1,300})\]\(([^)\s]{1,1000})[^)\n]{0,200}\)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$\n?", re.MULTILINE)
_QUOTE = re.compile(r"^[ \t]{0,3}(?:>[ \t]?)+", re.MULTILINE)
_BULLET = re.compile(r"^([ \t]*)[-*+][ \t]+", re.MULTILINE)
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?[ \t]*$\n?", re.MULTILINE)
_TABLE_ROW = re.compile(r"^[ \t]*\|(.+)\|[ \t]*$", re.MULTILINE)
_STRONG = re.compile(r"(\*\*\*|\*\*|__|~~)(?=\S)(.{1,500}?)(?<=\S)\1")
_SOFT = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,500}?)(?<=[^\s*])\*(?![\w*])")
_CODE = re.compile(r"`{1,2}([^`\n]{1,500})`{1,2}")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~])")
_GAPS = re.compile(r"\n{3,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")


def plain(text: str) -> str:
    """“## Hours\\n**Daily** 9–21” becomes “Hours\\nDaily 9–21”; "" when nothing that says anything is left."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _THINKING.sub("", text)[: 2 * MOST_CHARACTERS]
    text = _FENCE.sub("", text)
    text = _IMAGE.sub(lambda found: f"{found[1]} {found[2]}".strip(), text)
    text = _LINK.sub(lambda found: found[2] if found[1] == found[2] else f"{found[1]}（{found[2]}）", text)
    text = _TAG.sub("", text)
    text = _TABLE_RULE.sub("", text)
    text = _TABLE_ROW.sub(lambda found: " | ".join(cell.strip() for cell in found[1].split("|")), text)
    text = _RULE.sub("", text)
    text = _QUOTE.sub("", text)
    text = _HEADING.sub(r"\1", text)
    text = _BULLET.sub(r"\1· ", text)
    text = _STRONG.sub(r"\2", _STRONG.sub(r"\2", text))
    text = _CODE.sub(r"\1", _SOFT.sub(r"\1", text))
    text = _ESCAPED.sub(r"\1", text)
    text = _GAPS.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()[:MOST_CHARACTERS]
    return text if any(character.isalnum() for character in text) else ""

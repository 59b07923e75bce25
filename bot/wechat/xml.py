"""Reads WeChat's XML into plain values, and refuses everything in XML that WeChat never sends."""

import re
from itertools import islice
from typing import Any, TypeAlias
from xml.parsers.expat import ExpatError, ParserCreate

Value: TypeAlias = "str | dict[str, Value] | list[Value]"

DEPTH = 16
ELEMENTS = 200

# What XML 1.0 cannot hold. Followers' texts do carry such characters, and WeChat passes them on raw.
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&#(x[0-9a-fA-F]{1,6}|[0-9]{1,7});")
_OTHER_ENCODINGS = (b"\xfe\xff", b"\xff\xfe", b"\0", b"<\0")  # UTF-16: expat would follow the mark
_PRIVATE_USE = range(0xF0000, 0xFFFFE)


class Unreadable(Exception):
    """Not a document we read; the text says why, in our words only."""


def parse(document: bytes) -> dict[str, Value]:
    """Read ``<xml>…</xml>``: a leaf becomes a str, an element with children a dict, repeated elements a list.

    Control characters survive, except NUL, which becomes U+FFFD because PostgreSQL cannot store it.
    So do bytes that are not UTF-8.  Names are taken as written: namespaces mean nothing here.

    Raises:
        Unreadable: no XML, another root, a DOCTYPE or processing instruction, too deep, too many elements.
    """
    if document.startswith(_OTHER_ENCODINGS):
        raise Unreadable("not UTF-8")
    try:
        return _read(document)
    except ExpatError:
        pass  # rarely: a character that XML cannot hold
    readable, back = _hide_illegal(document)
    try:
        fields = _read(readable)
    except ExpatError:
        raise Unreadable("not well-formed XML") from None
    return {name: _show_illegal(value, back) for name, value in fields.items()}


def without_illegal(text: str) -> str:
    """Drop the characters that XML 1.0 cannot hold."""
    return ILLEGAL.sub("", text)


def _read(document: bytes) -> dict[str, Value]:
    # Around a child stands nothing but white space, so one text, since the last start, is enough.
    around: list[dict[str, Value]] = []
    children: dict[str, Value] = {}
    text = ""
    count = 0

    def start(name: str, _attributes: object) -> None:
        nonlocal children, text, count
        count += 1
        if not around and name != "xml":
            raise Unreadable("another root element than xml")
        if len(around) >= DEPTH:
            raise Unreadable("elements nested too deep")
        if count > ELEMENTS:
            raise Unreadable("too many elements")
        around.append(children)
        children, text = {}, ""

    def data(more: str) -> None:
        nonlocal text
        text += more

    def end(name: str) -> None:
        nonlocal children
        value: Value = children or text
        children = around.pop()
        if name not in children:
            children[name] = value
            return
        before = children[name]
        if type(before) is list:
            before.append(value)
        else:
            children[name] = [before, value]

    # The encoding is WeChat's, whatever the document declares.
    parser = ParserCreate("utf-8")
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.CharacterDataHandler = data
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    parser.Parse(document, True)
    root = children["xml"]
    return root if isinstance(root, dict) else {}


def _refuse(*_: Any) -> None:
    raise Unreadable("a DOCTYPE or processing instruction")


def _hide_illegal(document: bytes) -> tuple[bytes, dict[int, str]]:
    """Swap illegal characters for private-use ones that the document does not use; and the way back."""
    text = document.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    illegal = sorted(set(ILLEGAL.findall(text)))
    used = set(map(ord, text))
    for number in _REFERENCE.findall(text):
        used.add(int(number[1:], 16) if number[0] == "x" else int(number))
    free = islice((code for code in _PRIVATE_USE if code not in used), len(illegal))
    there = dict(zip(map(ord, illegal), map(chr, free), strict=True))
    return text.translate(there).encode(), {ord(mask): chr(code) for code, mask in there.items()}


def _show_illegal(value: Value, back: dict[int, str]) -> Value:
    if isinstance(value, str):
        return value.translate(back)
    if isinstance(value, dict):
        return {name: _show_illegal(inner, back) for name, inner in value.items()}
    return [_show_illegal(inner, back) for inner in value]

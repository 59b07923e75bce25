"""What the assistant was given to know: sources, cut into passages that can be found and quoted."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.services import bigrams
from models import Account, Passage, Source, SourceKind, term_index

CONTENT_BYTES = 600_000  # of one source: a request's body may hold 1 MB
SOURCES = 100
PASSAGES = 20_000  # of an account
PASSAGE_CHARACTERS = 700
CANDIDATES = 60  # that the index gives, to be ranked

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_PARAGRAPHS = re.compile(r"\n\s*\n")
_SENTENCES = re.compile(r"(?<=[。！？；!?;])|(?<=\.)\s+|\n")
_HEADER = (
    {"question", "questions", "q", "问题", "问", "提问"},
    {"answer", "answers", "a", "答案", "答", "回答", "回复"},
)


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that a question led to."""

    passage_id: int
    source: str
    title: str
    text: str
    score: float


def list_all(session: Session, account: Account) -> list[Source]:
    return list(session.scalars(select(Source).where(Source.account_id == account.id).order_by(Source.name)))


def get(session: Session, account: Account, source_id: int) -> Source:
    source = session.scalar(select(Source).where(Source.id == source_id, Source.account_id == account.id))
    if source is None:
        raise NotFound("There is no such source.")
    return source


def save(
    session: Session, account: Account, name: str, kind: SourceKind, content: str, source: Source | None = None
) -> Source:
    """Add a source, or give one another name and content.

    Raises:
        Refused: without a name, empty, too large, or a CSV that is none; ``field`` says which.
        Conflict: another source has this name.
    """
    name, content = name.strip(), content.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not 1 <= len(name) <= 64:
        raise Refused("Give the source a name of 1 to 64 characters.", field="name")
    if len(content.encode()) > CONTENT_BYTES:
        raise Refused("This is more than 600 kB of text; split it into several sources.", field="content")
    session.execute(select(Account.id).where(Account.id == account.id).with_for_update())  # the counts below hold
    taken = session.scalar(select(Source.id).where(Source.account_id == account.id, Source.name == name))
    if taken is not None and (source is None or taken != source.id):
        raise Conflict("There is a source “{name}” already.", field="name", name=name)
    parts = _parts(kind, content)
    own = source.passages if source else 0
    if _count(session, account.id) - own + len(parts) > PASSAGES:
        raise Refused("The knowledge of an account takes 20,000 passages; delete a source first.", field="content")
    if source is None:
        if len(list_all(session, account)) >= SOURCES:
            raise Refused("An account takes 100 sources; delete one first.", field="name")
        source = Source(account_id=account.id, name=name, kind=kind, content=content)
        session.add(source)
    source.name, source.kind, source.content = name, kind, content
    source.passages, source.updated_at = len(parts), clock.now()
    session.flush()
    _remove_passages(session, source)
    rows = [
        {"account_id": account.id, "source_id": source.id, "title": title[:200], "text": text}
        | {"terms": bigrams.document(f"{title} {text}")}
        for title, text in parts
    ]
    session.execute(insert(Passage), rows)
    return source


def remove(session: Session, source: Source) -> None:
    session.delete(source)  # its passages go with it
    session.flush()


def search(session: Session, account_id: int, question: str, limit: int = 4) -> list[Found]:
    """The passages that answer best; none when no word of the question stands in any."""
    wanted = bigrams.asked(question)
    if not wanted:
        return []
    dialect = session.get_bind().dialect.name
    matching, order = term_index.matching(Passage, dialect)
    matching = matching.where(Passage.account_id == account_id).order_by(order).limit(CANDIDATES)
    ids = session.scalars(matching, {"wanted": bigrams.query(wanted, dialect)}).all()
    rows = session.execute(
        select(Passage.id, Source.name, Passage.title, Passage.text, Passage.terms)
        .join(Source, Source.id == Passage.source_id)
        .where(Passage.id.in_(ids), Passage.account_id == account_id)
        .order_by(Passage.id)
    ).all()
    ranked = bigrams.rank(rows, wanted, lambda row: str(row.terms), _count(session, account_id))
    return [Found(row.id, row.name, row.title, row.text, round(score, 3)) for score, row in ranked[:limit] if score > 0]


def read_upload(data: bytes) -> str:
    """The text of a file: UTF-8, with or without its mark, or the GB18030 of Chinese spreadsheets.

    Raises:
        Refused: too large, or no text.
    """
    if len(data) > CONTENT_BYTES:
        raise Refused("This is more than 600 kB of text; split it into several sources.", field="file")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Refused("This file is no text. Give a .txt, .md or .csv file.", field="file")


def kind_of(filename: str) -> SourceKind:
    """By the ending of its name.

    Raises:
        Refused: none we read.
    """
    kinds = {"txt": SourceKind.TEXT, "md": SourceKind.MARKDOWN, "markdown": SourceKind.MARKDOWN, "csv": SourceKind.CSV}
    kind = kinds.get(filename.rpartition(".")[2].lower())
    if kind is None:
        raise Refused("This file is no text. Give a .txt, .md or .csv file.", field="file")
    return kind


def _count(session: Session, account_id: int) -> int:
    return int(session.scalar(select(func.sum(Source.passages)).where(Source.account_id == account_id)) or 0)


def _remove_passages(session: Session, source: Source) -> None:
    session.execute(
        Passage.__table__.delete().where(Passage.__table__.c.source_id == source.id)  # type: ignore[attr-defined]
    )


def _parts(kind: SourceKind, content: str) -> list[tuple[str, str]]:
    """Title and text of each passage.

    Raises:
        Refused: there is none.
    """
    cut = {SourceKind.TEXT: _of_text, SourceKind.MARKDOWN: _of_markdown, SourceKind.CSV: _of_csv}[kind]
    parts = [(title.strip(), text.strip()) for title, text in cut(content) if text.strip()]
    if not parts:
        raise Refused("There is nothing to know in this text.", field="content")
    return parts


def _of_text(content: str, title: str = "") -> Iterator[tuple[str, str]]:
    """Paragraphs, short ones joined, long ones cut between sentences."""
    kept = ""
    for paragraph in _PARAGRAPHS.split(content):
        for piece in [paragraph] if len(paragraph) <= PASSAGE_CHARACTERS else _cut(paragraph):
            if kept and len(kept) + len(piece) > PASSAGE_CHARACTERS:
                yield title, kept
                kept = ""
            kept = f"{kept}\n\n{piece}" if kept else piece
    if kept:
        yield title, kept


def _cut(paragraph: str) -> Iterator[str]:
    kept = ""
    for sentence in _SENTENCES.split(paragraph):
        while len(sentence) > PASSAGE_CHARACTERS:
            if kept:
                yield kept
                kept = ""
            yield sentence[:PASSAGE_CHARACTERS]
            sentence = sentence[PASSAGE_CHARACTERS:]
        if len(kept) + len(sentence) > PASSAGE_CHARACTERS:
            yield kept
            kept = ""
        kept += sentence
    if kept:
        yield kept


def _of_markdown(content: str) -> Iterator[tuple[str, str]]:
    """By headings; each passage is titled with those above it."""
    above: list[str] = []
    lines: list[str] = []
    is_code = False
    for line in content.split("\n"):
        is_code ^= bool(_FENCE.match(line))
        heading = None if is_code else _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield from _of_text("\n".join(lines).strip(), " › ".join(filter(None, above)))
        lines = []
        level = len(heading.group(1))
        above = [*above[: level - 1], *[""] * (level - 1 - len(above)), heading.group(2)]
    yield from _of_text("\n".join(lines).strip(), " › ".join(filter(None, above)))


def _of_csv(content: str) -> Iterator[tuple[str, str]]:
    """Question and answer in the first two columns; a first line that names them is left out."""
    first = content.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(content), delimiter=delimiter, strict=True) if any(row)]
    except csv.Error:
        raise Refused("This is no CSV: a quotation mark does not close.", field="content") from None
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if number == 1 and len(cells) > 1 and all(cells[at].lower() in _HEADER[at] for at in (0, 1)):
            continue
        if len(cells) < 2 or not cells[0] or not cells[1]:
            raise Refused(
                "Line {number}: give a question and, in the second column, its answer.", field="content", number=number
            )
        if len(cells[1]) > 4000:
            raise Refused("Line {number}: an answer takes at most 4,000 characters.", field="content", number=number)
        yield cells[0], cells[1]

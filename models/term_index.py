"""Full-text search over a table that keeps, in a column ``terms``, what its rows can be found by (services.bigrams).

SQLite: an FTS5 table beside it, which triggers keep in step, so that a cascade's deletions reach it too.
PostgreSQL: a GIN index over the same terms as a tsvector.

A large table is asked for its newest rows, not for its best: its index keeps which rows hold a term, and no more.
"""

from sqlalchemy import (
    DDL,
    ColumnElement,
    Float,
    Select,
    TextClause,
    bindparam,
    cast,
    column,
    event,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy import table as beside_table
from sqlalchemy.dialects.postgresql import TSQUERY

from models.base import Base

_SQLITE = (
    "CREATE VIRTUAL TABLE {table}_index USING fts5(terms, content='{table}', content_rowid='id', {options})",
    "CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN"
    " INSERT INTO {table}_index(rowid, terms) VALUES (new.id, new.terms); END",
    "CREATE TRIGGER {table}_removed AFTER DELETE ON {table} BEGIN"
    " INSERT INTO {table}_index({table}_index, rowid, terms) VALUES ('delete', old.id, old.terms); END",
    "CREATE TRIGGER {table}_changed AFTER UPDATE OF terms ON {table} BEGIN"
    " INSERT INTO {table}_index({table}_index, rowid, terms) VALUES ('delete', old.id, old.terms);"
    " INSERT INTO {table}_index(rowid, terms) VALUES (new.id, new.terms); END",
)
_POSTGRESQL = (
    "CREATE INDEX ix_{table}_terms ON {table} USING gin (array_to_tsvector(string_to_array(terms, ' '))) {options}",
)
# (dialect, is_large) → how the index is made.  The ascii tokenizer cuts at spaces, whatever letters Unicode will add;
# GIN's list of what is new would be read through once for each block.
_OPTIONS = {
    ("sqlite", False): "tokenize='unicode61 remove_diacritics 0'",
    ("sqlite", True): "tokenize='ascii', detail='none', columnsize=0",
    ("postgresql", False): "",
    ("postgresql", True): "WITH (fastupdate = off)",
}
BLOCK = 32_768  # ids; on PostgreSQL a large table's terms begin with the number of theirs (``mark``)


def statements(name: str, dialect: str, *, is_large: bool = False) -> list[str]:
    """What makes the index, for a migration."""
    options = _OPTIONS[dialect, is_large]
    lines = _SQLITE if dialect == "sqlite" else _POSTGRESQL
    return [line.format(table=name, options=options).rstrip() for line in lines]


def index(model: type[Base], *, is_large: bool = False) -> None:
    """Make the index together with the table."""
    for dialect in ("sqlite", "postgresql"):
        for line in statements(model.__tablename__, dialect, is_large=is_large):
            ddl = DDL(line).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]  # SQLAlchemy's own
            event.listen(model.__table__, "after_create", ddl)


def matching(model: type[Base], dialect: str) -> tuple[Select[int], ColumnElement[float]]:
    """The ids of the rows that the parameter ``wanted`` (bigrams.query) finds, and by what to order them, best first.

    Add the account, and whatever else counts, as a condition.
    """
    name = model.__tablename__
    if dialect == "sqlite":
        beside = beside_table(f"{name}_index", column("rowid"), column("rank", Float))
        found = select(model.id).join(beside, beside.c.rowid == model.id)
        return found.where(text(f"{name}_index MATCH :wanted")), beside.c.rank
    vector = f"array_to_tsvector(string_to_array({name}.terms, ' '))"
    order = -func.ts_rank(literal_column(vector), cast(bindparam("wanted"), TSQUERY))
    return select(model.id).where(text(f"{vector} @@ CAST(:wanted AS tsquery)")), order


def mark(row_id: int, dialect: str) -> str:
    """What each term of a large table's row begins with."""
    return "" if dialect == "sqlite" else f"{row_id // BLOCK}x"


ANY_MARK = {"sqlite": "", "postgresql": "#"}  # the same in ``wanted`` of ``newest``


_NEWEST = {
    "sqlite": "SELECT rowid AS id FROM {table}_index WHERE {table}_index MATCH :wanted AND rowid < :before"
    " ORDER BY rowid DESC LIMIT :limit",
    # "id + 0" keeps the planner from walking through the table by its key instead.
    "postgresql": "SELECT found.id FROM generate_series((CAST(:before AS bigint) - 1) / {block}, 0, -1) AS block"
    " CROSS JOIN LATERAL (SELECT id FROM {table} WHERE array_to_tsvector(string_to_array(terms, ' '))"
    " @@ CAST(replace(:wanted, '#', block || 'x') AS tsquery)"
    " AND id + 0 < :before ORDER BY id + 0 DESC LIMIT :limit) AS found LIMIT :limit",
}


def newest(model: type[Base], dialect: str) -> TextClause:
    """The ids below ``before`` that ``wanted`` finds in a large table, newest first, at most ``limit``.

    Neither database reads much more than it gives: FTS5 walks from the highest id, which GIN cannot; PostgreSQL asks it
    block by block, and stops.
    """
    return text(_NEWEST[dialect].format(table=model.__tablename__, block=BLOCK))


def is_none(name: str | None, kind: str, _parents: object) -> bool:
    """Not one of these: Alembic, which sees no model for them, would take them for left over."""
    name = name or ""
    return not ((kind == "table" and "_index" in name) or (kind == "index" and name.endswith("_terms")))

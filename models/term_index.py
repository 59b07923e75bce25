"""Full-text search over a table that keeps, in a column ``terms``, what its rows can be found by (services.bigrams).

SQLite: an FTS5 table beside it, which triggers keep in step, so that a cascade's deletions reach it too.
PostgreSQL: a GIN index over the same terms as a tsvector.
"""

from sqlalchemy import (
    DDL,
    ColumnElement,
    Float,
    Select,
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
    "CREATE VIRTUAL TABLE {table}_index USING fts5(terms, content='{table}', content_rowid='id',"
    " tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN"
    " INSERT INTO {table}_index(rowid, terms) VALUES (new.id, new.terms); END",
    "CREATE TRIGGER {table}_removed AFTER DELETE ON {table} BEGIN"
    " INSERT INTO {table}_index({table}_index, rowid, terms) VALUES ('delete', old.id, old.terms); END",
    "CREATE TRIGGER {table}_changed AFTER UPDATE OF terms ON {table} BEGIN"
    " INSERT INTO {table}_index({table}_index, rowid, terms) VALUES ('delete', old.id, old.terms);"
    " INSERT INTO {table}_index(rowid, terms) VALUES (new.id, new.terms); END",
)
_POSTGRESQL = ("CREATE INDEX ix_{table}_terms ON {table} USING gin (array_to_tsvector(string_to_array(terms, ' ')))",)


def statements(name: str, dialect: str) -> list[str]:
    """What makes the index, for a migration."""
    return [line.format(table=name) for line in (_SQLITE if dialect == "sqlite" else _POSTGRESQL)]


def index(model: type[Base]) -> None:
    """Make the index together with the table."""
    for dialect in ("sqlite", "postgresql"):
        for line in statements(model.__tablename__, dialect):
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


def is_none(name: str | None, kind: str, _parents: object) -> bool:
    """Not one of these: Alembic, which sees no model for them, would take them for left over."""
    name = name or ""
    return not ((kind == "table" and "_index" in name) or (kind == "index" and name.endswith("_terms")))

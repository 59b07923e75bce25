"""Statements for the webhook: written with SQLAlchemy, compiled once, run by the driver.

SQLAlchemy's own work for one execution costs more than SQLite's, and a message needs four (docs/decisions.md, 3).
Types still pass through their processors, so the rows are the ORM's rows.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.sql.compiler import SQLCompiler


class Prepared:
    """One statement; ``build`` gets the dialect's name and returns it with bindparam() for every value."""

    def __init__(self, build: Callable[[str], Executable]) -> None:
        self._compiled = cache(lambda dialect: _compile(build, dialect))

    def first(self, connection: Connection, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Run it; the first row it returns."""
        sql, binds, constants, results = self._compiled(connection.dialect)
        if constants:
            values = constants | values
        cursor = connection.connection.cursor()
        try:
            cursor.execute(sql, [values[name] if make is None else make(values[name]) for name, make in binds])
            row = cursor.fetchone() if results else None
        finally:
            cursor.close()
        if row is None:
            return None
        return tuple(value if read is None else read(value) for value, read in zip(row, results, strict=True))


def _compile(build: Callable[[str], Executable], dialect: Dialect) -> "_Compiled":
    compiled = build(dialect.name).compile(dialect=dialect)  # type: ignore[attr-defined]  # every statement has it
    assert isinstance(compiled, SQLCompiler)
    sql, names = compiled.string, compiled.positiontup
    if names is None:  # psycopg names its parameters: note their order, as the text is filled in
        order = _Order()
        sql, names = sql % order, order.names
    types = [compiled.binds[name].type.dialect_impl(dialect) for name in names]
    columns = [column.type.dialect_impl(dialect) for column in compiled._result_columns]
    return _Compiled(
        sql,
        [(name, kind.bind_processor(dialect)) for name, kind in zip(names, types, strict=True)],
        {name: compiled.binds[name].value for name in names if not compiled.binds[name].required},
        [kind.result_processor(dialect, None) for kind in columns],
    )


class _Compiled(NamedTuple):
    sql: str
    binds: list[tuple[str, Any]]  # name, and what makes it the driver's
    constants: dict[str, Any]
    results: list[Any]  # what makes each column Python's


class _Order(dict[str, str]):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.names.append(name)
        return "%s"

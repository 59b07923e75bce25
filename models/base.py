"""What every table shares."""

import enum
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CursorResult, DateTime, Dialect, Enum, Integer, MetaData, Result
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from bot import clock


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python on every database; SQLite itself keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    return clock.now()


def affected(result: Result[Any]) -> int:
    """How many rows an UPDATE or DELETE touched: 0 where a condition says that somebody else was first."""
    assert isinstance(result, CursorResult)
    return result.rowcount


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own spelling
        int: BigInteger().with_variant(Integer, "sqlite"),  # SQLite numbers rows in INTEGER only
        datetime: UtcDateTime,
        enum.Enum: Enum(enum.Enum, native_enum=False, length=16, values_callable=lambda e: [item.value for item in e]),
        dict[str, Any]: JSON(none_as_null=True),
        list[dict[str, Any]]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
    }

    id: Mapped[int] = mapped_column(primary_key=True)

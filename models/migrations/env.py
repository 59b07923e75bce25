"""Alembic's way in: the same models and the same database as the application."""

from alembic import context
from sqlalchemy import create_engine, event

from bot.fault_points import fault_point
from bot.settings import settings
from models import Base, term_index

# PostgreSQL: one migrating process at a time, the others wait and then find nothing to do.
MIGRATION_LOCK = 7_201_126


def run() -> None:
    url = context.config.attributes.get("url") or settings().database_url
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":  # its driver would commit before each change of a table: all or nothing
        event.listen(engine, "connect", lambda connection, _entry: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            include_name=term_index.is_none,
            user_module_prefix="models.",
            on_version_apply=lambda **_step: fault_point("K22 in migration"),
        )
        with context.begin_transaction():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            context.run_migrations()
    engine.dispose()


run()

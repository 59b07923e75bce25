"""What a session is for, and what a connection keeps between two of them."""

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from bot.database import reading, snapshot
from models import Tag


@pytest.mark.databases
@pytest.mark.parametrize("looking", [reading, snapshot])
def test_who_only_looks_cannot_write(looking, create):
    values = {"account_id": create.account().id, "name": "vip"}
    create.session.commit()

    with looking() as session, pytest.raises(DBAPIError, match=r"read-?only"):
        session.execute(insert(Tag).values(**values))


@pytest.mark.parametrize("database_kind", ["postgresql"])
@pytest.mark.parametrize("looking", [reading, snapshot])
def test_plans_are_kept_from_one_request_to_the_next(database_kind, looking, database_url):
    """psycopg prepares at the sixth time; it would forget all of it at a rollback."""
    for _ in range(20):
        with looking() as session:
            session.scalars(select(Tag.name)).all()

    with looking() as session:
        assert session.scalar(text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%tags%'")) == 1

"""Segments as rows: what is refused and where, what a deleted thing does, and T23."""

import json
import random
import re
from typing import Any

import pytest

from bot.errors import Refused
from bot.services import segment_uses, segments, tags
from bot.services.segment_conditions import FIELDS, OF, OPERATORS
from models import Base, SegmentUse

WORDS = [
    *FIELDS,
    *OPERATORS,
    "openid",
    "id; DROP TABLE followers",
    "1=1 --",
    "nickname) OR (1",
    "account_id",
    "__class__",
]
VALUES = [True, 5, -1, 10**30, 1.5, "x", "' OR pg_sleep(9) --", "2026-11-23", None, [1, 2], ["a"], [], "\0", {"a": 1}]


@pytest.mark.databases
def test_t23_nothing_but_listed_names_reaches_the_statement(session, create) -> None:
    account, chance, kept = create.account(), random.Random(23), 0
    fields: set[str] = set()
    create.rule(account, "price", "99")
    tags.add(session, account, "one")
    columns = {str(column) for table in Base.metadata.tables.values() for column in table.columns}
    for _each in range(10_000):
        node: dict[str, Any] = {
            "field": chance.choice(WORDS), "op": chance.choice(WORDS), "value": chance.choice(VALUES),
            "of": chance.choice([None, "KEY' OR 1", 1, 99]),
        }  # fmt: skip
        if chance.random() < 0.5:
            node["field"] = chance.choice(list(FIELDS))
            node["op"] = chance.choice([*FIELDS[node["field"]], "is"])
            node["of"] = node["of"] if node["field"] in OF else None
        try:
            query = segments.query_for(session, account, node)
        except Refused as refused:
            fields.add(refused.field.partition(".")[0])
            continue
        kept += 1
        statement = str(query.compile(session.get_bind()))
        for table, column in re.findall(r"\b([a-z_]+)\.\"?([a-z_]+)", statement):
            assert f"{table}.{column}" in columns or table.startswith("set_"), statement
        literals = set(re.findall(r"'([^']*)'", statement))
        assert literals <= {"", "%", "%%", "/", "C"}, statement  # ours; the rest is bound
        assert not re.search(r"pg_sleep|KEY|DROP|2026", statement), statement
    assert kept > 300
    assert fields == {"conditions"}


def test_a_deleted_tag_lets_nobody_in_also_when_its_number_is_given_again(session, create) -> None:
    account = create.account()
    tag = tags.add(session, account, "regulars")
    has = {"field": "tag", "op": "has", "value": tag.id}
    kept = segments.save(session, account, "Regulars", has)
    others = segments.save(session, account, "Others", {"not": has})
    follower = create.follower(account)
    assert [each.name for each in segment_uses.using(session, "tag", tag.id)] == ["Others", "Regulars"]
    session.delete(tag)
    session.commit()
    follower.tags.append(tags.add(session, account, "new"))
    session.commit()
    session.expire_all()
    assert session.query(SegmentUse).filter(SegmentUse.tag_id.is_not(None)).count() == 0
    for segment in (kept, others):
        assert segments.things_of(session, account, [segment])[segment.id].names == {("tag", has["value"]): "regulars"}
        assert segments.members(session, account, segment) == []


@pytest.mark.parametrize(
    ("node", "field"),
    [
        ({"field": "wrote", "op": "last_days", "value": "x"}, "value"),
        ({"field": "wrote", "op": "has", "value": 1}, "op"),
        ({"field": "tag", "op": "has", "value": 99}, "value"),
        ({"field": "tapped", "op": "last_days", "value": 1}, "of"),
    ],
)
def test_a_refusal_names_the_condition(session, create, node, field) -> None:
    with pytest.raises(Refused) as refused:
        segments.save(session, create.account(), "x", json.loads(json.dumps({"all": [{"not": node}]})))
    assert refused.value.field == f"conditions.all.0.not.{field}"

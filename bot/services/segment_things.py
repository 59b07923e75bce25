"""The tags, fields, stages, owners and rules that conditions name: what they are called, and which are gone."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.errors import Refused
from bot.services import access
from bot.services.segment_conditions import (
    BY_KIND,
    CHOICES,
    FIELD,
    FIELDS,
    OF,
    OWNER,
    RULE,
    STAGE,
    TAG,
    THINGS,
    Node,
    check_condition,
    check_size,
    is_id,
    walk,
)
from models import Account, Base, Field, Rule, Segment, SegmentUse, Stage, Tag

Reference = tuple[str, int]  # kind and number
_TABLES: dict[str, type[Base]] = {TAG: Tag, FIELD: Field, STAGE: Stage, RULE: Rule}


@dataclass
class Things:
    """What the conditions of one tree name, of one account."""

    names: dict[Reference, str] = field(default_factory=dict)  # also of what is gone, as it was called
    gone: set[Reference] = field(default_factory=set)
    fields: dict[int, Field] = field(default_factory=dict)
    made: dict[int, datetime] = field(default_factory=dict)  # rule → since when there is one by this number

    def operators(self, node: Node) -> dict[str, str]:
        """What this condition may compare with; nothing for a field that is gone."""
        if node["field"] != "field":
            return FIELDS[node["field"]]
        found = self.fields.get(node.get("of", 0))
        return BY_KIND[found.kind] if found else {}


def references(node: Node) -> list[tuple[str, Reference]]:
    """What one condition names, with the part of the condition that does: "of" or "value"."""
    found = []
    if (kind := OF.get(node["field"])) in THINGS and is_id(node.get("of")):
        found.append(("of", (str(kind), node["of"])))
    kind = FIELDS.get(node["field"], {}).get(node.get("op", ""))
    if kind in THINGS and is_id(node.get("value")):
        found.append(("value", (kind, node["value"])))
    return found


def look_up(session: Session, account: Account, tree: Node, segment: Segment | None = None) -> Things:
    """Find all that a tree names; a segment's tree also tells what was deleted since it was saved."""
    things = Things()
    wanted = {reference for _path, node in walk(tree) for _part, reference in references(node)}
    if segment is not None:
        for use in session.scalars(select(SegmentUse).where(SegmentUse.segment_id == segment.id)):
            reference = (use.kind, use.number)
            if getattr(use, f"{use.kind}_id") is None and reference in wanted:
                things.gone.add(reference)
                things.names[reference] = use.name
    wanted -= things.gone
    for kind, table in _TABLES.items():
        numbers = [number for each, number in wanted if each == kind]
        found: Any = table
        for row in session.scalars(select(found).where(found.id.in_(numbers), found.account_id == account.id)):
            things.names[kind, row.id] = row.title if isinstance(row, Rule) else row.name
            if isinstance(row, Field):
                things.fields[row.id] = row
            if isinstance(row, Rule):
                things.made[row.id] = row.created_at
    if any(kind == OWNER for kind, _number in wanted):
        members = access.list_members(session, account)
        things.names |= {(OWNER, each.operator_id): each.operator.name for each in members}
    things.gone |= {reference for reference in wanted if reference not in things.names}
    return things


def check(session: Session, account: Account, tree: Node) -> Things:
    """What a new tree names, of this account.

    Raises:
        Refused: at the condition that cannot be kept, with one sentence.
    """
    check_size(tree)
    things = look_up(session, account, tree)
    for path, node in walk(tree):
        check_one(path, node, things)
    return things


def check_one(path: str, node: Node, things: Things) -> None:
    if node["field"] not in FIELDS:
        raise Refused("Choose what the condition is about.", field=f"{path}.field")
    if OF.get(node["field"]) in THINGS and not any(part == "of" for part, _reference in references(node)):
        raise Refused("Choose one from the list.", field=f"{path}.of")
    for part, reference in references(node):
        if reference in things.gone:
            raise Refused("This was deleted; choose another, or remove the condition.", field=f"{path}.{part}")
    operators = things.operators(node)
    check_condition(path, node, operators)
    if operators[node["op"]] == CHOICES and not set(node["value"]) <= set(things.fields[node["of"]].choices):
        raise Refused("Choose from the field's own list.", field=f"{path}.value")

"""The tags, fields, stages, owners and rules that conditions name: what they are called, and which are gone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
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


def look_up(session: Session, account: Account, tree: Node) -> Things:
    """All that a tree names which is not saved."""
    return _told(tree, _known(session, account, _named(tree)), {})


def look_up_all(session: Session, account: Account, segments: Sequence[Segment]) -> dict[int, Things]:
    """Segment → all that its tree names, and what of that was deleted since it was saved."""
    uses: dict[int, dict[Reference, SegmentUse]] = {segment.id: {} for segment in segments}
    for use in session.scalars(select(SegmentUse).where(SegmentUse.segment_id.in_(uses))):
        uses[use.segment_id][use.kind, use.number] = use
    wanted = {reference for segment in segments for reference in _named(segment.conditions)}
    known = _known(session, account, wanted)
    return {segment.id: _told(segment.conditions, known, uses[segment.id]) for segment in segments}


def _named(tree: Node) -> set[Reference]:
    return {reference for _path, node in walk(tree) for _part, reference in references(node)}


def _told(tree: Node, known: Things, uses: dict[Reference, SegmentUse]) -> Things:
    """What one tree names.  A number may have gone to another thing since: the use then points to nothing."""
    wanted = _named(tree)
    lost = {reference for reference, use in uses.items() if getattr(use, f"{use.kind}_id") is None}
    gone = {reference for reference in wanted if reference in lost or reference not in known.names}
    names = {reference: known.names[reference] for reference in wanted - gone}
    names |= {reference: uses[reference].name for reference in gone & uses.keys()}
    return Things(names, gone, known.fields)


def _known(session: Session, account: Account, wanted: set[Reference]) -> Things:
    """What there is of these now."""
    things = Things()
    for kind, table in _TABLES.items():
        numbers = [number for each, number in wanted if each == kind]
        if not numbers:
            continue
        found: Any = table
        for row in session.scalars(select(found).where(found.id.in_(numbers), found.account_id == account.id)):
            things.names[kind, row.id] = row.title if isinstance(row, Rule) else row.name
            if isinstance(row, Field):
                things.fields[row.id] = row
    if any(kind == OWNER for kind, _number in wanted):
        members = access.list_members(session, account)
        things.names |= {(OWNER, each.operator_id): each.operator.name for each in members}
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

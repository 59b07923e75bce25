"""Conditions as one SELECT: names from the lists of the code only, every value bound.

A set of followers (those with a tag, those who tapped) is found once, wherever it stands between and, or and not: by
IN (…) on SQLite, by a join on PostgreSQL, where IN under NOT or OR may run once for each follower.
Each condition is true or false, never NULL, or its negation would lose those of whom nothing is known.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, extract, false, func, literal_column, not_, or_, select, true

from bot.services.folding import fold
from bot.services.segment_conditions import Node
from bot.services.segment_things import Things, references
from models import Account, Conversation, Field, FieldKind, FieldValue, Follower, FollowerTag, InboundMessage, NameTerm

Is = ColumnElement[bool]
TERM = 24  # characters of NameTerm.term
TAPS = ("click", "view", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin",
        "location_select")  # fmt: skip
SCANS = ("scan", "subscribe")  # a follower's, and the one that brought them
_INSTANTS = {
    "followed": Follower.subscribed_at,
    "unfollowed": Follower.unsubscribed_at,
    "wrote": Follower.wrote_at,
    "seen": Follower.seen_at,
}


def compile_tree(account: Account, tree: Node, things: Things, now: datetime, dialect: str) -> Select[int]:
    """The ids of the account's followers for whom the tree holds, in no order."""
    compiling = _Compiling(account, things, now, dialect)
    holds = compiling.node(tree)
    query = select(Follower.id)
    for found in compiling.joined:
        query = query.outerjoin(found, found.c.follower_id == Follower.id)
    # SQLite would walk the index on account and openid, and look up each row: 2.5 s for a million.  The plus makes it
    # read the table as it lies, or begin with a set that is asked for.
    whose = literal_column("+followers.account_id") if dialect == "sqlite" else Follower.account_id
    return query.where(whose == account.id, holds)


class _Compiling:
    def __init__(self, account: Account, things: Things, now: datetime, dialect: str) -> None:
        self.account, self.things, self.now, self.dialect = account, things, now, dialect
        self.zone = ZoneInfo(account.timezone)
        self.today = now.astimezone(self.zone).date()
        self.joined: list[Any] = []
        self.is_negated = False

    def node(self, node: Node) -> Is:
        if "all" in node:
            return and_(true(), *map(self.node, node["all"]))
        if "any" in node:
            return or_(false(), *map(self.node, node["any"]))
        if "not" in node:
            self.is_negated = not self.is_negated
            inner = self.node(node["not"])
            self.is_negated = not self.is_negated
            return not_(inner)
        if any(reference in self.things.gone for _part, reference in references(node)):
            return true() if self.is_negated else false()  # what was deleted lets nobody in, by no way round
        return self.condition(node["field"], node["op"], node.get("of"), node.get("value"))

    def condition(self, name: str, op: str, of: Any, value: Any) -> Is:
        if op.startswith("not_") or op in ("is_not", "has_not", "none_of"):
            positive = {"is_not": "is", "has_not": "has", "none_of": "one_of"}.get(op, op.removeprefix("not_"))
            return not_(self.condition(name, positive, of, value))
        if name in _INSTANTS:
            return self.instant(_INSTANTS[name], op, value)
        if name in ("tapped", "scanned"):
            return self.happened(TAPS if name == "tapped" else SCANS, of, value)
        if name == "field":
            return self.field(self.things.fields[of], op, value)
        found: Is = getattr(self, name)(op, of, value)
        return found

    # Facts of the follower's own row ----------------------------------------------------------------------------------

    def follows(self, op: str, of: Any, value: bool) -> Is:
        return Follower.is_subscribed == value

    def blocked(self, op: str, of: Any, value: bool) -> Is:
        return Follower.blocked_at.is_not(None) if value else Follower.blocked_at.is_(None)

    def opted_out(self, op: str, of: Any, value: bool) -> Is:
        return Follower.opted_out_at.is_not(None) if value else Follower.opted_out_at.is_(None)

    def language(self, op: str, of: Any, value: str) -> Is:
        return Follower.language == value

    def source(self, op: str, of: Any, value: str) -> Is:
        return Follower.source == value if op == "is" else self._lowered(Follower.source, value, op)

    def stage(self, op: str, of: Any, value: int | None) -> Is:
        return _known(Follower.stage_id, lambda column: column == value) if op == "is" else Follower.stage_id.is_(None)

    def owner(self, op: str, of: Any, value: int | None) -> Is:
        return _known(Follower.owner_id, lambda column: column == value) if op == "is" else Follower.owner_id.is_(None)

    def instant(self, column: Any, op: str, value: Any) -> Is:
        if op == "empty":
            return column.is_(None)  # type: ignore[no-any-return]
        if op == "last_days":
            return _known(column, lambda at: at >= self.since(value))
        day = date.fromisoformat(value)
        begins, ends = self.start(day), self.start(day + timedelta(days=1))
        within = {"on": lambda at: and_(at >= begins, at < ends), "before": lambda at: at < begins}
        return _known(column, within.get(op, lambda at: at >= ends))

    # Sets of followers ------------------------------------------------------------------------------------------------

    def among(self, query: Select[Any]) -> Is:
        """Whether the follower is one of those that ``query`` (of follower_id) finds."""
        if self.dialect == "sqlite":
            return Follower.id.in_(query)  # a set already: DISTINCT would sort it twice
        found = query.distinct().subquery(f"set_{len(self.joined)}")
        self.joined.append(found)
        return found.c.follower_id.is_not(None)

    def name(self, op: str, of: Any, value: str) -> Is:
        wanted = fold(value)[:TERM]
        if self.dialect == "sqlite":  # its LIKE looks at every term
            begins = and_(NameTerm.term >= wanted, NameTerm.term < wanted + chr(0x10FFFF))
        else:
            begins = NameTerm.term.startswith(wanted, autoescape=True)
        return self.among(select(NameTerm.follower_id).where(NameTerm.account_id == self.account.id, begins))

    def tag(self, op: str, of: Any, value: int) -> Is:
        return self.among(select(FollowerTag.follower_id).where(FollowerTag.tag_id == value))

    def conversation(self, op: str, of: Any, value: Any) -> Is:
        which = Conversation.closed_at.is_(None) if op == "open" else Conversation.opened_at >= self.since(value)
        query = select(Conversation.follower_id).where(Conversation.account_id == self.account.id, which)
        return self.among(query)

    def happened(self, events: Sequence[str], key: str, days: int) -> Is:
        return self._messages(
            days,
            InboundMessage.event
            != literal_column("''"),  # spelled as the index is, or SQLite does not see that it fits
            InboundMessage.event.in_(events),
            InboundMessage.key == key,
        )

    def answered(self, op: str, of: int, value: int) -> Is:
        return self._messages(value, InboundMessage.rule_id == of)

    def _messages(self, days: int, *conditions: Is) -> Is:
        query = select(InboundMessage.follower_id).where(
            InboundMessage.account_id == self.account.id,
            InboundMessage.received_at >= self.since(days),
            InboundMessage.follower_id.is_not(None),  # one NULL, and NOT IN finds nobody
            *conditions,
        )
        return self.among(query)

    # Fields -----------------------------------------------------------------------------------------------------------

    def field(self, field: Field, op: str, value: Any) -> Is:
        query = select(FieldValue.follower_id).where(FieldValue.field_id == field.id)
        if op == "empty":
            columns = (FieldValue.text, FieldValue.number, FieldValue.day)
            return not_(self.among(query.where(or_(*(column.is_not(None) for column in columns)))))
        by_kind = {FieldKind.TEXT: self._text, FieldKind.CHOICE: self._text, FieldKind.DATE: self._day}
        return self.among(query.where(by_kind.get(field.kind, self._number)(op, value)))

    def _text(self, op: str, value: Any) -> Is:
        return FieldValue.text.in_(value) if op == "one_of" else self._lowered(FieldValue.text, value, op)

    def _lowered(self, column: Any, value: str, op: str) -> Is:
        """Capitals make no difference, of A to Z only: that much both databases agree on."""
        lowered = func.lower(column if self.dialect == "sqlite" else column.collate("C"))
        wanted = value.strip().translate(_SMALL)
        if op == "is":
            return lowered == wanted
        compare = lowered.contains if op == "contains" else lowered.startswith
        return compare(wanted, autoescape=True)

    def _number(self, op: str, value: Any) -> Is:
        if op == "between":
            return FieldValue.number.between(float(value[0]), float(value[1]))
        wanted = float(value)
        return {"less": FieldValue.number < wanted, "more": FieldValue.number > wanted}.get(
            op, FieldValue.number == wanted
        )

    def _day(self, op: str, value: Any) -> Is:
        if op == "last_days":
            return FieldValue.day.between(self.today - timedelta(days=value), self.today)
        if op == "next_days":
            return FieldValue.day.between(self.today, self.today + timedelta(days=value))
        if op == "birthday":
            return self._anniversary(value)
        day = date.fromisoformat(value)
        return {"before": FieldValue.day < day, "after": FieldValue.day > day}.get(op, FieldValue.day == day)

    def _anniversary(self, days: int) -> Is:
        """Day and month come round from today to so many days on; 29 February is kept on the 28th if there is none."""
        if days >= 366:
            return FieldValue.day.is_not(None)
        coming = [self.today + timedelta(days=at) for at in range(days + 1)]
        wanted = {each.month * 100 + each.day for each in coming}
        if any((each.month, each.day) == (2, 28) and (each + timedelta(days=1)).month == 3 for each in coming):
            wanted.add(229)
        if self.dialect == "sqlite":  # kept as text; its own functions of time cost four times as much
            return func.substr(FieldValue.day, 6, 5).in_(
                [f"{each // 100:02}-{each % 100:02}" for each in sorted(wanted)]
            )
        return (extract("month", FieldValue.day) * 100 + extract("day", FieldValue.day)).in_(sorted(wanted))

    # Days of the account's zone ---------------------------------------------------------------------------------------

    def since(self, days: int) -> datetime:
        """When the day began that is so many days before today."""
        return self.start(self.today - timedelta(days=days))

    def start(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)


_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _known(column: Any, compare: Any) -> Is:
    """False, not unknown, where the column holds nothing."""
    return and_(column.is_not(None), compare(column))

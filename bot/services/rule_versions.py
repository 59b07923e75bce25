"""Published versions of the rules: what differs, publishing, and the way back.

The rows of ``rules`` are the draft.  A version is a copy of all of them that is never changed; the account says which
one is live.  Both are compared and published as data (matching.Item).
"""

import json
from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, bindparam, cast, delete, func, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from bot import clock
from bot.errors import NotFound, Refused
from bot.services.matching import COLUMNS, FIELDS, Item, plain
from bot.services.rule_difference import Difference, compare, merge
from models import Account, Operator, ReplyMode, Rule, RuleVersion, Tag, Trigger

UNNAMED_KEPT = 100  # of the versions that one change published by itself; named ones stay for ever
NAME_LENGTH = 64
JSON = ("keywords", "replies")  # among a rule's columns


# Reading -------------------------------------------------------------------------------------------------------------


def draft_of(session: Session, account: Account) -> list[Item]:
    session.flush()
    columns = (cast(getattr(Rule, name), Text) if name in JSON else getattr(Rule, name) for name in COLUMNS)
    chosen = select(*columns).where(Rule.account_id == account.id).order_by(Rule.position, Rule.id)
    rows = session.connection().execute(chosen).all()
    items = [plain(dict(zip(COLUMNS, row, strict=True))) for row in rows]
    for name in JSON:  # all in one: ten thousand small ones take four times as long
        for item, value in zip(items, json.loads(f"[{','.join(item[name] for item in items)}]"), strict=True):
            item[name] = value
    return items


def live_number(session: Session, account: Account) -> int:
    """The live version's, as the database has it; 0: none was published yet."""
    return session.scalars(select(Account.rules_version).where(Account.id == account.id)).one()


def content_of(session: Session, account: Account, number: int) -> list[Item]:
    """The rules of one version; 0: none was published yet.

    Raises:
        NotFound: there is no such version.
    """
    if number == 0:
        return []
    found: list[Item] | None = session.scalar(
        select(RuleVersion.content).where(RuleVersion.account_id == account.id, RuleVersion.number == number)
    )
    if found is None:
        raise NotFound("There is no such version.")
    return found


def get(session: Session, account: Account, number: int) -> RuleVersion:
    found = session.scalar(
        select(RuleVersion).where(RuleVersion.account_id == account.id, RuleVersion.number == number)
    )
    if found is None:
        raise NotFound("There is no such version.")
    return found


def page(session: Session, account: Account, before: int | None = None, limit: int = 50) -> list[RuleVersion]:
    """The newest first."""
    query = select(RuleVersion).where(RuleVersion.account_id == account.id)
    if before is not None:
        query = query.where(RuleVersion.number < before)
    return list(session.scalars(query.order_by(RuleVersion.number.desc()).limit(limit)))


DraftKey = tuple[Any, ...]


def draft_key(session: Session, account: Account) -> DraftKey:
    """Another value after every change of the draft or of what is live."""
    return (
        account.id,
        *session.execute(
            select(
                select(Account.rules_version).where(Account.id == account.id).scalar_subquery(),
                func.count(Rule.id),
                func.count(Rule.tag_id),  # the end of a tag takes it away from its rules
                func.max(Rule.updated_at),
                func.sum(Rule.revision),
                func.sum(Rule.position * Rule.id),
                func.sum(Rule.position * Rule.position * 618_033 % 1_000_003 * Rule.id),  # one move may keep that sum
            ).where(Rule.account_id == account.id)
        ).one(),
    )


_waiting: dict[int, tuple[DraftKey, Difference]] = {}  # account → the last answer, and the draft it is of


def waiting(session: Session, account: Account, key: DraftKey | None = None) -> Difference:
    """What of the draft is not live yet; worked out once for each state of the draft.

    For sessions that only read: what another transaction may still take back must not be remembered.  ``key``: the
    draft's, where the caller has it already.
    """
    key = key or draft_key(session, account)
    known = _waiting.get(account.id)
    if known is None or known[0] != key:
        live = content_of(session, account, key[1])
        _waiting[account.id] = known = (key, compare(live, draft_of(session, account)))
    return known[1]


def unpublished(session: Session, account: Account) -> set[int]:
    """The rules that the draft has otherwise than the live version, or alone."""
    difference = compare(content_of(session, account, account.rules_version), draft_of(session, account))
    return {one.after["id"] for one in difference.changed} | {one.item["id"] for one in difference.added}


def forget() -> None:
    _waiting.clear()


# Publishing ----------------------------------------------------------------------------------------------------------


def lock(session: Session, account: Account) -> int:
    """Let one change of an account's rules come after the other; the live version's number."""
    session.flush()
    return int(
        session.scalars(
            select(Account.rules_version).where(Account.id == account.id).with_for_update(key_share=True)
        ).one()
    )


def publish(
    session: Session, account: Account, operator: Operator | None, name: str = "", only: Collection[int] | None = None
) -> RuleVersion | None:
    """Make the draft live, or what it changes in some rules; every process answers by it from the next message on.

    Returns None where ``only`` changed nothing.

    Raises:
        Refused: a whole draft without a name, or one that changes nothing.
    """
    name = name.strip()
    live = content_of(session, account, lock(session, account))
    draft = draft_of(session, account)
    if only is None and not name:
        raise Refused("Give this version a name, so that you find it again.", field="name")
    if len(name) > NAME_LENGTH:
        raise Refused("A name has {max} characters at most.", field="name", max=NAME_LENGTH)
    fresh = draft if only is None else merge(live, draft, only)
    difference = compare(live, fresh, only or ())
    if not difference.size:
        if only is not None:
            return None
        raise Refused("Nothing has changed since the last version.")
    return _add(session, account, operator, name, fresh, difference)


def roll_back(session: Session, account: Account, operator: Operator | None, number: int) -> RuleVersion | None:
    """Publish an earlier version's rules again, and make them the draft; returns None where only the draft changed.

    A rule for a tag that is gone comes back switched off: without the tag it would answer everybody.

    Raises:
        NotFound: there is no such version.
        Refused: it is what is live and what the draft says.
    """
    at = lock(session, account)
    wanted = get(session, account, number)
    tags = set(session.scalars(select(Tag.id).where(Tag.account_id == account.id)))
    content = [
        item if item["tag_id"] is None or item["tag_id"] in tags else {**item, "tag_id": None, "is_enabled": False}
        for item in wanted.content
    ]
    live, draft = content_of(session, account, at), draft_of(session, account)
    difference = compare(live, content)
    has_changed = _make_draft(session, account, content, difference if draft == live else compare(draft, content))
    if difference.size:
        return _add(session, account, operator, wanted.name, content, difference, restored=number)
    if not has_changed:
        raise Refused("These are the rules that are live already.")
    return None


def _add(
    session: Session,
    account: Account,
    operator: Operator | None,
    name: str,
    content: list[Item],
    difference: Difference,
    **more: Any,
) -> RuleVersion:
    touched = [*(one.after for one in difference.changed), *(one.item for one in difference.added)]
    touched += [*difference.removed, *(one.item for one in difference.moved)]
    number = session.scalars(
        update(Account)
        .where(Account.id == account.id)
        .values(rules_version=Account.rules_version + 1)
        .returning(Account.rules_version)
        .execution_options(synchronize_session=False)
    ).one()
    version = RuleVersion(
        account_id=account.id,
        number=number,
        name=name,
        content=content,
        operator_id=operator.id if operator else None,
        summary={
            "rules": len(content),
            "added": len(difference.added),
            "removed": len(difference.removed),
            "changed": len(difference.changed),
            "moved": len(difference.moved),
            "title": touched[0]["title"],
            **more,
        },
    )
    session.add(version)
    session.execute(
        delete(RuleVersion)
        .where(
            RuleVersion.account_id == account.id,
            RuleVersion.name == "",
            RuleVersion.number <= number - UNNAMED_KEPT,
        )
        .execution_options(synchronize_session=False)
    )
    session.flush()
    set_committed_value(account, "rules_version", number)  # known: no reason to read it again
    return version


def _make_draft(session: Session, account: Account, content: list[Item], difference: Difference) -> bool:
    """Write into the table where the draft differs from these rules, and only that; whether it does."""
    now = clock.now()
    if not difference.size:
        return False
    gone = [item["id"] for item in difference.removed]
    _in_one(session, delete(Rule).where(Rule.id == bindparam("row")), [{"row": each} for each in gone])
    if difference.added:
        made = [
            {
                **_columns(one.item),
                "id": one.item["id"],
                "account_id": account.id,
                "position": one.place + 1,
                "created_at": datetime.fromisoformat(one.item["created_at"]),
                "updated_at": now,
            }
            for one in difference.added
        ]
        _in_one(session, insert(Rule), made)
    alike: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)  # fields → rows that differ there
    for one in difference.changed:
        values = _columns(one.after)
        alike[one.fields].append({"row": one.after["id"], **{f"new_{name}": values[name] for name in one.fields}})
    for fields, rows in alike.items():
        changes: dict[str, Any] = {name: bindparam(f"new_{name}") for name in fields}
        changed = update(Rule).where(Rule.id == bindparam("row"))
        _in_one(session, changed.values(**changes, revision=Rule.revision + 1, updated_at=now), rows)
    if difference.added or difference.removed or difference.moved:
        set_places(session, [item["id"] for item in content])
    session.expire_all()
    return True


def set_places(session: Session, ids: list[int]) -> None:
    """Number the draft's rules from 1 in this order."""
    session.flush()
    place = update(Rule).where(Rule.id == bindparam("row"), Rule.position != bindparam("place"))
    rows = [{"row": rule_id, "place": at} for at, rule_id in enumerate(ids, start=1)]
    # Where it stands is no change of the rule: "last changed" keeps its day.
    _in_one(session, place.values(position=bindparam("place"), updated_at=Rule.updated_at), rows)
    session.expire_all()  # what it holds has its old place


def _in_one(session: Session, statement: Any, rows: list[dict[str, Any]]) -> None:
    """One statement for many rows, past the ORM, which would look at each."""
    if rows:
        session.connection().execute(statement, rows)


def _columns(item: Item) -> dict[str, Any]:
    """An item's values as the columns of ``rules`` take them."""
    return {
        **{name: item[name] for name in FIELDS},
        "trigger": Trigger(item["trigger"]),
        "reply_mode": ReplyMode(item["reply_mode"]),
        "starts_on": date.fromisoformat(item["starts_on"]) if item["starts_on"] else None,
        "ends_on": date.fromisoformat(item["ends_on"]) if item["ends_on"] else None,
    }

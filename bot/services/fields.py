"""Fields: what an account keeps of each follower beside WeChat's own, each of one kind."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.errors import Conflict, NotFound, Refused
from bot.services import segment_uses
from bot.services.stages import fitting, place
from models import Account, Field, FieldKind, FieldValue, Follower

MOST = 50
MOST_CHOICES = 50
TEXT_LENGTH = 200

Value = str | float | date | bool
YES, NO = "yes", "no"


def list_all(session: Session, account: Account) -> list[Field]:
    """In the account's order."""
    return list(session.scalars(select(Field).where(Field.account_id == account.id).order_by(Field.position, Field.id)))


def get(session: Session, account: Account, field_id: int) -> Field:
    field = session.scalar(select(Field).where(Field.id == field_id, Field.account_id == account.id))
    if field is None:
        raise NotFound("There is no such field.")
    return field


def add(session: Session, account: Account, name: str, kind: str, choices: Iterable[str] = ()) -> Field:
    """At the end; its kind never changes.

    Raises:
        Refused: something does not fit, or there are MOST already.
        Conflict: a field has this name.
    """
    known = list_all(session, account)
    if len(known) >= MOST:
        raise Refused("An account has {max} fields at most.", field="name", max=MOST)
    if kind not in set(FieldKind):
        raise Refused("Choose one of the kinds.", field="kind")
    field = Field(
        account_id=account.id,
        name=_free_name(known, name),
        kind=FieldKind(kind),
        choices=_fitting_choices(choices) if kind == FieldKind.CHOICE else [],
        position=len(known),
    )
    session.add(field)
    session.flush()
    return field


def change(session: Session, account: Account, field: Field, name: str, choices: Iterable[str] | None = None) -> None:
    """Another name or other choices; what followers have stays, also where it can no longer be chosen."""
    fitting_name = _free_name([each for each in list_all(session, account) if each is not field], name)
    if choices is not None and field.kind is FieldKind.CHOICE:
        field.choices = _fitting_choices(choices)
    field.name = fitting_name
    session.flush()


def move(session: Session, account: Account, field: Field, position: int) -> None:
    """To this place, counted from 0; past the end is the end."""
    place(list_all(session, account), field, position)


def delete(session: Session, field: Field) -> None:
    """With what every follower has in it; their timelines keep what was changed.

    Raises:
        Refused: a segment asks for it.
    """
    segment_uses.refuse_if_used(session, "field", field.id)
    session.delete(field)
    session.flush()


def count(session: Session, fields: Sequence[Field]) -> dict[int, int]:
    """Field → how many followers have something in it."""
    query = select(FieldValue.field_id, func.count()).where(FieldValue.field_id.in_([each.id for each in fields]))
    return {row[0]: row[1] for row in session.execute(query.group_by(FieldValue.field_id))}


def values(session: Session, fields: Sequence[Field], follower_ids: Sequence[int]) -> dict[int, dict[int, Value]]:
    """Follower → field → what they have in it; who has nothing is left out."""
    kinds = {field.id: field.kind for field in fields}
    found: dict[int, dict[int, Value]] = {}
    for row in session.scalars(select(FieldValue).where(FieldValue.follower_id.in_(follower_ids))):
        value = _of_row(kinds.get(row.field_id), row)
        if value is not None:
            found.setdefault(row.follower_id, {})[row.field_id] = value
    return found


def write(session: Session, follower: Follower, field: Field, value: Value | None) -> None:
    """Keep what ``read`` made of it; None empties the field."""
    row = session.scalar(
        select(FieldValue).where(FieldValue.follower_id == follower.id, FieldValue.field_id == field.id)
    )
    if value is None:
        if row is not None:
            session.delete(row)
        return
    if row is None:
        row = FieldValue(follower_id=follower.id, field_id=field.id)
        session.add(row)
    row.text = value if isinstance(value, str) else None
    row.day = value if isinstance(value, date) else None
    row.number = float(value) if isinstance(value, bool | int | float) else None


def read(field: Field, given: Any) -> Value | None:
    """What was typed, or sent as JSON, as a value of the field's kind; nothing and "" are None.

    Raises:
        Refused: it is none of that kind; its field is "fields.<id>".
    """
    given = given.strip() if isinstance(given, str) else given
    if given is None or given == "":
        return None
    try:
        return _READERS[field.kind](field, given)
    except (ValueError, TypeError):
        sentence = _SENTENCES[field.kind]
        raise Refused(sentence, field=f"fields.{field.id}", **_gaps(field, sentence)) from None


def shown(value: Value | None) -> str:
    """As a person would type it; the reverse of ``read``."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, float):
        return f"{value:.15g}"
    return value if isinstance(value, str) else value.isoformat()


def _of_row(kind: FieldKind | None, row: FieldValue) -> Value | None:
    match kind:
        case FieldKind.NUMBER:
            return row.number
        case FieldKind.DATE:
            return row.day
        case FieldKind.YES_NO:
            return None if row.number is None else bool(row.number)
        case None:
            return None
    return row.text


def _text(_field: Field, given: Any) -> str:
    if not isinstance(given, str) or len(given) > TEXT_LENGTH:
        raise ValueError
    return given


def _number(_field: Field, given: Any) -> float:
    if isinstance(given, bool) or not math.isfinite(number := float(given)):
        raise ValueError
    return number


def _date(_field: Field, given: Any) -> date:
    return date.fromisoformat(given)


def _choice(field: Field, given: Any) -> str:
    if given not in field.choices:
        raise ValueError
    return str(given)


def _yes_no(_field: Field, given: Any) -> bool:
    known: Mapping[Any, bool] = {YES: True, NO: False, True: True, False: False}
    if not isinstance(given, str | bool) or given not in known:
        raise ValueError
    return known[given]


_READERS: dict[FieldKind, Callable[[Field, Any], Value]] = {
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.DATE: _date,
    FieldKind.CHOICE: _choice,
    FieldKind.YES_NO: _yes_no,
}
_SENTENCES = {
    FieldKind.TEXT: "A text takes {max} characters at most.",
    FieldKind.NUMBER: "Give a number such as 42 or 3.5.",
    FieldKind.DATE: "Give a day such as 2026-11-23.",
    FieldKind.CHOICE: "Choose one of: {choices}.",
    FieldKind.YES_NO: "Say yes or no.",
}


def _gaps(field: Field, sentence: str) -> dict[str, object]:
    gaps = {"max": TEXT_LENGTH, "choices": " · ".join(field.choices)}
    return {name: value for name, value in gaps.items() if f"{{{name}}}" in sentence}


def _fitting_choices(choices: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(filter(None, (" ".join(each.split()) for each in choices))))
    if not 2 <= len(found) <= MOST_CHOICES:
        raise Refused("Give 2 to {max} choices, each on its own line.", field="choices", max=MOST_CHOICES)
    if any(len(each) > TEXT_LENGTH for each in found):
        raise Refused("A text takes {max} characters at most.", field="choices", max=TEXT_LENGTH)
    return found


def _free_name(others: Sequence[Field], name: str) -> str:
    name = fitting(name)
    if name in {each.name for each in others}:
        raise Conflict("There is a field “{name}” already.", field="name", name=name)
    return name

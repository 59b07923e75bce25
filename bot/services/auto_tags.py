"""Tags that followers get by themselves, when they write, tap, scan or begin to follow; whoever answers."""

from threading import Lock
from typing import Annotated, Any, Literal, NamedTuple

import re2
from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import Connection, Executable, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.errors import NotFound, Refused
from bot.services import matching, tags
from bot.services.folding import fold
from bot.services.matching import CompiledRule, RuleBook
from bot.wechat import limits
from bot.wechat.messages import Message
from models import Account, AutoTag, FollowerTag, MatchMode, Tag, Trigger
from models.prepared import Prepared

MOST = 500
WHO = "Automatic tag"  # in timelines


class AutoTagDraft(BaseModel):
    """When a follower does this, they get this tag."""

    model_config = ConfigDict(extra="forbid")

    trigger: Literal[Trigger.KEYWORD, Trigger.CLICK, Trigger.SCAN, Trigger.FOLLOW]
    mode: MatchMode = MatchMode.CONTAINS
    pattern: Annotated[str, StringConstraints(max_length=1000)] = ""
    tag_id: int
    is_enabled: bool = True


class Found(NamedTuple):
    """A tag that a message gives."""

    tag_id: int
    name: str


# Editing -------------------------------------------------------------------------------------------------------------


def list_all(session: Session, account: Account) -> list[AutoTag]:
    return list(session.scalars(select(AutoTag).where(AutoTag.account_id == account.id).order_by(AutoTag.id)))


def get(session: Session, account: Account, auto_tag_id: int) -> AutoTag:
    found = session.scalar(select(AutoTag).where(AutoTag.id == auto_tag_id, AutoTag.account_id == account.id))
    if found is None:
        raise NotFound("There is no such automatic tag.")
    return found


def save(session: Session, account: Account, draft: AutoTagDraft, auto: AutoTag | None = None) -> AutoTag:
    """Add one, or change it; it counts from the next message on.

    Raises:
        Refused: with the field and what to do.
    """
    pattern = _checked(draft)
    if session.scalar(select(Tag.id).where(Tag.id == draft.tag_id, Tag.account_id == account.id)) is None:
        raise Refused("There is no such tag in this account.", field="tag_id")
    if auto is None:
        if (session.scalar(select(func.count(AutoTag.id)).where(AutoTag.account_id == account.id)) or 0) >= MOST:
            raise Refused("An account holds {max} automatic tags at most; delete some first.", max=MOST)
        auto = AutoTag(account_id=account.id)
        session.add(auto)
    auto.trigger, auto.mode, auto.pattern = draft.trigger, draft.mode, pattern
    auto.tag_id, auto.is_enabled = draft.tag_id, draft.is_enabled
    _changed(session, account)
    return auto


def set_enabled(session: Session, account: Account, auto: AutoTag, on: bool) -> None:
    auto.is_enabled = on
    _changed(session, account)


def delete(session: Session, account: Account, auto: AutoTag) -> None:
    session.delete(auto)
    _changed(session, account)


def _checked(draft: AutoTagDraft) -> str:
    """The pattern as it is kept."""
    if draft.trigger is Trigger.FOLLOW:
        return ""
    if not fold(draft.pattern) or "\0" in draft.pattern:
        raise Refused("Write the words, the menu key or the scene to look for.", field="pattern")
    if draft.mode is not MatchMode.REGEX:
        return draft.pattern.strip()
    try:
        matches_all = matching.compile_pattern(draft.pattern).search("") is not None
    except re2.error as error:
        told = error.args[0]
        reason = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        raise Refused("This pattern cannot be used: {reason}.", field="pattern", reason=reason) from None
    if matches_all:
        raise Refused("This pattern matches everything; choose one that does not.", field="pattern")
    return draft.pattern


def _changed(session: Session, account: Account) -> None:
    """Tell every process to build its book anew, in the transaction that changed it."""
    session.flush()
    account.auto_tags_version = Account.auto_tags_version + 1
    session.flush()


# Giving, in the webhook's transaction --------------------------------------------------------------------------------


class Book:
    """All enabled automatic tags of an account at one version: the rules' own automata, one book a trigger."""

    def __init__(self, version: int, rows: list[tuple[AutoTag, str]]) -> None:
        self.version = version
        self._tags = {row.id: Found(row.tag_id, name) for row, name in rows}
        self._follow = [row.id for row, _name in rows if row.trigger is Trigger.FOLLOW]
        # A menu key or a scene is matched as a text is, so that one pattern may stand for all shops' codes.
        self._books = {
            trigger: RuleBook(version, [_compiled(row) for row, _name in rows if row.trigger is trigger])
            for trigger in (Trigger.KEYWORD, Trigger.CLICK, Trigger.SCAN)
        }

    def found(self, message: Message) -> list[Found]:
        """The tags that a message gives, each once."""
        ids: list[int] = []
        if message.kind == "text":
            ids = self._of(Trigger.KEYWORD, message.text)
        elif message.event == "subscribe":
            ids = self._follow + (self._of(Trigger.SCAN, message.key) if message.key else [])
        elif message.event == "scan":
            ids = self._of(Trigger.SCAN, message.key)
        elif message.event in limits.TAPS_THAT_OPEN:
            ids = self._of(Trigger.CLICK, message.key)
        return list(dict.fromkeys(self._tags[each] for each in ids))

    def _of(self, trigger: Trigger, text: str) -> list[int]:
        return [rule.id for rule in self._books[trigger].for_text(text)]


def _compiled(row: AutoTag) -> CompiledRule:
    return CompiledRule(row.id, "", Trigger.KEYWORD, ((row.mode, row.pattern),), (), is_random=False)


_books: dict[int, Book] = {}
_building = Lock()


def book(connection: Connection, account_id: int, version: int) -> Book:
    """The account's automatic tags; built anew when the version is not the one this process has."""
    known = _books.get(account_id)
    if known is not None and known.version == version:
        return known
    with _building:
        rows = connection.execute(
            select(*AutoTag.__table__.columns, Tag.name)
            .join(Tag, AutoTag.tag_id == Tag.id)
            .where(AutoTag.account_id == account_id, AutoTag.is_enabled)
            .order_by(AutoTag.id)
        )
        _books[account_id] = fresh = Book(version, [(row, row.name) for row in rows])  # type: ignore[misc]  # a row has an AutoTag's columns
    return fresh


def forget() -> None:
    """Drop what this process has compiled."""
    _books.clear()


def is_new(connection: Connection, follower_id: int, found: Found) -> bool:
    """Give the tag; False: the follower has it already, and nothing more is to be done."""
    values = {"follower_id": follower_id, "tag_id": found.tag_id}
    return _GIVE.first(connection, values) is not None


def given(session: Session, account_id: int, follower_id: int, found: Found) -> None:
    """They have just got it: tell WeChat and their timeline."""
    account, tag = session.get_one(Account, account_id), session.get_one(Tag, found.tag_id)
    tags.note_given(session, account, tag, [follower_id], WHO)


def _give(dialect: str) -> Executable:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    values: dict[str, Any] = {"follower_id": bindparam("follower_id"), "tag_id": bindparam("tag_id")}
    return insert(FollowerTag).values(values).on_conflict_do_nothing().returning(FollowerTag.id)


_GIVE = Prepared(_give)

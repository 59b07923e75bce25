"""Taking over what WeChat's own console does for an account, and the way back."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound
from bot.services import abilities, menus, rule_versions, rules, takeover, tasks
from bot.services.matching import CompiledRule, RuleBook
from bot.services.rules import RuleDraft
from bot.services.takeover import Converted, Note
from bot.services.tasks import Claimed
from models import Account, ReplyMode, Rule, Tag, Takeover, TakeoverStatus, Task, Trigger

KIND = "takeover"
CALLS = 2  # one for the menu, one for the replies
TAKEN_OVER, BROUGHT_BACK = "Taken over from WeChat", "As it was before WeChat's replies"  # what the versions are called


@dataclass(frozen=True, slots=True)
class Plan:
    """What approving does, or did."""

    converted: Converted
    meets: list[Note]  # what is in Lobby already and gets in its way
    freed: list[str]  # words that ask for a person here and were answered by a keyword there


def start(session: Session, account: Account) -> Task:
    """Have the worker read what WeChat's console holds.

    Raises:
        Conflict: it was taken over already.
    """
    tasks.lock(session, account)
    if in_force(session, account) is not None:
        raise Conflict("It is taken over already. Bring back what was there first.")
    return tasks.start(session, account, KIND)


def keep(session: Session, claimed: Claimed, selfmenu: dict[str, Any], autoreply: dict[str, Any]) -> bool:
    """Both are read; False: the lease was lost, nothing was written."""
    if not tasks.progress(session, claimed, done=CALLS, total=CALLS, state={}) or not tasks.finish(session, claimed):
        return False
    session.add(Takeover(account_id=claimed.account_id, selfmenu=selfmenu, autoreply=autoreply))
    return True


def get(session: Session, account: Account, takeover_id: int) -> Takeover:
    row = session.scalar(select(Takeover).where(Takeover.id == takeover_id, Takeover.account_id == account.id))
    if row is None:
        raise NotFound("There is no such reading.")
    return row


def latest(session: Session, account: Account) -> Takeover | None:
    query = select(Takeover).where(Takeover.account_id == account.id)
    return session.scalar(query.order_by(Takeover.id.desc()).limit(1))


def in_force(session: Session, account: Account) -> Takeover | None:
    """The one that was approved and not undone."""
    return session.scalar(
        select(Takeover).where(Takeover.account_id == account.id, Takeover.status == TakeoverStatus.APPROVED).limit(1)
    )


def plan(session: Session, account: Account, row: Takeover) -> Plan:
    """What was read in our words, beside what is here."""
    ours = [rule for rule in rules.list_all(session, account) if not _is_made(row, rule)]
    keys = frozenset(
        str(keyword["text"]) for rule in ours if rule.trigger is Trigger.CLICK for keyword in rule.keywords
    )
    converted = takeover.convert(row.selfmenu, row.autoreply, keys)
    theirs = RuleBook(0, [_compiled(at, draft) for at, draft in enumerate(converted.drafts) if draft.is_enabled])
    freed = [word for word in account.human_words if theirs.for_text(word)]
    meets = [*_rules_in_the_way(ours, theirs), *_words_in_the_way(account, freed, theirs)]
    if converted.buttons and menus.get(session, account).buttons and row.status is TakeoverStatus.READ:
        meets.append(Note("The menu that is kept in Lobby gives way to WeChat's."))
    meets += _beyond_its_rights(account, converted)
    return Plan(converted, meets, freed)


def approve(session: Session, account: Account, takeover_id: int, who: str = "") -> Takeover:
    """Make the rules and the menu, WeChat's before ours, and publish; a second time changes nothing.

    Raises:
        Conflict: it was read anew meanwhile, or another reading is in force.
    """
    tasks.lock(session, account)
    account = session.get_one(Account, account.id, populate_existing=True)  # as it is under the lock
    row = get(session, account, takeover_id)
    if row.status is not TakeoverStatus.READ:
        return row
    newest = latest(session, account)
    if in_force(session, account) is not None or newest is None or newest.id != row.id:
        raise Conflict("This was read anew meanwhile. Look at what was read last.")
    planned = plan(session, account, row)
    ours = rules.list_all(session, account)
    row.before = _snapshot(session, account, ours, planned.freed)
    made = [rules.save(session, account, draft, live=False) for draft in planned.converted.drafts]
    # WeChat's come first: what followers know must not change because somebody tried something here.
    rule_versions.set_places(session, [rule.id for rule in (*made, *ours)])
    rule_versions.publish(session, account, None, TAKEN_OVER, only={rule.id for rule in made})
    account.human_words = [word for word in account.human_words if word not in planned.freed]
    row.made = [{"id": rule.id, "created_at": rule.created_at.isoformat()} for rule in made]
    row.status, row.applied_at = TakeoverStatus.APPROVED, clock.now()
    if planned.converted.buttons:
        menus.save(session, account, planned.converted.buttons)
        if planned.converted.is_menu_on:
            menus.publish(session, account, who)
    session.flush()
    return row


def restore(session: Session, account: Account, takeover_id: int, who: str = "") -> Takeover:
    """Bring back Lobby's rules and menu from before, and publish the menu that was there.

    Rules that were written since stay.  A second time changes nothing.
    """
    tasks.lock(session, account)
    account = session.get_one(Account, account.id, populate_existing=True)  # as it is under the lock
    row = get(session, account, takeover_id)
    if row.status is not TakeoverStatus.APPROVED:
        return row
    unpublished = rule_versions.unpublished(session, account)
    made = [rule for rule in rules.list_all(session, account) if _is_made(row, rule)]
    gone = {rule.id for rule in made}
    for rule in made:
        rules.delete(session, account, rule, live=False)
    brought = [_brought_back(session, account, each) for each in row.before["rules"]]
    kept = [rule.id for rule, _is_changed in brought]
    since = [rule.id for rule in rules.list_all(session, account) if rule.id not in kept]
    rule_versions.set_places(session, [*kept, *since])
    # What nobody had published stays a draft.
    ours = {rule.id for rule, is_changed in brought if is_changed or rule.id not in unpublished}
    rule_versions.publish(session, account, None, BROUGHT_BACK, only=gone | ours)
    account.human_words = [
        *account.human_words,
        *(word for word in row.before["freed"] if word not in account.human_words),
    ]
    row.status = TakeoverStatus.RESTORED
    if takeover.convert(row.selfmenu, {}).buttons:
        menus.save(session, account, row.before["menu"])
        menus.publish(session, account, who, takeover.as_it_was(row.selfmenu))
    session.flush()
    return row


def _rules_in_the_way(ours: list[Rule], theirs: RuleBook) -> list[Note]:
    notes = []
    for rule in ours:
        if not rule.is_enabled:
            continue
        words = [str(keyword["text"]) for keyword in rule.keywords if keyword["mode"] != "regex"]
        if rule.trigger is Trigger.KEYWORD:
            shared = [(word, found[0].title) for word in words if (found := theirs.for_text(word))]
            notes += [
                Note(
                    "Your rule “{title}” stays. To “{word}”, WeChat's rule “{other}” answers before it.",
                    values={"title": rule.title, "word": word[:40], "other": other},
                )
                for word, other in shared[:1]
            ]
        elif rule.trigger in (Trigger.FOLLOW, Trigger.DEFAULT) and (found := theirs.for_key(rule.trigger)):
            notes.append(
                Note(
                    "Your rule “{title}” stays. WeChat's “{other}” answers before it.",
                    values={"title": rule.title, "other": found[0].title},
                )
            )
    return notes


def _words_in_the_way(account: Account, freed: list[str], theirs: RuleBook) -> list[Note]:
    notes = [
        Note(
            "“{word}” asks for a person here. As WeChat's rule “{other}” answers it, it no longer does.",
            values={"word": word, "other": theirs.for_text(word)[0].title},
        )
        for word in freed
    ]
    left = [word for word in account.human_words if word not in freed]
    if left and theirs.for_key(Trigger.DEFAULT):
        notes.append(
            Note(
                "These words ask for a person from now on, where WeChat gave its usual reply: {words}.",
                is_loss=False,
                values={"words": left},
            )
        )
    return notes


def _beyond_its_rights(account: Account, converted: Converted) -> list[Note]:
    notes = []
    if converted.buttons and not abilities.may(account, "set_menu"):
        notes.append(
            Note("WeChat will probably refuse the menu: it lets only verified accounts and service accounts set one.")
        )
    if not abilities.may(account, "write_later") and any(
        len(draft.replies) > 1 and draft.reply_mode is ReplyMode.ALL for draft in converted.drafts
    ):
        notes.append(
            Note("Of several replies only the first arrives: WeChat lets only verified accounts write a second one.")
        )
    return notes


def _compiled(at: int, draft: RuleDraft) -> CompiledRule:
    return CompiledRule(
        id=at,
        title=draft.title or (draft.keywords[0].text if draft.keywords else ""),
        trigger=draft.trigger,
        keywords=tuple((keyword.mode, keyword.text) for keyword in draft.keywords),
        replies=(),
        is_random=False,
    )


def _is_made(row: Takeover, rule: Rule) -> bool:
    # SQLite gives a deleted rule's number to the next one.
    return {"id": rule.id, "created_at": rule.created_at.isoformat()} in row.made


def _draft(rule: Rule) -> dict[str, Any]:
    values = {name: getattr(rule, name) for name in RuleDraft.model_fields}
    return RuleDraft.model_validate(values).model_dump(mode="json")


def _snapshot(session: Session, account: Account, ours: list[Rule], freed: list[str]) -> dict[str, Any]:
    return {
        "rules": [{"id": rule.id, "created_at": rule.created_at.isoformat(), "draft": _draft(rule)} for rule in ours],
        "menu": menus.get(session, account).buttons,
        "freed": freed,
    }


def _brought_back(session: Session, account: Account, kept: dict[str, Any]) -> tuple[Rule, bool]:
    """The rule as it was, and whether it had to be written."""
    rule = session.scalar(select(Rule).where(Rule.id == kept["id"], Rule.account_id == account.id))
    if rule is not None and rule.created_at.isoformat() != kept["created_at"]:
        rule = None
    if rule is not None and _draft(rule) == kept["draft"]:
        return rule, False
    draft = RuleDraft.model_validate(kept["draft"])
    if draft.tag_id is not None and session.get(Tag, draft.tag_id) is None:
        # Without its tag it would answer everybody; its writer decides.
        draft = draft.model_copy(update={"tag_id": None, "is_enabled": False})
    return rules.save(session, account, draft, rule, live=False), True

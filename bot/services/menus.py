"""The menus at the foot of the account's chat: edited here, published by a job.

One usual menu, and any number for some followers.  They are published together, as one version.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.services import menu_conditions, menu_sets, tasks
from bot.services.menu_buttons import checked
from bot.services.menu_sets import Conditional, MenuSet
from bot.services.tasks import Claimed
from models import Account, Menu, MenuOutcome, MenuVersion, Task, TaskStatus

KIND = "menu_publish"
MOST_CONDITIONAL = 50  # WeChat names no number; a list longer than this nobody oversees
CHANGED = "Somebody else changed this menu meanwhile. Look at both, then save again."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the job is to publish, and which version that is."""

    menus: MenuSet
    number: int


# Editing -------------------------------------------------------------------------------------------------------------


def get(session: Session, account: Account) -> Menu:
    """The account's menus; an empty row, not yet stored, before one was first saved."""
    menu = session.scalar(select(Menu).where(Menu.account_id == account.id))
    return menu or Menu(
        account_id=account.id,
        buttons=[],
        conditional=[],
        published=[],
        published_conditional=None,
        published_at=None,
        updated_at=clock.now(),
    )


def hold(session: Session, account: Account) -> Menu:
    """The row, made where there is none, held until the end of the transaction."""
    query = select(Menu).where(Menu.account_id == account.id).with_for_update()
    menu = session.scalar(query)
    if menu is not None:
        return menu
    try:
        with session.begin_nested():
            menu = Menu(account_id=account.id)
            session.add(menu)
    except IntegrityError:  # somebody saved the first one at the same moment
        return session.scalars(query).one()
    return menu


def find(menu: Menu, menu_id: int) -> dict[str, Any]:
    """One of the menus for some followers, as it is being edited."""
    for each in menu.conditional:
        if each["id"] == menu_id:
            return each
    raise NotFound("There is no such menu.")


def save(
    session: Session,
    account: Account,
    buttons: list[dict[str, Any]],
    conditional: list[dict[str, Any]] | None = None,
    revision: str | None = None,
) -> Menu:
    """Keep menus for publishing; followers see no change yet.  No buttons: the menu is to vanish.

    Args:
        conditional: all menus for some followers; None: those that are kept stay.
        revision: the draft's that the change began from.

    Raises:
        Refused: with the field's path, such as "buttons.0.sub_button.2.name".
        Conflict: somebody else changed the draft meanwhile.
    """
    kept = checked(buttons)
    menu = hold(session, account)
    if revision is not None and revision != menu.revision:
        raise Conflict(CHANGED, field="revision")
    if conditional is not None:
        menu.conditional = _all_checked(session, account, conditional, menu)
    menu.buttons, menu.updated_at = kept, clock.now()
    session.flush()
    return menu


def add_conditional(session: Session, account: Account, *, is_copy: bool, **condition: Any) -> int:
    """A menu for some followers, before the others; returns its id.

    Args:
        is_copy: with the usual menu's buttons.
        condition: ``title`` and ``matchrule``.
    """
    menu = hold(session, account)
    fresh = {**condition, "buttons": menu.buttons if is_copy else []}
    menu.conditional = _all_checked(session, account, [fresh, *menu.conditional], menu)
    session.flush()
    return int(menu.conditional[0]["id"])


def save_conditional(session: Session, account: Account, menu_id: int, **values: Any) -> None:
    """Change one menu's ``title``, ``matchrule`` or ``buttons``.

    Raises:
        Refused: the field without the path to the menu.
    """
    menu = hold(session, account)
    kept = {**find(menu, menu_id), **values}
    one = {**menu_conditions.checked(session, account, kept, ""), "id": menu_id}
    menu.conditional = [one if each["id"] == menu_id else each for each in menu.conditional]
    session.flush()


def move_conditional(session: Session, account: Account, menu_id: int, position: int) -> None:
    """Put a menu at a place of the list, counted from 1: the first that fits is shown."""
    menu = hold(session, account)
    one = find(menu, menu_id)
    others = [each for each in menu.conditional if each["id"] != menu_id]
    others.insert(max(0, min(position - 1, len(others))), one)
    menu.conditional = others


def delete_conditional(session: Session, account: Account, menu_id: int) -> tuple[dict[str, Any], int]:
    """Take a menu out of the draft; followers lose it with the next publishing.

    Returns the menu and its place in the list, as ``restore_conditional`` takes them.
    """
    menu = hold(session, account)
    one = find(menu, menu_id)
    place = menu.conditional.index(one) + 1
    menu.conditional = [each for each in menu.conditional if each["id"] != menu_id]
    return one, place


def restore_conditional(session: Session, account: Account, one: dict[str, Any], position: int) -> int:
    """Put a deleted menu back at its place, under its own id unless another has that by now; returns the id.

    Raises:
        Refused: a tag that it is for is gone.
    """
    menu = hold(session, account)
    if any(each["id"] == one.get("id") for each in menu.conditional):
        one = {**one, "id": None}
    at = max(0, min(position - 1, len(menu.conditional)))
    wanted = [*menu.conditional[:at], one, *menu.conditional[at:]]
    menu.conditional = _all_checked(session, account, wanted, menu)
    session.flush()
    return int(menu.conditional[at]["id"])


# Publishing ----------------------------------------------------------------------------------------------------------


def publish(session: Session, account: Account, who: str = "", buttons: list[dict[str, Any]] | None = None) -> Task:
    """Have the worker give followers the menus as they are saved now; phones show them within some five minutes.

    Args:
        who: whose wish it is, for the history.
        buttons: another usual menu than the saved one.

    Raises:
        Refused: WeChat would not take it.
    """
    menu = get(session, account)
    conditional = menu.conditional if buttons is None or buttons else []
    usual = menu.buttons if buttons is None else checked(buttons)
    if conditional and not usual:
        raise Refused("Menus for some followers need a usual menu for all others.", field="buttons")
    for each in conditional:
        if not each["buttons"]:
            raise Refused("“{title}” has no button yet.", field="buttons", title=each["title"] or f"#{each['id']}")
    tasks.lock(session, account)
    waiting = MenuVersion.account_id == account.id, MenuVersion.outcome == MenuOutcome.WAITING
    session.execute(update(MenuVersion).where(*waiting).values(outcome=MenuOutcome.SKIPPED, finished_at=clock.now()))
    number = _newest(session, account.id) + 1
    session.add(MenuVersion(account_id=account.id, number=number, buttons=usual, conditional=conditional, who=who[:64]))
    session.flush()
    last = tasks.latest(session, account, KIND)
    stuck = last.state.get("before") if last is not None and last.status is TaskStatus.FAILED else None
    # One under way looks for a newer version before it ends.
    return tasks.start(session, account, KIND, {"before": stuck} if stuck else None)


def versions(session: Session, account: Account, limit: int = 100) -> list[MenuVersion]:
    """What was published, or tried; the newest first."""
    query = select(MenuVersion).where(MenuVersion.account_id == account.id)
    return list(session.scalars(query.order_by(MenuVersion.number.desc()).limit(limit)))


def version(session: Session, account: Account, version_id: int) -> MenuVersion:
    found = session.scalar(
        select(MenuVersion).where(MenuVersion.id == version_id, MenuVersion.account_id == account.id)
    )
    if found is None:
        raise NotFound("There is no such menu.")
    return found


def roll_back(session: Session, account: Account, version_id: int, who: str = "") -> Task:
    """Take earlier menus to edit and publish them again, as a new version.

    Raises:
        Refused: a tag that one of them is for is gone.
    """
    found = version(session, account, version_id)
    save(session, account, found.buttons, found.conditional)
    return publish(session, account, who)


# For the job ---------------------------------------------------------------------------------------------------------


def wanted(session: Session, claimed: Claimed) -> Wanted:
    """What is to be published by a task that we hold."""
    newest = session.scalar(
        select(MenuVersion)
        .where(MenuVersion.account_id == claimed.account_id)
        .order_by(MenuVersion.number.desc())
        .limit(1)
    )
    if newest is None:  # the task was begun before versions were kept
        buttons = session.scalar(select(Menu.buttons).where(Menu.account_id == claimed.account_id))
        return Wanted(MenuSet(buttons or []), 0)
    return Wanted(MenuSet(newest.buttons, [_as_set(each) for each in newest.conditional]), newest.number)


def begin(session: Session, claimed: Claimed, there: MenuSet) -> Claimed | None:
    """Remember what followers have, before the first change; None: the lease was lost.

    The first time, menus for some followers that were made elsewhere come along: publishing takes nothing away.
    """
    menu = session.scalar(select(Menu).where(Menu.account_id == claimed.account_id).with_for_update())
    if menu is not None and menu.published_conditional is None:
        found = [
            {"title": "", "matchrule": each.matchrule, "buttons": each.buttons}
            for each in there.conditional
            if menu_sets.can_come_back(each)
        ]
        menu.published_conditional = _numbered(found, [])
        if found:
            menu.conditional = _numbered([*menu.conditional, *found], menu.conditional)
            _join_newest(session, claimed.account_id, menu.conditional[-len(found) :])
    state = {"before": menu_sets.kept(there)}
    return tasks.progress(session, claimed, done=claimed.done, total=claimed.total, state=state)


def published(session: Session, claimed: Claimed, sent: Wanted) -> None:
    """WeChat took everything; if somebody pressed publish again meanwhile, there is more to do."""
    session.execute(select(Account.id).where(Account.id == claimed.account_id).with_for_update())
    conditional = session.scalar(
        select(MenuVersion.conditional).where(
            MenuVersion.account_id == claimed.account_id, MenuVersion.number == sent.number
        )
    )
    session.execute(
        update(Menu)
        .where(Menu.account_id == claimed.account_id)
        # updated_at is the operators' own; onupdate would touch it.
        .values(
            published=sent.menus.buttons,
            published_conditional=conditional or [],
            published_at=clock.now(),
            updated_at=Menu.updated_at,
        )
        .execution_options(synchronize_session=False)
    )
    _settle(session, claimed, sent.number, MenuOutcome.PUBLISHED)
    held = tasks.progress(session, claimed, done=claimed.done, total=claimed.total, state={})
    if held is not None and _newest(session, claimed.account_id) != sent.number:
        tasks.later(session, held, clock.now())
    elif held is not None:
        tasks.finish(session, held)


def refused(session: Session, claimed: Claimed, number: int, sentence: str, fault: dict[str, Any]) -> bool:
    """WeChat did not take it.  False: there is a newer version to try, and the task is put back for it."""
    session.execute(select(Account.id).where(Account.id == claimed.account_id).with_for_update())
    _settle(session, claimed, number, MenuOutcome.REFUSED, error=sentence, fault=fault)
    if _newest(session, claimed.account_id) != number:
        tasks.later(session, claimed, clock.now())
        return False
    return True


def given_back(session: Session, claimed: Claimed, *, is_whole: bool) -> None:
    """Followers have what they had before the refusal; not ``is_whole``: WeChat refused that too."""
    told = claimed.state["refused"]
    held = tasks.progress(session, claimed, done=claimed.done, total=claimed.total, state={})
    if held is None:
        return
    fault = {**told["fault"], **({} if is_whole else {"is_lost": True})}
    if refused(session, held, told["number"], told["sentence"], fault):
        tasks.fail(session, held, told["sentence"])


# Inside --------------------------------------------------------------------------------------------------------------


def _all_checked(
    session: Session, account: Account, conditional: list[dict[str, Any]], menu: Menu
) -> list[dict[str, Any]]:
    if len(conditional) > MOST_CONDITIONAL:
        raise Refused("{max} menus for some followers are the most.", field="conditional", max=MOST_CONDITIONAL)
    return _numbered(
        [menu_conditions.checked(session, account, each, f"conditional.{at}.") for at, each in enumerate(conditional)],
        [*menu.conditional, *(menu.published_conditional or [])],
    )


def _numbered(menus: list[dict[str, Any]], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each with an id of its own, which it keeps; none that another had is given again soon."""
    numbers = [int(each["id"]) for each in [*menus, *known] if each.get("id")]
    following = max(numbers, default=0) + 1
    numbered, seen = [], set()
    for each in menus:
        menu_id = each.get("id")
        if not menu_id or menu_id in seen:
            menu_id, following = following, following + 1
        seen.add(menu_id)
        numbered.append({**each, "id": menu_id})
    return numbered


def _as_set(each: dict[str, Any]) -> Conditional:
    return Conditional(each["buttons"], each["matchrule"])


def _join_newest(session: Session, account_id: int, found: list[dict[str, Any]]) -> None:
    newest = session.scalar(
        select(MenuVersion).where(MenuVersion.account_id == account_id).order_by(MenuVersion.number.desc()).limit(1)
    )
    if newest is not None and newest.buttons:
        newest.conditional = [*newest.conditional, *found]


def _newest(session: Session, account_id: int) -> int:
    return session.scalar(select(func.max(MenuVersion.number)).where(MenuVersion.account_id == account_id)) or 0


def _settle(session: Session, claimed: Claimed, number: int, outcome: MenuOutcome, **values: Any) -> None:
    told: dict[str, Any] = {"error": "", "fault": {}, **values}
    finished: datetime = clock.now()
    session.execute(
        update(MenuVersion)
        .where(MenuVersion.account_id == claimed.account_id, MenuVersion.number == number)
        .values(outcome=outcome, finished_at=finished, **told)
        .execution_options(synchronize_session=False)
    )

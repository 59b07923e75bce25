"""Who sees which menu: our own answer from the draft, beside WeChat's about what is live."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.errors import Conflict
from bot.services import menu_sets, tasks
from bot.services.tasks import Claimed
from models import Account, Follower, FollowerTag, Tag, Task

KIND = "menu_try_match"


@dataclass(frozen=True, slots=True)
class Look:
    """One menu that was looked at: ``why`` is a sentence for the catalogue."""

    menu: dict[str, Any] | None  # None: the usual one
    is_seen: bool
    why: str


def counting_tag(session: Session, follower: Follower) -> Tag | None:
    """The tag that WeChat goes by: of several the one added last."""
    return session.scalar(
        select(Tag)
        .join(FollowerTag, FollowerTag.tag_id == Tag.id)
        .where(FollowerTag.follower_id == follower.id, Tag.wechat_id.is_not(None))
        .order_by(FollowerTag.id.desc())
        .limit(1)
    )


def explain(conditional: Sequence[dict[str, Any]], tag_id: int | None, platform: str = "") -> list[Look]:
    """Each menu in the order in which it is tried, the usual one last; exactly one is seen.

    Args:
        tag_id: WeChat's number of the tag that counts; None: the follower has none.
        platform: "1" iOS, "2" Android, "3" another; "" not known, which fits no menu for one kind of phone.
    """
    looks: list[Look] = []
    is_found = False
    for menu in conditional:
        rule = menu["matchrule"]
        if rule.get("tag_id", str(tag_id)) != str(tag_id):
            why = "WeChat goes by the tag added last, and that is another one." if tag_id else "They have no tag."
        elif rule.get("client_platform_type", platform) != platform:
            why = "It is for another kind of phone." if platform else "Whether it is their kind of phone is not known."
        elif is_found:
            why = "An earlier menu fits."
        else:
            looks.append(Look(menu, True, "It is the first that fits."))
            is_found = True
            continue
        looks.append(Look(menu, False, why))
    why = "A menu for some followers fits." if is_found else "No menu for some followers fits."
    return [*looks, Look(None, not is_found, why)]


def ask(session: Session, account: Account, follower: Follower) -> Task:
    """Have the worker ask WeChat which menu this follower sees.

    Raises:
        Conflict: it is being asked about somebody else this moment.
    """
    task = tasks.start(session, account, KIND, {"follower_id": follower.id, "openid": follower.openid})
    if task.state["follower_id"] != follower.id:
        raise Conflict("WeChat is being asked about another follower. Try again in a moment.")
    return task


def answered(session: Session, claimed: Claimed, buttons: list[dict[str, Any]]) -> None:
    state = {**claimed.state, "buttons": menu_sets.plain(buttons)}
    held = tasks.progress(session, claimed, done=1, total=1, state=state)
    if held is not None:
        tasks.finish(session, held)


def answer(session: Session, account: Account, follower: Follower) -> Task | None:
    """The last time WeChat was asked about this follower; None: it was not, or about somebody else since.

    Its state has ``buttons`` once WeChat has answered: what the follower sees, none where there is no menu.
    """
    task = tasks.latest(session, account, KIND)
    return task if task is not None and task.state.get("follower_id") == follower.id else None


def which(answered: list[dict[str, Any]], usual: list[dict[str, Any]], conditional: Sequence[dict[str, Any]]) -> int:
    """Whose buttons WeChat showed: the id of the first menu with exactly these, 0 the usual one, -1 none of ours."""
    for menu in conditional:
        if menu_sets.plain(menu["buttons"]) == answered:
            return int(menu["id"])
    return 0 if menu_sets.plain(usual) == answered else -1

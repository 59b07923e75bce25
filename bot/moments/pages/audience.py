"""Who sees a post: the form's fields, and the same in words."""

from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from bot.moments import addresses, cards, friends, groups
from bot.moments.audiences import Choice
from bot.moments.pages.language import _, language
from models import ListKind, Member, PostMode

TAKES = {
    PostMode.FRIENDS: (),
    PostMode.PRIVATE: (),
    PostMode.ALLOW: tuple(ListKind),
    PostMode.DENY: (ListKind.DENY_MEMBER, ListKind.DENY_GROUP),
}


def chosen(form: MultiDict[str, str]) -> dict[str, Any]:
    """What the form's fields say, as its template takes it; lists that the mode has no use for stay in the form."""
    mode = form.get("mode", "")
    return {
        "mode": mode if mode in set(PostMode) else PostMode.FRIENDS.value,
        **{f"{kind.value}s": form.getlist(f"{kind.value}s") for kind in ListKind},
    }


def choice(values: dict[str, Any]) -> Choice:
    mode = PostMode(values["mode"])
    kinds = {kind: kind.value.partition("_")[2] for kind in TAKES[mode]}
    return Choice(
        mode, {k: [addresses.read(noun, each) for each in values[f"{k.value}s"]] for k, noun in kinds.items()}
    )


def of_post(audience: cards.Values) -> dict[str, Any]:
    """The same of a post's audience, as cards give it."""
    lists = {f"{kind.value}s": [each["id"] for each in audience[f"{kind.value}s"]] for kind in ListKind}
    return {"mode": audience["mode"].value, **lists}


def choices(session: Session, me: Member) -> dict[str, Any]:
    """Whom one can choose from."""
    counts = groups.counts(session, me)
    return {
        "friends": [cards.known(member, edge.remark) for member, edge in friends.list_all(session, me)],
        "groups": [
            {"id": addresses.of("group", each.id), "name": each.name, "count": counts.get(each.id, 0)}
            for each in groups.list_all(session, me)
        ],
    }


def for_whom(audience: cards.Values) -> str:
    """“All friends”, “Family, Ann (not Lin)”; for the author only."""
    comma = "、" if language() == "zh" else ", "
    named = {side: comma.join(each["name"] for each in _listed(audience, side)) for side in ("allow", "deny")}
    match audience["mode"]:
        case PostMode.PRIVATE:
            return _("Only me")
        case PostMode.ALLOW if named["deny"]:
            return _("{names}, not {others}", names=named["allow"] or _("nobody"), others=named["deny"])
        case PostMode.ALLOW:
            return named["allow"] or _("nobody")
        case PostMode.DENY if named["deny"]:
            return _("All friends but {names}", names=named["deny"])
    return _("All friends")


def warnings(
    values: dict[str, Any], viewers: list[cards.Values], known: dict[str, Any], mentions: list[str]
) -> list[str]:
    """What its author may not have meant."""
    found = []
    if values["mode"] != PostMode.PRIVATE and not viewers:
        found.append(_("Nobody but you would see this."))
    empty = {each["id"]: each["name"] for each in known["groups"] if not each["count"]}
    if values["mode"] == PostMode.ALLOW:
        found += [_("Nobody is in {group}.", group=empty[each]) for each in values["allow_groups"] if each in empty]
    seeing, names = {each["id"] for each in viewers}, {each["id"]: each["name"] for each in known["friends"]}
    left_out = [names[each] for each in mentions if each in names and each not in seeing]
    return found + [_("You mention {name}, who would not see this.", name=each) for each in left_out]


def _listed(audience: cards.Values, side: str) -> list[cards.Values]:
    return [*audience[f"{side}_groups"], *audience[f"{side}_members"]]

"""What somebody sees, in words: one sentence for each reason that applies, numbers included."""

from collections import Counter
from dataclasses import dataclass

from bot.moments.pages.language import _, _n
from bot.moments.reasons import Row
from bot.moments.sight import Line


@dataclass(frozen=True)
class Told:
    summary: str
    seen: list[str]
    unseen: list[str]


def told(name: str, lines: list[Line], window_days: int | None) -> Told:
    counts: Counter[tuple[Row, bool]] = Counter()
    for line in lines:
        counts[line.row, line.is_seen] += line.count
    everything, seen = sum(counts.values()), sum(n for (_row, is_seen), n in counts.items() if is_seen)
    return Told(
        _summary(name, seen, everything, window_days),
        [_seen(row, n, name) for (row, is_seen), n in counts.items() if is_seen],
        [_unseen(row, n, name) for (row, is_seen), n in counts.items() if not is_seen],
    )


def _summary(name: str, seen: int, everything: int, window_days: int | None) -> str:
    if not everything:
        return _("You have posted nothing yet.")
    if not seen:
        return _("{name} sees none of your posts.", name=name)
    if seen == everything:
        return _n("{name} sees your one post.", "{name} sees all your {n} posts.", seen, name=name)
    if window_days is not None:
        return _n(
            "{name} sees {n} of your {all} posts, none older than {days} days.",
            "{name} sees {n} of your {all} posts, none older than {days} days.",
            seen, name=name, all=everything, days=window_days,
        )  # fmt: skip
    return _("{name} sees {n} of your {all} posts.", name=name, n=seen, all=everything)


def _seen(row: Row, n: int, name: str) -> str:
    match row:
        case Row.FRIEND:
            return _n("{n} post for all friends", "{n} posts for all friends", n)
        case Row.NOT_LEFT_OUT:
            return _n("{n} post that leaves out others", "{n} posts that leave out others", n)
        case Row.NAMED:
            return _n("{n} post that names {name}", "{n} posts that name {name}", n, name=name)
    return _n("{n} post for a group that {name} is in", "{n} posts for groups that {name} is in", n, name=name)


def _unseen(row: Row, n: int, name: str) -> str:
    match row:
        case Row.HELD:
            return _n("{n} post held by a moderator", "{n} posts held by a moderator", n)
        case Row.HIDDEN:
            return _n(
                "{n} post: you hide your Moments from {name}",
                "{n} posts: you hide your Moments from {name}",
                n,
                name=name,
            )
        case Row.OLD:
            return _n(
                "{n} post older than what you show to friends", "{n} posts older than what you show to friends", n
            )
        case Row.PRIVATE:
            return _n("{n} private post, for you alone", "{n} private posts, for you alone", n)
        case Row.AFTER_POST:
            return _n(
                "{n} post from before you were friends; you show new friends only new posts",
                "{n} posts from before you were friends; you show new friends only new posts",
                n,
            )
        case Row.AFTER_AUDIENCE:
            return _n(
                "{n} limited post from before you were friends", "{n} limited posts from before you were friends", n
            )
        case Row.LEFT_OUT:
            return _n("{n} post that leaves {name} out", "{n} posts that leave {name} out", n, name=name)
        case Row.GROUP_LEFT_OUT:
            return _n(
                "{n} post that leaves out a group {name} is or was in",
                "{n} posts that leave out groups {name} is or was in",
                n, name=name,
            )  # fmt: skip
        case Row.NOT_NAMED:
            return _n("{n} limited post for others", "{n} limited posts for others", n)
    return _n(
        "{n} post that only passes on what {name} may not see", "{n} posts that only pass on what {name} may not see",
        n, name=name,
    )  # fmt: skip

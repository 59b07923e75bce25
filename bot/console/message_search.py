"""What was said, found by its words: the texts of each conversation together, the newest first."""

from datetime import timedelta

from flask import request
from flask.typing import ResponseReturnValue

from bot.console.blueprint import blueprint, current_account, requires, row_number
from bot.console.language import worded
from bot.console.pages import show
from bot.database import reading
from bot.errors import Refused
from bot.services import bigrams, message_search
from bot.services.message_search import Found

PAGE = 50
AROUND = 60  # characters shown before the first word found, in a long text


@blueprint.get("/<account>/conversations/search")
@requires("conversations:read")
def search_messages() -> ResponseReturnValue:
    account, before = current_account(), request.args.get("before", type=row_number)
    search, problem = request.args.get("search", "").strip()[:200], ""
    found: list[Found] = []
    with reading() as session:
        if search:
            try:
                found = message_search.find(session, account, search, before=before, limit=PAGE + 1)
            except Refused as refused:
                problem = worded(refused)
        share = message_search.share_read(session)
    talks: dict[tuple[int, int | None], list[Found]] = {}
    for each in found[:PAGE]:
        talks.setdefault((each.follower.id, each.conversation_id), []).append(each)
    wanted = set(bigrams.asked(search))
    return show(
        "conversations/search.html",
        422 if problem else 200,
        search=search,
        problem=problem,
        talks=[(each[0].follower, each[0].conversation_id, each) for each in talks.values()],
        pieces={each.id: pieces(each.text, wanted) for each in found[:PAGE]},
        older=found[PAGE - 1].id if len(found) > PAGE else None,
        is_first=before is None,
        share=int(100 * share),
        just_after=lambda at: (at + timedelta(seconds=1)).isoformat(),
    )


def pieces(text: str, wanted: set[str]) -> list[tuple[str, bool]]:
    """A text cut where a found word begins and ends, and whether each piece is one."""
    places = bigrams.spans(text, wanted)
    begin = max(0, places[0][0] - AROUND) if places else 0
    cut, at = [("…", False)] if begin else [], begin
    for first, end in places:
        cut += [(text[at:first], False), (text[first:end], True)]
        at = end
    return [*cut, (text[at:], False)]

"""What is done with a conversation besides answering: assign, snooze, label, note, many at once, and taking back."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console import inbox_words
from bot.console.blueprint import account_slug, acting_operator, blueprint, record, requires
from bot.console.conversations import here, thread
from bot.console.forms import Form
from bot.console.language import _, _n, worded
from bot.console.pages import say
from bot.database import transaction
from bot.errors import Refused
from bot.services import accounts, assignments, conversation_bulk, conversations, labels, mentions
from bot.services.conversation_bulk import Bulk

ACTS = ("assign", "give_back", "snooze", "wake", "label", "unlabel", "close")


@blueprint.post("/<account>/conversations/<int:conversation_id>/act")
@requires("conversations:write")
def act_on_conversation(conversation_id: int) -> ResponseReturnValue:
    return _act([conversation_id], here(conversation_id))


@blueprint.post("/<account>/conversations/act")
@requires("conversations:write")
def act_on_conversations() -> ResponseReturnValue:
    ids = [int(each) for each in request.form.getlist("ids") if each.isascii() and each.isdigit() and len(each) < 19]
    return _act(ids, url_for("console.conversations_list", queue=request.args.get("queue")))


@blueprint.post("/<account>/conversations/undo")
@requires("conversations:write")
def undo_conversations() -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        outcome = conversation_bulk.undo(session, account, request.args.get("press", ""), acting_operator())
        record(session, account, "conversations.undo", f"conversations {', '.join(map(str, outcome.done))}")
    say(_n("Taken back for one conversation.", "Taken back for {n} conversations.", len(outcome.done)))
    _tell(outcome)
    return redirect(url_for("console.conversations_list", queue=request.args.get("queue")))


@blueprint.post("/<account>/conversations/<int:conversation_id>/reopen")
@requires("conversations:write")
def reopen_conversation(conversation_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = conversations.get(session, account, conversation_id)
        conversations.reopen(session, account, found, acting_operator())
        record(session, account, "conversations.reopen", f"conversation {found.id}")
    return redirect(here(conversation_id))


@blueprint.post("/<account>/conversations/<int:conversation_id>/note")
@requires("conversations:write")
def note_on_conversation(conversation_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            found = conversations.get(session, account, conversation_id)
            mentions.add_note(session, account, found, request.form.get("note", ""), acting_operator())
            record(session, account, "conversations.note", f"conversation {found.id}")
    except Refused as refused:
        if refused.status == 404:
            raise
        form = Form({"note": request.form.get("note", "")}, {"note": worded(refused)})
        return thread(conversation_id, form, refused.status)
    return redirect(here(conversation_id))


@blueprint.post("/<account>/conversations/part")
@requires("conversations:write")
def take_part() -> ResponseReturnValue:
    """Whether new conversations are assigned to oneself, and how many."""
    capacity = request.form.get("capacity", "")
    with transaction() as session:
        account = accounts.get(session, account_slug())
        number = int(capacity) if capacity.isascii() and capacity.isdigit() and len(capacity) < 9 else -1
        available = "available" in request.form
        assignments.set_part(session, account, acting_operator(), is_available=available, capacity=number)
        record(session, account, "conversations.part")
    say(_("Kept: new conversations come to you.") if available else _("Kept: nothing new is assigned to you."))
    return redirect(url_for("console.conversations_list", queue=request.args.get("queue")))


def _act(ids: list[int], back: str) -> ResponseReturnValue:
    act, _colon, given = request.form.get("act", "").partition(":")
    with transaction() as session:
        account = accounts.get(session, account_slug())
        for each in ids[: conversation_bulk.MOST]:
            conversations.get(session, account, each)  # another account's: the same words as for none
        if act not in ACTS:
            raise Refused("Choose what to do.")
        to = next((p for p in mentions.possible(session, account) if str(p.id) == given), None)
        label = next((each for each in labels.list_all(session, account) if str(each.id) == given), None)
        until = inbox_words.time_of(given, request.form.get("at", "")) if act == "snooze" else None
        bulk = Bulk(act, to, until, label)  # type: ignore[arg-type]  # one of ACTS
        outcome = conversation_bulk.run(session, account, ids, bulk, acting_operator())
        record(session, account, f"conversations.{act}", f"conversations {', '.join(map(str, outcome.done))}"[:2000])
    if outcome.done:
        press = url_for("console.undo_conversations", press=outcome.id, queue=request.args.get("queue"))
        say(_n("Done for one conversation.", "Done for {n} conversations.", len(outcome.done)), f"undo:{press}")
    elif not outcome.refused:
        say(_("That was so already."), "warn")
    _tell(outcome)
    return redirect(back)


def _tell(outcome: conversation_bulk.Outcome) -> None:
    for sentence in dict.fromkeys(worded(refused) for refused in outcome.refused.values()):
        count = sum(worded(each) == sentence for each in outcome.refused.values())
        say(_n("One stayed as it was: {why}", "{n} stayed as they were: {why}", count, why=sentence), "warn")

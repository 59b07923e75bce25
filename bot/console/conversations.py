"""The shared inbox: who waits, one person's thread, answering, and handing back to the bot."""

from datetime import datetime, timedelta
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from bot import clock
from bot.console import inbox_words, words
from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, record, requires
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.console.when import zone
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import (
    accounts,
    assignments,
    canned_replies,
    conversation_queues,
    conversations,
    drafts,
    fields,
    followers,
    journal,
    labels,
    media_uploads,
    mentions,
    messages,
    notes,
    sends,
    stages,
)
from bot.services.conversation_queues import Queue
from bot.wechat.limits import TEXT_BYTES
from bot.wechat.messages import Reply
from models import Account, Conversation

MOST_SHOWN = 200
_reply: TypeAdapter[Reply] = TypeAdapter(Reply)


@blueprint.get("/<account>/conversations")
@requires("conversations:read")
def conversations_list() -> ResponseReturnValue:
    with reading() as session:
        account = current_account()
        head = journal.last(session, account.id)  # before the lists: what comes meanwhile is told once more
        return show("conversations/list.html", selected=None, head=head, **listed(session, account))


@blueprint.get("/<account>/conversations/<int:conversation_id>")
@requires("conversations:read")
def conversation(conversation_id: int) -> ResponseReturnValue:
    return thread(conversation_id, Form())


@blueprint.post("/<account>/conversations/<int:conversation_id>/reply")
@requires("conversations:write")
def reply_to_conversation(conversation_id: int) -> ResponseReturnValue:
    form = Form(request.form.to_dict())
    anyway = bool(request.form.get("anyway"))
    seen, intent = form.at("seen"), form.at("intent")
    try:
        file = request.files.get("file")
        reply = _uploaded(file) if file else _written(form)
        with transaction() as session:
            account = accounts.get(session, account_slug())
            found = conversations.get(session, account, conversation_id)
            me = acting_operator()
            conversations.reply(
                session,
                account,
                found,
                me,
                reply,
                seen=int(seen) if seen.isdigit() and not anyway else None,
                intent=f"{me.id}:{intent}"[:64] if intent else None,
            )
            if not file:  # it goes by itself: what is written stays
                drafts.save(session, found, me, "")
            record(session, account, "conversations.reply", f"conversation {found.id}")
    except Refused as refused:
        if refused.status == 404:
            raise
        form.refuse(refused)
        form.errors = {"text": next(iter(form.errors.values()))}
        form.values["is_overtaken"] = bool(seen) and not anyway and refused.status == 409
        return thread(conversation_id, form, refused.status)
    return redirect(here(conversation_id, "composer"))


@blueprint.post("/<account>/conversations/<int:conversation_id>/hand-back")
@requires("conversations:write")
def hand_back(conversation_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = conversations.get(session, account, conversation_id)
        conversations.hand_back(session, account, found, acting_operator())
        record(session, account, "conversations.hand_back", f"conversation {found.id}")
        name = words.person(found.follower.name)
    undo = url_for("console.reopen_conversation", conversation_id=conversation_id)
    say(_("The bot answers {name} again.", name=name), f"undo:{undo}")
    return redirect(url_for("console.conversations_list", queue=request.args.get("queue")))


@blueprint.post("/<account>/followers/<int:follower_id>/take")
@requires("conversations:write")
def take_over(follower_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = conversations.take(session, account, followers.get(session, account, follower_id), acting_operator())
        record(session, account, "conversations.take", f"conversation {found.id}")
    return redirect(here(found.id))


def here(conversation_id: int, anchor: str | None = None) -> str:
    queue = request.args.get("queue")
    return url_for("console.conversation", conversation_id=conversation_id, queue=queue, _anchor=anchor)


def which() -> Queue:
    if request.args.get("show") == "closed":  # an address of old
        return Queue.CLOSED
    asked = request.args.get("queue", "")
    return Queue(asked) if asked in set(Queue) else Queue.OPEN


def listed(session: Session, account: Account) -> dict[str, Any]:
    """The list on the left with all it needs; nothing when only the thread was asked for (inbox.js)."""
    me, queue = acting_operator(), which()
    if request.headers.get("X-Part") == "thread":
        return {"queue": queue, "inbox_words": inbox_words}
    is_bots = queue is Queue.BOT
    return {
        "queue": queue,
        "inbox_words": inbox_words,
        "queues": inbox_words.queues(),
        "counts": conversation_queues.counts(session, account, me.id),
        "found": [] if is_bots else conversation_queues.page(session, account, queue, me.id, limit=MOST_SHOWN),
        "with_bot": conversation_queues.with_bot(session, account, MOST_SHOWN) if is_bots else [],
        "unread": mentions.unread(session, account, me, 20),
        "part": next((a for a, _load in assignments.list_agents(session, account) if a.operator_id == me.id), None),
        "choices": choices(session, account),
        "bulk_max": MOST_SHOWN,
    }


def choices(session: Session, account: Account) -> dict[str, Any]:
    """What conversations can be given: to whom, until when, which label."""
    return {
        "people": mentions.possible(session, account),
        "labels": labels.list_all(session, account),
        "times": inbox_words.times(),
        "tomorrow": _morning(),
        "latest": clock.now().astimezone(zone()) + conversations.LONGEST_SNOOZE,
    }


def thread(conversation_id: int, form: Form, status: int = 200) -> ResponseReturnValue:
    account, me = current_account(), acting_operator()
    with reading() as session:
        head = journal.last(session, account.id)
        found = conversations.get(session, account, conversation_id)
        written = notes.page(session, found.follower, limit=5)
        known = fields.list_all(session, account)
        form.values.setdefault("text", drafts.text_of(session, found, me))
        is_named = any(note.follower_id == found.follower_id for _one, note in mentions.unread(session, account, me))
        page = show(
            "conversations/thread.html",
            status,
            form=form,
            here=here(conversation_id),
            head=head,
            selected=found,
            story=_story(session, account, found),
            allowance=sends.allowance(session, found.follower_id),
            text_bytes=TEXT_BYTES,
            accept=media_uploads.ACCEPT,
            canned=_canned(session, account, found),
            notes=written,
            authors=notes.authors(session, written),
            stage=next((s for s in stages.list_all(session, account) if s.id == found.follower.stage_id), None),
            owner=followers.owner_names(session, [found.follower]).get(found.follower.owner_id or 0, ""),
            fields=known,
            kept=fields.values(session, known, [found.follower_id]).get(found.follower_id, {}),
            field_shown=fields.shown,
            earlier=conversation_queues.earlier(session, found),
            **{"choices": choices(session, account), **listed(session, account)},
        )
    if is_named:
        with transaction() as session:
            mentions.read(session, account, me, found.follower_id)
    return page


def _story(session: Session, account: Account, found: Conversation) -> list[Any]:
    """What was said and what was done, in one line of time."""
    turns = messages.timeline(session, account, found.follower)
    since = turns[0].at if turns else found.opened_at
    done = [e for e in journal.of_conversation(session, found) if e.kind in inbox_words.TOLD and e.at >= since]
    return sorted([*turns, *done], key=lambda each: each.at)


def _canned(session: Session, account: Account, found: Conversation) -> list[dict[str, Any]]:
    nickname = found.follower.nickname
    values = {"nickname": nickname, "account": account.title, "operator": acting_operator().name}
    replies = canned_replies.list_all(session, account)
    filled = [(each.name, *canned_replies.filled(each.text, values)) for each in replies]
    return [{"name": name, "text": text, "empty": ", ".join(empty)} for name, text, empty in filled]


def _uploaded(file: FileStorage) -> Reply:
    """A message of its own."""
    kind, media_id = media_uploads.upload(current_account(), file.filename or "", file.stream)
    return _reply.validate_python({"kind": kind, "media_id": media_id})


def _written(form: Form) -> Reply:
    text = form.at("text").replace("\r\n", "\n").strip()
    if not text:
        raise Refused("Write something first.", field="text")
    if len(text.encode()) > TEXT_BYTES:
        raise Refused(
            "This is too long for WeChat: {size} of {max} bytes; a Chinese character takes three.",
            field="text",
            size=len(text.encode()),
            max=TEXT_BYTES,
        )
    return _reply.validate_python({"kind": "text", "text": text})


def _morning() -> datetime:
    return (clock.now().astimezone(zone()) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)

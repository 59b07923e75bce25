"""The shared inbox: who waits, one person's thread, answering, and handing back to the bot."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.console import words
from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, record, requires
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, conversation_queues, conversations, followers, messages, sends
from bot.services.conversation_queues import Queue
from bot.wechat.limits import TEXT_BYTES
from bot.wechat.messages import Text
from models import Conversation


@blueprint.get("/<account>/conversations")
@requires("conversations:read")
def conversations_list() -> ResponseReturnValue:
    with reading() as session:
        return show("conversations/list.html", found=_listed(session), shown=_which(), selected=None)


@blueprint.get("/<account>/conversations/<int:conversation_id>")
@requires("conversations:read")
def conversation(conversation_id: int) -> ResponseReturnValue:
    return _thread(conversation_id, Form())


@blueprint.post("/<account>/conversations/<int:conversation_id>/reply")
@requires("conversations:write")
def reply_to_conversation(conversation_id: int) -> ResponseReturnValue:
    text = request.form.get("text", "").replace("\r\n", "\n").strip()
    try:
        if not text:
            raise Refused("Write something first.", field="text")
        if len(text.encode()) > TEXT_BYTES:
            raise Refused(
                "This is too long for WeChat: {size} of {max} bytes; a Chinese character takes three.",
                field="text",
                size=len(text.encode()),
                max=TEXT_BYTES,
            )
        with transaction() as session:
            account = accounts.get(session, account_slug())
            found = conversations.get(session, account, conversation_id)
            conversations.reply(session, account, found, acting_operator(), Text(text=text))
            record(session, account, "conversations.reply", f"conversation {found.id}")
    except Refused as refused:
        if refused.status == 404:
            raise
        form = Form({"text": request.form.get("text", "")})
        form.refuse(refused)
        form.errors = {"text": next(iter(form.errors.values()))}
        return _thread(conversation_id, form, refused.status)
    return redirect(url_for("console.conversation", conversation_id=conversation_id, _anchor="composer"))


@blueprint.post("/<account>/conversations/<int:conversation_id>/hand-back")
@requires("conversations:write")
def hand_back(conversation_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = conversations.get(session, account, conversation_id)
        conversations.hand_back(session, account, found, acting_operator())
        record(session, account, "conversations.hand_back", f"conversation {found.id}")
        name = words.person(found.follower.name)
    say(_("The bot answers {name} again.", name=name))
    return redirect(url_for("console.conversations_list"))


@blueprint.post("/<account>/followers/<int:follower_id>/take")
@requires("conversations:write")
def take_over(follower_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = conversations.take(session, account, followers.get(session, account, follower_id), acting_operator())
        record(session, account, "conversations.take", f"conversation {found.id}")
    return redirect(url_for("console.conversation", conversation_id=found.id))


def _which() -> str:
    return "closed" if request.args.get("show") == "closed" else "open"


def _listed(session: Session) -> list[Conversation]:
    account = current_account()
    queue = Queue.CLOSED if _which() == "closed" else Queue.OPEN
    return list(conversation_queues.page(session, account, queue, limit=200))


def _thread(conversation_id: int, form: Form, status: int = 200) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        found = conversations.get(session, account, conversation_id)
        return show(
            "conversations/thread.html",
            status,
            form=form,
            here=url_for("console.conversation", conversation_id=conversation_id, show=request.args.get("show")),
            selected=found,
            found=_listed(session),
            shown=_which(),
            turns=messages.timeline(session, account, found.follower),
            allowance=sends.allowance(session, found.follower_id),
            text_bytes=TEXT_BYTES,
        )

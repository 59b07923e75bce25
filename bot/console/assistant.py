"""The assistant: whether it answers and what it costs, its settings, a question on trial, and its last answers."""

from decimal import Decimal, InvalidOperation
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot import clock
from bot.console import assistant_words
from bot.console.blueprint import account_slug, blueprint, current_account, record, requires
from bot.console.forms import Form
from bot.console.language import _
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, assistant, assistant_answers, assistant_limits, knowledge
from bot.settings import settings
from models import Assistant

SHOWN_ANSWERS = 20
MONEY = tuple(name for name in (*assistant.LIMITS, *assistant.PRICES) if name.endswith("_fen"))
NUMBERS = ("turns", "max_tokens", *(name for name in assistant.LIMITS if name not in MONEY))
TEXTS = ("url", "model", "prompt", "prefix", "signature", *assistant.SENTENCES)
TICKED = ("is_streamed",)


@blueprint.get("/<account>/assistant")
@requires("assistant:read")
def assistant_page() -> ResponseReturnValue:
    return _page(Form())


@blueprint.post("/<account>/assistant/switch")
@requires("assistant:write")
def switch_assistant() -> ResponseReturnValue:
    is_on = request.form.get("on") == "1"
    with transaction() as session:
        account = accounts.get(session, account_slug())
        assistant.update(session, account, {"is_enabled": is_on})
        record(session, account, "assistant.switch")
    say(_("The assistant answers from now on.") if is_on else _("The assistant is off."))
    return redirect(url_for("console.assistant_page"))


@blueprint.post("/<account>/assistant/ask")
@requires("assistant:write")
def ask_assistant() -> ResponseReturnValue:
    """Ask the model what no follower sees."""
    form = Form({"question": request.form.get("question", "")})
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            asked = assistant_answers.try_out(session, account, form.at("question"), clock.now())
            record(session, account, "assistant.ask", f"answer {asked.id}")
    except Refused as refused:
        form.refuse(refused)
        return _page(form, refused.status)
    return redirect(url_for("console.assistant_answer", answer_id=asked.id))


@blueprint.get("/<account>/assistant/answers/<int:answer_id>")
@requires("assistant:read")
def assistant_answer(answer_id: int) -> ResponseReturnValue:
    """One answer: what it was told, what it said, how the follower got it."""
    with reading() as session:
        found = assistant_answers.get(session, current_account(), answer_id)
    return show("assistant/answer.html", answer=found, assistant_words=assistant_words)


@blueprint.route("/<account>/assistant/settings", methods=["GET", "POST"])
@requires("assistant:read", to_change="assistant:write")
def assistant_settings() -> ResponseReturnValue:
    with reading() as session:
        found = assistant.get(session, current_account())
    form = Form(_shown(found))
    if request.method == "POST":
        form.values = request.form.to_dict()
        try:
            values = _typed(form.values)
            with transaction() as session:
                account = accounts.get(session, account_slug())
                assistant.update(session, account, values)
                record(session, account, "assistant.edit")
        except Refused as refused:
            form.refuse(refused)
            return _settings_page(form, found, refused.status)
        say(_("Saved."))
        return redirect(url_for("console.assistant_page"))
    return _settings_page(form, found)


def _page(form: Form, status: int = 200) -> ResponseReturnValue:
    account, now = current_account(), clock.now()
    with reading() as session:
        found = assistant.get(session, account)
        spent = assistant_limits.spent(session, account, now)
        answers = assistant_answers.page(session, account, limit=SHOWN_ANSWERS)
        sources = knowledge.list_all(session, account)
    return show(
        "assistant/overview.html",
        status,
        form=form,
        here=url_for("console.assistant_page"),
        assistant=found,
        bars=assistant_words.bars(found, spent),
        answers=answers,
        sources=sources,
        passages=sum(source.passages for source in sources),
        assistant_words=assistant_words,
    )


def _settings_page(form: Form, found: Assistant, status: int = 200) -> ResponseReturnValue:
    return show(
        "assistant/settings.html",
        status,
        form=form,
        here=url_for("console.assistant_settings"),
        has_key=bool(found.sealed_key),
        may_practise=bool(settings().model_url),
    )


def _shown(found: Assistant) -> dict[str, Any]:
    """What a form may show: no key."""
    return {
        **{name: getattr(found, name) for name in (*TEXTS, *NUMBERS)},
        **{name: "1" if getattr(found, name) else "" for name in TICKED},
        **{name: "\n".join(getattr(found, name)) for name in assistant.WORDS},
        **{name: f"{getattr(found, name) / 100:.2f}" for name in MONEY},
    }


def _typed(given: dict[str, str]) -> dict[str, Any]:
    """The form's strings as the service wants them; an empty key means "as it was"."""
    values: dict[str, Any] = {name: given[name].replace("\r\n", "\n").strip() for name in TEXTS if name in given}
    values |= {name: name in given for name in TICKED}
    for name in assistant.WORDS:
        values[name] = given.get(name, "").replace(",", "\n").replace("，", "\n").splitlines()
    for name in NUMBERS:
        typed = given.get(name, "").strip() or "0"
        if not typed.isdecimal() or len(typed) > 10:
            raise Refused("Give a number.", field=name)
        values[name] = int(typed)
    for name in MONEY:
        try:
            typed_yuan = Decimal(given.get(name, "").strip() or "0")
            values[name] = int((typed_yuan * 100).to_integral_value())
        except (InvalidOperation, ValueError, OverflowError):
            raise Refused("Give an amount such as 2.50.", field=name) from None
    if given.get("no_key"):
        values["key"] = ""
    elif key := given.get("key", "").strip():
        values["key"] = key
    return values

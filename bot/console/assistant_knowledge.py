"""What the assistant knows: sources pasted or uploaded, changed and deleted."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from bot.console import assistant_words
from bot.console.blueprint import account_slug, blueprint, current_account, record, requires
from bot.console.forms import Form
from bot.console.language import _, _n
from bot.console.pages import say, show
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, knowledge
from models import Source, SourceKind


@blueprint.get("/<account>/assistant/knowledge")
@requires("assistant:read")
def knowledge_page() -> ResponseReturnValue:
    return _list(Form({"kind": SourceKind.TEXT}))


@blueprint.post("/<account>/assistant/knowledge")
@requires("assistant:write")
def add_source() -> ResponseReturnValue:
    form = Form(request.form.to_dict())
    try:
        name, kind, content = _given(form)
        with transaction() as session:
            account = accounts.get(session, account_slug())
            source = knowledge.save(session, account, name, kind, content)
            record(session, account, "assistant.add_source", f"source {source.id}")
    except Refused as refused:
        form.refuse(refused)
        return _list(form, refused.status)
    say(_n("“{title}” is known now, as one passage.", "“{title}” is known now, as {n} passages.", source.passages,
           title=source.name))  # fmt: skip
    return redirect(url_for("console.knowledge_page"))


@blueprint.route("/<account>/assistant/knowledge/<int:source_id>", methods=["GET", "POST"])
@requires("assistant:read", to_change="assistant:write")
def knowledge_source(source_id: int) -> ResponseReturnValue:
    with reading() as session:
        found = knowledge.get(session, current_account(), source_id)
    form = Form({"name": found.name, "kind": found.kind, "content": found.content})
    if request.method == "POST":
        form.values = request.form.to_dict()
        try:
            name, kind, content = _given(form)
            with transaction() as session:
                account = accounts.get(session, account_slug())
                source = knowledge.get(session, account, source_id)
                knowledge.save(session, account, name, kind, content, source)
                record(session, account, "assistant.edit_source", f"source {source_id}")
        except Refused as refused:
            if refused.status == 404:
                raise
            form.refuse(refused)
            return _source_page(form, found, refused.status)
        say(_("Saved."))
        return redirect(url_for("console.knowledge_page"))
    return _source_page(form, found)


@blueprint.post("/<account>/assistant/knowledge/<int:source_id>/delete")
@requires("assistant:write")
def delete_source(source_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        source = knowledge.get(session, account, source_id)
        knowledge.remove(session, source)
        record(session, account, "assistant.delete_source", f"source {source_id}")
    say(_("“{title}” was deleted.", title=source.name))
    return redirect(url_for("console.knowledge_page"))


def _given(form: Form) -> tuple[str, SourceKind, str]:
    """Name, kind and content: pasted, or a file, which names itself where nothing else was typed."""
    name, content = str(form.at("name")).strip(), str(form.at("content"))
    try:
        kind = SourceKind(form.at("kind"))
    except ValueError:
        raise Refused("Choose one of the kinds.", field="kind") from None
    file: Any = request.files.get("file")
    if file is not None and file.filename:
        content = knowledge.read_upload(file.stream.read(knowledge.CONTENT_BYTES + 1))
        kind = knowledge.kind_of(file.filename)
        name = name or file.filename.rpartition(".")[0][:64]
        form.values |= {"name": name, "kind": kind}
    return name, kind, content


def _list(form: Form, status: int = 200) -> ResponseReturnValue:
    with reading() as session:
        found = knowledge.list_all(session, current_account())
    return show(
        "assistant/knowledge.html",
        status,
        form=form,
        here=url_for("console.knowledge_page"),
        sources=found,
        kinds=assistant_words.kinds(),
    )


def _source_page(form: Form, source: Source, status: int = 200) -> ResponseReturnValue:
    return show(
        "assistant/source.html",
        status,
        form=form,
        here=url_for("console.knowledge_source", source_id=source.id),
        source=source,
        kinds=assistant_words.kinds(),
    )

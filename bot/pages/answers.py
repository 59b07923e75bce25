"""The page of one answer that took too long for the chat: progress, then the answer."""

from flask import Response, make_response, render_template
from flask.typing import ResponseReturnValue

from bot.database import reading
from bot.pages.blueprint import blueprint, nothing_here
from bot.services import assistant_answers, assistant_links

LOOK_SECONDS = 3  # the page asks again by itself


@blueprint.get("/p/answers/<signed>")
def answer(signed: str) -> ResponseReturnValue:
    answer_id = assistant_links.read(signed)
    if answer_id is None:
        return nothing_here()
    with reading() as session:
        shown = assistant_answers.for_page(session, answer_id)
    if shown is None:
        return nothing_here()
    response: Response = make_response(render_template("pages/answer.html", shown=shown, seconds=LOOK_SECONDS))
    return response

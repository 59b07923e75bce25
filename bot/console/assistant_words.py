"""The assistant in the operator's words: how an answer stands, and what the day took."""

from bot.console.language import _, number
from bot.services import assistant_answers
from bot.services.assistant_limits import FEN, Spent
from models import Answer, AnswerState, Assistant, SourceKind, Way


def kinds() -> dict[SourceKind, str]:
    return {
        SourceKind.TEXT: _("Text"),
        SourceKind.MARKDOWN: _("Markdown, cut by its headings"),
        SourceKind.CSV: _("Questions and answers (CSV)"),
    }


def state(answer: Answer) -> tuple[str, str, str]:
    """A word, the badge's colour, an icon."""
    if answer.state in assistant_answers.OPEN:
        return _("on its way"), "info", "loader"
    if answer.state is AnswerState.DROPPED:
        return _("not given"), "warn", "circle-x"
    if answer.trouble:
        return _("fallback sentence"), "warn", "triangle-alert"
    return _("answered"), "good", "circle-check"


def way(answer: Answer) -> str:
    return {
        Way.HOLD: "",
        Way.PASSIVE: _("as the direct reply"),
        Way.CUSTOMER: _("as a customer-service message"),
        Way.LINK: _("on a page"),
        Way.TRIAL: _("a trial"),
    }[answer.way]


def why(answer: Answer) -> str:
    """A sentence for the catalogue; "" when all went well."""
    return assistant_answers.WHY.get(answer.trouble, "")


def bars(assistant: Assistant, spent: Spent) -> list[dict[str, object]]:
    """What today took of each of the account's limits; a limit of 0 has no bar."""
    return [
        {
            "label": _("Questions"),
            "used": spent.messages,
            "limit": assistant.account_messages,
            "said": number(spent.messages),
            "most": number(assistant.account_messages),
        },
        {
            "label": _("Tokens"),
            "used": spent.tokens,
            "limit": assistant.account_tokens,
            "said": short(spent.tokens),
            "most": short(assistant.account_tokens),
        },
        {
            "label": _("Money"),
            "used": spent.cost / FEN,
            "limit": assistant.account_fen,
            "said": yuan(spent.cost / FEN),
            "most": yuan(assistant.account_fen),
        },
    ]


def short(count: int) -> str:
    """Large numbers in millions: a card of a phone holds seven characters."""
    return number(count) if count < 1_000_000 else f"{count / 1_000_000:,.2f} M"


def yuan(fen: float) -> str:
    return f"¥{fen / 100:,.2f}" if fen == 0 or fen >= 1 else "< ¥0.01"

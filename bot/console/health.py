"""Is everything in order, and if not, what to do."""

import re

from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from bot.console.blueprint import account_slug, blueprint, current_access, current_account, requires
from bot.console.language import _, _n, language, look_up
from bot.console.pages import show
from bot.services import account_health
from bot.services import health as checks
from bot.services.health import Check, State

WORST_FIRST = {State.FAIL: 0, State.WARN: 1, State.OK: 2}
KINDS = {State.FAIL: "bad", State.WARN: "warn", State.OK: "good"}


@blueprint.get("/<account>/health")
@requires("health:read")
def health() -> ResponseReturnValue:
    # Folders, queues and disk are the install's, not this account's.
    sees_all = "health:read" in current_access().at(None)
    report = checks.report(account_slug()) if sees_all else account_health.report(current_account())
    found = sorted(report, key=lambda check: WORST_FIRST[check.state])
    return show("health.html", sentence=_sentence(found), checks=[shown(check) for check in found])


def _sentence(found: list[Check]) -> str:
    failures = sum(check.state is State.FAIL for check in found)
    if failures:
        return _n("One thing needs you now.", "{n} things need you now.", failures)
    if warnings := sum(check.state is State.WARN for check in found):
        return _n("It works; one thing is worth a look.", "It works; {n} things are worth a look.", warnings)
    return _("Everything is in order.")


def shown(check: Check) -> dict[str, str]:
    return {
        "kind": KINDS[check.state],
        "title": check.name(look_up),
        "sentence": _with_code(check.sentence(look_up, language())),
        "fix": _with_code(check.fix(look_up, language())),
    }


def _with_code(text: str) -> Markup:
    """What stands between `backticks` for a terminal, as a page shows it."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- escaped a moment ago

"""Connecting an account: reads what WeChat's console holds, and checks the connection."""

from bot.database import reading, transaction
from bot.services import account_health, checks, takeovers, tasks, tokens
from bot.services.tasks import Claimed
from models import Account


def take_over(claimed: Claimed) -> Claimed | None:
    """One call: the menu first, then the replies; both are kept together.

    Raises:
        WeChatError: nothing of this step is kept; it can be repeated.
    """
    with reading() as session:
        account = session.get_one(Account, claimed.account_id)
    client = tokens.client_for(account)
    try:
        if "selfmenu" not in claimed.state:
            selfmenu = client.current_menu()
            with transaction() as session:
                return tasks.progress(
                    session, claimed, done=1, total=takeovers.CALLS, state={**claimed.state, "selfmenu": selfmenu}
                )
        autoreply = client.current_autoreplies()
    finally:
        client.close()
    with transaction() as session:
        takeovers.keep(session, claimed, claimed.state["selfmenu"], autoreply)
    return None


def check(claimed: Claimed) -> None:
    """Each line of the list as soon as it is known."""
    with reading() as session:
        account = session.get_one(Account, claimed.account_id)
    found: list[dict[str, object]] = []
    held: Claimed | None = claimed
    for each in account_health.connection(account):
        found.append(checks.kept(each))
        with transaction() as session:
            held = tasks.progress(
                session, claimed, done=len(found), total=account_health.LINES, state={"checks": found}
            )
        if held is None:
            return
    with transaction() as session:
        tasks.finish(session, claimed)

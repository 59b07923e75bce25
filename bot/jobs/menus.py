"""Publishes an account's menu."""

from bot.database import reading, transaction
from bot.services import menus, tokens
from bot.services.tasks import Claimed
from bot.wechat.errors import WeChatError
from models import Account


def publish(claimed: Claimed) -> None:
    """Give followers the menu that is saved now; refused, the one they have stays as it is.

    Raises:
        WeChatError: it was not taken; repeating it is harmless.
    """
    with reading() as session:
        account = session.get_one(Account, claimed.account_id)
        wanted = menus.wanted(session, claimed)
    client = tokens.client_for(account)
    try:
        if wanted.buttons:
            client.create_menu({"button": wanted.buttons})
        else:
            client.delete_menu()
    except WeChatError as error:
        with transaction() as session:
            is_newest = menus.refused(session, claimed, wanted, error.advice("en"))
        if is_newest:
            raise
        return
    finally:
        client.close()
    with transaction() as session:
        menus.published(session, claimed, wanted)

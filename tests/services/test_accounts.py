import base64

import pytest

from bot.errors import Conflict, NotFound, Refused
from bot.services import accounts
from models import CallbackMode


def test_makes_what_is_not_given(create):
    account = create.account("shop", token="", aes_key="")

    made = accounts.credentials(account)
    assert len(made.token) == 32
    assert len(made.encoding_aes_key) == 43
    assert len(base64.b64decode(made.encoding_aes_key + "=", validate=True)) == 32
    assert account.mode is CallbackMode.SAFE
    assert "人工" in account.human_words


@pytest.mark.parametrize("slug", ["", "Shop", "a b", "-a", "a" * 33, "店", "a/b", "a\n"])
def test_an_address_that_will_not_do_is_refused(session, slug):
    with pytest.raises(Refused) as caught:
        accounts.create(session, slug)

    assert caught.value.field == "slug"


def test_an_address_is_taken_once(create, session):
    create.account("shop")

    with pytest.raises(Conflict, match="shop"):
        accounts.create(session, "shop")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", " "),
        ("title", "x" * 65),
        ("appid", "gh_123"),
        ("original_id", "wx123"),
        ("token", "ab"),
        ("token", "with space"),
        ("aes_key", "short"),
        ("aes_key", "+" * 43),
        ("secret", "密"),
        ("mode", "open"),
        ("kind", "robot"),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../etc/passwd"),
        ("timezone", ""),
        ("human_words", ["x" * 33]),
        ("human_words", ["x"] * 51),
        ("human_reply", " "),
        ("human_reply", "中" * 700),
        ("handover_minutes", 0),
        ("handover_minutes", 2881),
        ("slug", "new"),
        ("sealed_secret", "x"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field_and_changes_nothing(create, session, name, value):
    account = create.account("shop")

    with pytest.raises(Refused) as caught:
        accounts.update(session, account, {"title": "New", name: value} if name != "title" else {name: value})

    assert caught.value.field == name
    assert account.title == "shop"


def test_secrets_are_sealed_and_read_again(create, session):
    account = create.account("shop")

    accounts.update(session, account, {"secret": "n3w", "token": "another1", "timezone": "Europe/Berlin"})

    assert accounts.secret(account) == "n3w"
    assert accounts.credentials(account).token == "another1"
    assert "n3w" not in account.sealed_secret
    assert "another1" not in repr(accounts.for_callback(session, "shop"))


def test_there_is_no_account_by_another_name(create, session):
    create.account("shop")

    with pytest.raises(NotFound, match="shops"):
        accounts.get(session, "shops")

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
        ("cap_messages", -1),
        ("cap_messages", 1001),
        ("cap_messages", True),
        ("cap_days", 0),
        ("cap_days", 91),
        ("cap_days", None),
        ("approval_above", -1),
        ("opt_out_words", ["x" * 33]),
        ("opt_out_words", ["人工"]),  # asks for a person
        ("opt_out_words", ["訂閱"]),  # opts in again, however written
        ("opt_in_words", ["td"]),
        ("human_words", ["退订"]),
        ("opt_out_reply", ""),
        ("opt_in_reply", "中" * 700),
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


def test_what_holds_for_campaigns(create, session):
    account = create.account("shop")
    assert (account.cap_messages, account.approval_above, account.opt_out_words) == (0, None, ["退订", "TD"])

    accounts.update(session, account, {"cap_messages": 4, "cap_days": 30, "approval_above": 0})
    accounts.update(session, account, {"opt_out_words": ["人工", " 取消 ", ""], "human_words": ["客服"]})  # at once
    accounts.update(session, account, {"opt_in_words": [], "opt_in_reply": ""})  # without words no reply is needed

    assert (account.cap_messages, account.cap_days, account.approval_above) == (4, 30, 0)
    assert accounts.for_callback(session, "shop").opt_out_words == {"人工", "取消"}
    accounts.update(session, account, {"approval_above": None})
    assert account.approval_above is None
    with pytest.raises(Refused) as caught:
        accounts.update(session, account, {"opt_in_words": ["订阅"]})
    assert caught.value.field == "opt_in_reply"


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

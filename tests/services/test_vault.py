"""T15: what is sealed can be read in its own place only, and with a key we have."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.services import accounts, vault
from bot.settings import settings
from models import AccessToken

PLACE = ("accounts", "practice", "secret")


@pytest.fixture
def master_key(monkeypatch):
    def master_key(key: str, old: str = "") -> None:
        monkeypatch.setenv("LOBBY_SECRET_KEY", key * 8)
        monkeypatch.setenv("LOBBY_OLD_SECRET_KEYS", ",".join(each * 8 for each in old.split()))
        settings.cache_clear()
        vault.unseal.cache_clear()

    return master_key


@given_settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_again(environment, text):
    sealed = vault.seal(text, *PLACE)

    assert vault.unseal(sealed, *PLACE) == text
    assert not text or text not in sealed or len(text) < 4


def test_the_same_is_never_sealed_the_same():
    assert len({vault.seal("secret", *PLACE) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "place",
    [
        ("accounts", "practice", "token"),
        ("accounts", "other", "secret"),
        ("tokens", "practice", "secret"),
        PLACE[:2],
        (),
    ],
)
def test_it_opens_in_its_own_place_only(place):
    sealed = vault.seal("secret", *PLACE)

    with pytest.raises(vault.Unreadable) as caught:
        vault.unseal(sealed, *place)

    assert "secret key" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-4],
        lambda text: text[:-2] + "AA",
        lambda _: "v1",
        lambda _: "v1:x:y",
        lambda text: text[::-1],
    ],
)
def test_what_is_damaged_is_refused(damage):
    with pytest.raises(vault.Unreadable):
        vault.unseal(damage(vault.seal("secret", *PLACE)), *PLACE)


def test_an_old_key_still_opens_and_is_replaced(create, session, master_key):
    master_key("old-key-")
    account = create.account(secret="s3cret")
    token = session.scalars(select(AccessToken)).one()
    token.sealed_token = vault.seal("t", "access_tokens", account.id, "token")
    session.commit()

    master_key("new-key-", old="old-key-")
    assert accounts.secret(account) == "s3cret"
    assert not vault.is_current(account.sealed_secret)
    assert accounts.reseal(session) == 1
    session.commit()
    assert accounts.reseal(session) == 0
    assert token.sealed_token == ""  # fetched anew when it is needed

    master_key("new-key-")
    session.refresh(account)
    assert accounts.secret(account) == "s3cret"
    master_key("old-key-")
    with pytest.raises(vault.Unreadable):
        accounts.secret(account)


def test_two_swapped_secrets_are_noticed(create, session):
    one, two = create.account("one", secret="first"), create.account("two", secret="second")
    one.sealed_secret, two.sealed_secret = two.sealed_secret, one.sealed_secret
    session.commit()

    for account in (one, two):
        with pytest.raises(vault.Unreadable, match=f"accounts/{account.slug}/secret"):
            accounts.secret(account)


def test_two_swapped_columns_are_noticed(create, session):
    account = create.account(secret="first")
    account.sealed_secret, account.sealed_token = account.sealed_token, account.sealed_secret

    with pytest.raises(vault.Unreadable):
        accounts.credentials(account)

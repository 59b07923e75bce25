"""Codes of RFC 6238, each good once; recovery codes too."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from bot import clock
from bot.errors import Refused
from bot.services import second_factor, vault

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_rfcs_own_vectors(seconds, code):
    assert second_factor.code_at(RFC_SECRET, seconds // 30, digits=8) == code
    assert second_factor.code_at(RFC_SECRET, seconds // 30) == code[2:]


@pytest.fixture
def now(monkeypatch):
    """A clock that a test sets."""
    times = [datetime(2026, 11, 24, 12, tzinfo=UTC)]
    monkeypatch.setattr(clock, "now", lambda: times[-1])

    def later(seconds: int) -> None:
        times.append(times[-1] + timedelta(seconds=seconds))

    return later


def code(secret: str, steps: int = 0) -> str:
    return second_factor.code_at(secret, int(clock.now().timestamp()) // 30 + steps)


@pytest.fixture
def enrolled(create, now):
    """An operator, the secret in their phone, and their recovery codes; the code used for it is one step old."""
    operator = create.operator("mei", "a correct sentence")
    secret = second_factor.new_secret()
    codes = second_factor.enrol(create.session, operator, secret, code(secret))
    create.session.commit()
    create.session.refresh(operator)
    now(30)
    return operator, secret, codes


def test_a_code_is_good_once(create, enrolled, now):
    operator, secret, _codes = enrolled
    shown = code(secret)

    assert second_factor.accept(create.session, operator.id, f" {shown[:3]} {shown[3:]} ")
    assert not second_factor.accept(create.session, operator.id, shown)
    assert not second_factor.accept(create.session, operator.id, code(secret, -1))  # older than the one used
    now(30)
    assert second_factor.accept(create.session, operator.id, code(secret))


def test_the_code_it_was_switched_on_with_is_used_up(create, now):
    operator, secret = create.operator("mei"), second_factor.new_secret()
    shown = code(secret)
    second_factor.enrol(create.session, operator, secret, shown)

    assert not second_factor.accept(create.session, operator.id, shown)


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_off_by_half_a_minute(create, enrolled, now, steps, fits):
    operator, secret, _codes = enrolled
    now(300)

    assert second_factor.accept(create.session, operator.id, code(secret, steps)) == fits


@pytest.mark.parametrize("odd", ["", "12345", "１２３４５６", "abcdef", "1234567", "-12345"])
def test_what_is_no_code_is_refused(create, enrolled, odd):
    assert not second_factor.accept(create.session, enrolled[0].id, odd)


def test_ten_recovery_codes_are_good_once_each_and_kept_as_hashes(create, enrolled):
    operator, _secret, codes = enrolled

    assert len(set(codes)) == 10
    assert not set(codes) & set(operator.recovery_digests)
    for each in codes:
        assert second_factor.accept(create.session, operator.id, each.upper().replace("-", " "))
        assert not second_factor.accept(create.session, operator.id, each)


def test_the_secret_is_sealed_for_its_owner_and_resealed(create, enrolled, monkeypatch):
    operator, secret, _codes = enrolled
    assert secret not in operator.sealed_totp
    with pytest.raises(vault.Unreadable):
        vault.unseal(operator.sealed_totp, "operators", operator.id + 1, "totp")
    assert second_factor.reseal(create.session) == 0
    monkeypatch.setenv("LOBBY_OLD_SECRET_KEYS", "0123456789abcdef" * 4)
    monkeypatch.setenv("LOBBY_SECRET_KEY", "fedcba9876543210" * 4)
    vault.settings.cache_clear()
    assert second_factor.reseal(create.session) == 1
    assert vault.is_current(operator.sealed_totp)
    assert vault.unseal(operator.sealed_totp, "operators", operator.id, "totp") == secret


def test_a_wrong_code_does_not_switch_it_on(create, now):
    operator, secret = create.operator("mei"), second_factor.new_secret()

    with pytest.raises(Refused):
        second_factor.enrol(create.session, operator, secret, code(secret, 5))
    create.session.refresh(operator)
    assert not second_factor.is_on(operator)


def test_the_picture_says_what_an_app_needs(create):
    operator = create.operator("小美 & co")

    assert second_factor.address(operator, "ABC") == (
        "otpauth://totp/Lobby:%E5%B0%8F%E7%BE%8E%20%26%20co?secret=ABC&issuer=Lobby"
    )

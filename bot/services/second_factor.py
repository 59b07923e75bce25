"""The second factor of a password: codes of RFC 6238, and recovery codes for the day the phone is lost."""

import base64
import hashlib
import hmac
import re
import secrets
import struct
from urllib.parse import quote

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Refused
from bot.services import vault
from models import Operator, affected

STEP_SECONDS, DIGITS = 30, 6
DRIFT = 1  # steps that a phone's clock may be off, either way
RECOVERY_CODES = 10


def new_secret() -> str:
    """160 random bits, as authenticator apps take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def address(operator: Operator, secret: str) -> str:
    """What the QR code says."""
    return f"otpauth://totp/Lobby:{quote(operator.name, safe='')}?secret={secret}&issuer=Lobby"


def code_at(secret: str, step: int, digits: int = DIGITS) -> str:
    """RFC 6238 over RFC 4226, with SHA-1: what every authenticator app knows."""
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1)
    offset = mac[-1] & 15
    number = int(struct.unpack(">I", mac[offset : offset + 4])[0]) & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def offer(operator: Operator, secret: str) -> str:
    """A secret that is not theirs yet, for a form to bring back unchanged."""
    return vault.seal(secret, "operators", operator.id, "totp offer")


def opened_offer(operator: Operator, sealed: str) -> str:
    """The secret of an offer, or a new one if it is not one of ours."""
    try:
        return vault.unseal(sealed, "operators", operator.id, "totp offer") or new_secret()
    except vault.Unreadable:
        return new_secret()


def is_on(operator: Operator) -> bool:
    return bool(operator.sealed_totp)


def enrol(session: Session, operator: Operator, secret: str, code: str) -> list[str]:
    """Switch it on once a code shows that the app has the secret; return recovery codes, told only here.

    Raises:
        Refused: the code does not fit.
    """
    step = _step_of(secret, code, after=0)
    if not step:
        raise Refused("This code does not fit; enter the one that the app shows now.", field="code")
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    session.execute(
        update(Operator)
        .where(Operator.id == operator.id)
        .values(
            sealed_totp=vault.seal(secret, "operators", operator.id, "totp"),
            totp_step=step,
            recovery_digests=[_digest(each) for each in codes],
        )
    )
    return codes


def switch_off(session: Session, operator: Operator) -> None:
    session.execute(
        update(Operator).where(Operator.id == operator.id).values(sealed_totp="", totp_step=0, recovery_digests=[])
    )


def reseal(session: Session) -> int:
    """Seal all secrets anew with the newest key; returns how many were touched."""
    operators = session.scalars(select(Operator).where(Operator.sealed_totp != "").with_for_update(key_share=True))
    stale = [each for each in operators if not vault.is_current(each.sealed_totp)]
    for operator in stale:
        place = ("operators", operator.id, "totp")
        operator.sealed_totp = vault.seal(vault.unseal(operator.sealed_totp, *place), *place)
    return len(stale)


def accept(session: Session, operator_id: int, code: str) -> bool:
    """Use a code up: one of the app's newer than the last that was used, or a recovery code."""
    operator = session.scalars(select(Operator).where(Operator.id == operator_id).with_for_update()).one()
    secret = vault.unseal(operator.sealed_totp, "operators", operator.id, "totp")
    step = _step_of(secret, code, after=operator.totp_step) if secret else 0
    if step:
        used = session.execute(
            update(Operator).where(Operator.id == operator.id, Operator.totp_step < step).values(totp_step=step)
        )
        return affected(used) == 1
    digest = _digest(code)
    if digest not in operator.recovery_digests:
        return False
    operator.recovery_digests = [each for each in operator.recovery_digests if each != digest]
    session.flush()
    return True


def _step_of(secret: str, code: str, after: int) -> int:
    """Which step's code this is, none before or at ``after``; 0: of none that may be used now."""
    code = re.sub(r"\s", "", code)
    now = int(clock.now().timestamp()) // STEP_SECONDS
    if not re.fullmatch(r"\d{6}", code, re.ASCII):
        return 0
    steps = range(max(now - DRIFT, after + 1), now + DRIFT + 1)
    return next((step for step in steps if hmac.compare_digest(code_at(secret, step), code)), 0)


def _recovery_code() -> str:
    """80 random bits in four groups that can be read off paper."""
    letters = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def _digest(code: str) -> str:
    return hashlib.sha256(re.sub(r"[\s-]", "", code).lower().encode()).hexdigest()

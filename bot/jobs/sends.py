"""Sends customer-service messages, each at most once."""

from datetime import timedelta

import structlog

from bot import clock
from bot.database import reading, transaction
from bot.services import assistant_answers, sends, tokens, vault
from bot.wechat.errors import OutcomeUnknown, QuotaReached, Temporary, TokenRefused, WeChatError
from bot.wechat.messages import ReplyAdapter
from bot.wechat.replies import as_customer_message
from models import Account, SendStatus

BACK_OFF = (5, 30, 120, 600)  # seconds before a message that was certainly not sent is tried again
UNSAYABLE = "A customer-service message cannot say this; it works only as a direct reply."

log = structlog.get_logger()


def deliver(send_id: int) -> None:
    """Send the first message waiting for this one's follower, if it may be sent now."""
    with transaction() as session:
        claim = sends.claim(session, send_id)
    if claim is None:
        return
    # The claim is committed: a crash from here on leaves an "unknown", never a second copy.
    try:
        body = as_customer_message(ReplyAdapter.validate_python(claim.reply))
        if body is None:
            _settle(claim, SendStatus.FAILED, error=UNSAYABLE)
            return
        with reading() as session:
            account = session.get_one(Account, claim.account_id)
            if assistant_answers.sent_by_it(session, claim.send_id):
                body["aimsgcontext"] = {"is_ai_msg": 1}  # the phone marks it as written by a machine
        tokens.client_for(account).send(claim.openid, body)
    except WeChatError as error:
        _refused(claim, error)
    except vault.Unreadable as error:  # the AppSecret or token, so before any call
        log.error("send.no_secret", send_id=claim.send_id, account_id=claim.account_id)
        _settle(claim, SendStatus.FAILED, error=str(error))
    else:
        _settle(claim, SendStatus.SENT)


def _refused(claim: sends.Claim, error: WeChatError) -> None:
    log.warning("send.refused", send_id=claim.send_id, account_id=claim.account_id, error=str(error))
    words = error.advice("en")
    match error:
        case OutcomeUnknown():
            _settle(claim, SendStatus.UNKNOWN, errcode=error.errcode, error=words)
        case QuotaReached():
            wait = timedelta(seconds=error.retry_after)
            _settle(claim, SendStatus.READY, errcode=error.errcode, error=words, wait=wait)
        case Temporary() | TokenRefused():
            wait = timedelta(seconds=BACK_OFF[min(claim.fence, len(BACK_OFF)) - 1])
            _settle(claim, SendStatus.READY, errcode=error.errcode, error=words, wait=wait)
        case _:  # the window is closed, the account is not set up, or WeChat does not take this message
            _settle(claim, SendStatus.FAILED, errcode=error.errcode, error=words)


def _settle(
    claim: sends.Claim,
    status: SendStatus,
    *,
    errcode: int | None = None,
    error: str = "",
    wait: timedelta | None = None,
) -> None:
    retry_at = clock.now() + wait if wait is not None else None
    with transaction() as session:
        if not sends.settle(
            session, claim.send_id, claim.fence, status, errcode=errcode, error=error, retry_at=retry_at
        ):
            log.warning("send.lease_lost", send_id=claim.send_id, status=status.value)


JOBS = (deliver,)

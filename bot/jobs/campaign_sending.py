"""Sends what the ledger gives out: claim and commit, call, record and commit."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from bot import clock
from bot.database import reading, transaction
from bot.fault_points import fault_point
from bot.services import campaign_contents, campaign_ledger, campaign_reports, tokens, vault
from bot.services.campaign_ledger import AHEAD, CALLS, LEASE, TEMPLATE_KEYED_FOR, Claim, Outcome
from bot.wechat import broadcasts, contents
from bot.wechat.client import Client
from bot.wechat.contents import Content, Notice, Stories, Template
from bot.wechat.errors import (
    BadConfiguration,
    NotSent,
    OutcomeUnknown,
    QuotaReached,
    Temporary,
    TokenRefused,
    WeChatError,
    WindowClosed,
)
from models import Account, Batch, BatchStatus, Campaign, CampaignStatus, Channel, DeliveryStatus

BACK_OFF = (5, 30, 120, 600)  # seconds
NOBODY_ELSE = (40003, 43004, 43019, 43101, 45015, 45047, 47003, 48002, 70000)  # refusals that are about one follower

log = structlog.get_logger()


def send(campaign_id: int, may_go_on: Callable[[], bool]) -> bool:
    """Send while there is something to send and time; True: more is left that can go on now."""
    with reading() as session:
        campaign = session.get_one(Campaign, campaign_id)
        account = session.get_one(Account, campaign.account_id)
        words = campaign_contents.contents_of(campaign)
        codes = campaign_contents.codes_of(session, campaign)
    client = tokens.client_for(account, keeps_token=True)
    try:
        if campaign.channel is Channel.MASS:
            return _Lists(campaign_id, client, words, codes).run(may_go_on)
        with ThreadPoolExecutor(CALLS) as pool:
            return _Each(campaign_id, client, words, codes, pool).run(may_go_on)
    except vault.Unreadable:  # before any call: the clock tries again, `lobby doctor` says what to do
        log.error("campaign.no_secret", campaign_id=campaign_id)
        with transaction() as session:
            campaign_ledger.stop(session.get_one(Campaign, campaign_id), "secret")
        return False
    finally:
        client.close()


class _Sending:
    """What both ways share: look, claim, and wait for the pace."""

    def __init__(
        self, campaign_id: int, client: Client, words: list[Content], codes: dict[int, dict[str, str]]
    ) -> None:
        self.campaign_id, self.client, self.words, self.codes = campaign_id, client, words, codes

    def may_send(self, campaign: Campaign, now: datetime) -> bool:
        is_parked = campaign.parked_until is not None and campaign.parked_until > now
        return campaign.status is CampaignStatus.SENDING and not is_parked

    def next_batch(self, session: Session, campaign: Campaign, now: datetime) -> Batch | None:
        """One that may go now: not in its followers' night."""
        while (batch := campaign_ledger.find_due(session, campaign, now)) is not None:
            if not campaign_ledger.is_quiet(session, campaign, batch, now):
                return batch
            session.flush()
        return None


class _Lists(_Sending):
    """Mass messages: a call for each batch, at most one a second in an account."""

    def run(self, may_go_on: Callable[[], bool]) -> bool:
        while may_go_on():
            now = clock.now()
            with transaction() as session:
                account, campaign = campaign_ledger.lock(session, self.campaign_id)
                batch = self.next_batch(session, campaign, now) if self.may_send(campaign, now) else None
                if batch is None:
                    campaign_ledger.finish(session, campaign)
                    return False
                wait = (campaign_ledger.next_mass(session, account) or now) - now - AHEAD
                claim = None
                if wait <= timedelta():
                    claim = campaign_ledger.claim_list(session, account, campaign, batch, now)
            if claim is not None:
                fault_point("K6 after claim commit")
                _sleep_until(claim.starts_at)
                self.call(claim)
            elif wait > timedelta():
                time.sleep(min(wait.total_seconds(), 0.5))
        return True

    def call(self, claim: Claim) -> None:
        content = campaign_contents.render(self.words[claim.variant], self._shared(), self.codes.get(claim.variant, {}))
        try:
            draft_id = self._draft(claim, content)
            if draft_id is None:
                return
            body = contents.mass_body(content, draft_id)
            fault_point("K8 before connect")
            if clock.now() >= claim.ends_at:  # this process stood still: another has it
                log.warning("campaign.lease_lost", batch_id=claim.batch_id)
                return
            made = self._submit(claim, body)
            fault_point("K11 after reply before settle")
        except WeChatError as error:
            log.warning("campaign.refused", batch_id=claim.batch_id, error=str(error))
            self._settle(claim, error)
        else:
            self._settle(claim, made)
        fault_point("K13 after settle")

    def _submit(self, claim: Claim, body: dict[str, object]) -> broadcasts.Submission:
        if claim.openids:
            return broadcasts.send_mass_openids(self.client, list(claim.openids.values()), body, claim.client_id)
        return broadcasts.send_mass_tag(self.client, self._tag(), body, claim.client_id)

    def _shared(self) -> dict[str, str]:
        with reading() as session:
            account = session.get_one(Account, session.get_one(Campaign, self.campaign_id).account_id)
            return campaign_contents.values_of(session, account, [0], (), clock.now())[0]

    def _tag(self) -> int | None:
        with reading() as session:
            return campaign_ledger.wechat_tag(session, self.campaign_id)

    def _draft(self, claim: Claim, content: Content) -> str | None:
        """Articles go as a draft, which is kept before it is used: a repeat must send the same; None: not ours now."""
        if not isinstance(content, Stories) or claim.draft_id:
            return claim.draft_id
        articles = [story.model_dump() for story in content.articles]
        draft_id = broadcasts.add_draft(self.client, articles)
        with transaction() as session:
            batch = campaign_ledger.held(session, claim.batch_id, claim.fence)
            if batch is None:
                return None
            batch.draft_id = draft_id
        return draft_id

    def _settle(self, claim: Claim, result: broadcasts.Submission | WeChatError) -> None:
        now = clock.now()
        with transaction() as session:
            _account, campaign = campaign_ledger.lock(session, self.campaign_id)
            batch = campaign_ledger.held(session, claim.batch_id, claim.fence)
            if batch is None:
                log.warning("campaign.lease_lost", batch_id=claim.batch_id)
                return
            if isinstance(result, broadcasts.Submission):
                fault_point("K12 inside settle")
                campaign_reports.accepted(session, batch, result.msg_id, result.msg_data_id)
                campaign_ledger.judge(campaign, [Outcome(DeliveryStatus.SENT)])
            else:
                _not_accepted(session, campaign, batch, claim, result, now)
            session.flush()
            campaign_ledger.finish(session, campaign)


def _not_accepted(
    session: Session, campaign: Campaign, batch: Batch, claim: Claim, error: WeChatError, now: datetime
) -> None:
    """A mass call that brought no number: WeChat said no, or it is not known (reliability-security 2.5)."""
    batch.errcode, batch.error = error.errcode, error.errmsg[:200]
    later = now + timedelta(seconds=BACK_OFF[min(batch.attempts, len(BACK_OFF)) - 1])
    match error:
        case QuotaReached():
            campaign_ledger.park(session, campaign, now + timedelta(seconds=error.retry_after), error.errcode)
            _give_back(session, batch, claim, now)
        case BadConfiguration():
            campaign_ledger.stop(campaign, "configuration", error.errcode)
            _give_back(session, batch, claim, now)
        case NotSent():
            _give_back(session, batch, claim, later)
        case Temporary() | OutcomeUnknown() | TokenRefused():
            if error.errcode == 45066:
                later = now + timedelta(seconds=61)
            if isinstance(error, TokenRefused) and batch.attempts >= len(BACK_OFF):
                campaign_ledger.stop(campaign, "token", error.errcode)
            campaign_ledger.release(batch, BatchStatus.UNKNOWN, later)
        case _:
            end = BatchStatus.FAILED, DeliveryStatus.FAILED
            if not claim.is_first:  # of the try before, which brought no answer, a refusal says nothing
                end = BatchStatus.REVIEW, DeliveryStatus.UNKNOWN
            campaign_ledger.close_list(session, batch, *end)
            campaign_ledger.stop(campaign, "refused", error.errcode)


def _give_back(session: Session, batch: Batch, claim: Claim, due_at: datetime) -> None:
    """This call certainly did nothing; whether an earlier one did is known only where there was none."""
    if claim.is_first:
        campaign_ledger.unfreeze(session, batch)
    campaign_ledger.release(batch, BatchStatus.READY if claim.is_first else BatchStatus.UNKNOWN, due_at)


class _Each(_Sending):
    """A call for each follower: some at once, and none that was not committed before."""

    def __init__(self, campaign_id: int, client: Client, words: list[Content], codes: dict[int, dict[str, str]],
                 pool: ThreadPoolExecutor) -> None:  # fmt: skip
        super().__init__(campaign_id, client, words, codes)
        self.pool = pool
        self.names = {name for content in words for name in campaign_contents.names_in(content)}
        self.halted: WeChatError | None = None

    def run(self, may_go_on: Callable[[], bool]) -> bool:
        claim: Claim | None = None
        outcomes: dict[int, Outcome] = {}
        while True:
            go_on, wait = may_go_on(), 0.0
            values: dict[int, dict[str, str]] = {}
            with transaction() as session:
                now = clock.now()
                account, campaign = campaign_ledger.lock(session, self.campaign_id)
                batch = campaign_ledger.held(session, claim.batch_id, claim.fence) if claim else None
                fence = claim.fence if claim and batch else None
                if claim is not None and batch is not None:
                    campaign_ledger.settle_some(session, campaign, batch, claim, outcomes, now)
                    # What is tried again was first tried at most so long ago as WeChat knows its key.
                    since = claim.ends_at - LEASE - (timedelta() if claim.is_first else TEMPLATE_KEYED_FOR)
                    campaign_reports.came_early(session, account, campaign, outcomes, since)
                    self._react(session, campaign, batch, outcomes, now)
                elif claim is not None:
                    log.warning("campaign.lease_lost", batch_id=claim.batch_id)
                claim, outcomes = None, {}
                may = self.may_send(campaign, now) and go_on
                if batch is not None and batch.status is not BatchStatus.SENDING:
                    batch = fence = None  # given back
                if batch is not None and (not may or campaign_ledger.is_quiet(session, campaign, batch, now)):
                    campaign_ledger.release(batch, BatchStatus.READY, max(batch.due_at, now))
                    batch = fence = None
                if may and batch is None:
                    batch = self.next_batch(session, campaign, now)
                if not may or batch is None:
                    session.flush()
                    campaign_ledger.finish(session, campaign)
                    return may or (self.may_send(campaign, now) and not go_on)
                wait = ((campaign.next_at or now) - now - AHEAD / 2).total_seconds() if campaign.pace else 0.0
                if wait > 0:
                    claim = _keep(batch, fence, now)
                else:
                    is_new = fence is None
                    claim = campaign_ledger.claim_some(session, account, campaign, batch, now, fence)
                    if is_new:
                        campaign_reports.of_the_dead(session, account, campaign, batch)
                    if claim is not None:
                        values = campaign_contents.values_of(session, account, claim.openids, self.names, now)
            fault_point("K6 after claim commit")
            if wait > 0:
                time.sleep(min(wait, 0.25))
            elif claim is not None:
                outcomes = self.call(claim, values)
                fault_point("K11 after reply before settle")

    def call(self, claim: Claim, values: dict[int, dict[str, str]]) -> dict[int, Outcome]:
        """All of a claim at once, spread as the pace says."""
        self.halted = None
        content, codes = self.words[claim.variant], self.codes.get(claim.variant, {})
        step = claim.seconds / max(1, len(claim.openids))
        begins = time.monotonic() + (claim.starts_at - clock.now()).total_seconds()

        def one(item: tuple[int, tuple[int, str]]) -> Outcome:
            at, (follower_id, openid) = item
            rendered = campaign_contents.render(content, values[follower_id], codes, follower_id)
            if (wait := begins + at * step - time.monotonic()) > 0:
                time.sleep(wait)
            if self.halted is not None or clock.now() >= claim.ends_at:
                return Outcome(DeliveryStatus.PENDING, is_judged=False)
            try:
                return Outcome(DeliveryStatus.SENT, msg_id=deliver(self.client, openid, rendered, claim.client_id))
            except WeChatError as error:
                return self._refused(error, claim.is_first)

        outcomes = dict(zip(claim.openids, self.pool.map(one, enumerate(claim.openids.items())), strict=True))
        if claim.is_first:
            return outcomes
        # What may have arrived with an earlier try stays as it is, so that its key is not taken for a young one.
        return {each: outcome for each, outcome in outcomes.items() if outcome.status is not DeliveryStatus.PENDING}

    def _refused(self, error: WeChatError, is_first: bool) -> Outcome:
        failed = DeliveryStatus.FAILED if is_first else DeliveryStatus.UNKNOWN  # of the try before it says nothing
        match error:
            case QuotaReached() | BadConfiguration() | TokenRefused():
                self.halted = error
                return Outcome(DeliveryStatus.PENDING, error.errcode, is_judged=False)
            case WindowClosed():
                return Outcome(failed, error.errcode, is_judged=False)
            case Temporary():
                self.halted = error
                return Outcome(DeliveryStatus.PENDING, error.errcode)
            case OutcomeUnknown():
                return Outcome(DeliveryStatus.UNKNOWN, error.errcode)
            case _:
                return Outcome(failed, error.errcode, is_judged=error.errcode not in NOBODY_ELSE)

    def _react(
        self, session: Session, campaign: Campaign, batch: Batch, outcomes: dict[int, Outcome], now: datetime
    ) -> None:
        """What concerns the account, or WeChat as a whole, holds the campaign and not its followers."""
        error, self.halted = self.halted, None
        if any(outcome.status is DeliveryStatus.SENT for outcome in outcomes.values()):
            batch.attempts = 0
        match error:
            case None:
                return
            case QuotaReached():
                campaign_ledger.park(session, campaign, now + timedelta(seconds=error.retry_after), error.errcode)
                due_at = now
            case BadConfiguration() | TokenRefused():
                why = "token" if isinstance(error, TokenRefused) else "configuration"
                campaign_ledger.stop(campaign, why, error.errcode)
                due_at = now
            case _:
                batch.attempts += 1
                due_at = now + timedelta(seconds=BACK_OFF[min(batch.attempts, len(BACK_OFF)) - 1])
        campaign_ledger.release(batch, BatchStatus.READY, due_at)


def _keep(batch: Batch, fence: int | None, now: datetime) -> Claim | None:
    """An empty claim, to hold on to a batch while the pace makes us wait."""
    if fence is None:
        return None
    return Claim(batch.id, batch.number, fence, batch.variant, batch.client_id, {}, now, now)


def deliver(client: Client, openid: str, content: Content, client_id: str) -> int | None:
    """One call; the number that its report will name, on the channel that has one."""
    match content:
        case Template():
            program = content.miniprogram.model_dump() if content.miniprogram else None
            return broadcasts.send_template(client, openid, content.template_id, content.values, client_id=client_id,
                                            url=content.url, miniprogram=program)  # fmt: skip
        case Notice():
            program = content.miniprogram.model_dump() if content.miniprogram else None
            broadcasts.send_subscription(client, openid, content.template_id, content.values, page=content.url,
                                         miniprogram=program)  # fmt: skip
        case _:
            client.send(openid, contents.service_body(content))
    return None


def _sleep_until(at: datetime) -> None:
    if (wait := (at - clock.now()).total_seconds()) > 0:
        time.sleep(min(wait, 1.5))

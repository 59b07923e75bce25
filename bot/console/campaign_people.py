"""Who was meant to get a campaign, and what became of each: the list, one follower's story, the export."""

import csv
import io
from collections.abc import Iterator, Sequence

from flask import Response, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from bot.console import campaign_words, words
from bot.console.blueprint import account_slug, blueprint, current_account, record, requires, row_number
from bot.console.language import _, look_up
from bot.console.pages import show
from bot.console.segment_form import number_of
from bot.console.when import zone
from bot.database import reading, transaction
from bot.services import accounts, campaign_progress, campaigns, followers
from bot.services.campaign_progress import Recipient
from models import Campaign, DeliveryStatus

PAGE, FOUND = 50, 12
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # spreadsheets run what begins so


@blueprint.get("/<account>/campaigns/<int:campaign_id>/recipients")
@requires("campaigns:read")
def campaign_recipients(campaign_id: int) -> ResponseReturnValue:
    """All, or those in one state; with ?search= the followers of that name, with ?follower_id= one and why."""
    account, wanted = current_account(), request.args.get("status", "")
    status = DeliveryStatus(wanted) if wanted in set(DeliveryStatus) else None
    reason, search = request.args.get("reason", ""), request.args.get("search", "").strip()
    errcode, after = request.args.get("errcode", type=row_number), request.args.get("after", 0, type=row_number)
    follower_id = number_of(request.args.get("follower_id", ""))
    with reading() as session:
        campaign = campaigns.get(session, account, campaign_id)
        people = followers.page(session, account, search=search, limit=FOUND) if search else []
        if len(people) == 1 and follower_id is None:
            follower_id = people[0].id
        one = followers.get(session, account, follower_id) if follower_id else None
        recipient = campaign_progress.find(session, campaign, one.id) if one else None
        found = campaign_progress.recipients(
            session, campaign, status=status, reason=reason, errcode=errcode, after=after, limit=PAGE + 1
        )
        narrowed = {"status": status and status.value, "reason": reason or None, "errcode": errcode}
        return show(
            "campaigns/recipients.html",
            campaign=campaign,
            campaign_words=campaign_words,
            found=[(each, _why(campaign, each)) for each in found[:PAGE]],
            next=found[PAGE - 1].follower.id if len(found) > PAGE else None,
            after=after,
            narrowed=narrowed,
            status=status,
            filters=[("", _("all")), *((value.value, campaign_words.delivery(value)[0]) for value in FILTERS)],
            search=search,
            people=people,
            one=one,
            recipient=recipient,
            why=_why(campaign, recipient),
            here=url_for("console.campaign_recipients", campaign_id=campaign_id),
        )


@blueprint.post("/<account>/campaigns/<int:campaign_id>/export")
@requires("campaigns:write")
def export_campaign(campaign_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        campaign = campaigns.get(session, account, campaign_id)
        record(session, account, "campaigns.export", f"campaign {campaign.id}")
    headers = {"Content-Disposition": f'attachment; filename="campaign-{campaign.id}.csv"'}
    lines = stream_with_context(_lines(campaign))
    return Response(lines, content_type="text/csv; charset=utf-8", headers=headers)


FILTERS = (
    DeliveryStatus.SENT,
    DeliveryStatus.PENDING,
    DeliveryStatus.FAILED,
    DeliveryStatus.UNKNOWN,
    DeliveryStatus.EXCLUDED,
    DeliveryStatus.CANCELLED,
)


def _why(campaign: Campaign, found: Recipient | None) -> str:
    sentence = look_up(campaign_progress.explain(campaign, found))
    if found is None or found.delivery.errcode is None:
        return sentence
    return f"{sentence} {campaign_words.advice(found.delivery.errcode)} ({found.delivery.errcode})"


def _lines(campaign: Campaign) -> Iterator[str]:
    head = ["id", "openid", _("Name"), _("State"), _("Why"), _("WeChat's code"), _("Variant"), _("Time")]
    yield "\ufeff" + line(head)  # the mark by which spreadsheets know that it is UTF-8
    names = [each["name"] for each in campaign.variants]
    with reading() as session:
        for each in campaign_progress.rows(session, campaign):
            delivery, at = each.delivery, each.delivery.at
            yield line(
                [
                    str(each.follower.id),
                    each.follower.openid,
                    words.person(each.follower.name),
                    campaign_words.delivery(delivery.status)[0],
                    campaign_words.reasons().get(delivery.reason, delivery.reason),
                    "" if delivery.errcode is None else str(delivery.errcode),
                    names[delivery.variant],
                    at.astimezone(zone()).strftime("%Y-%m-%d %H:%M:%S") if at else "",
                ]
            )


def line(cells: Sequence[str]) -> str:
    """One line of a CSV, in which nothing is a formula."""
    out = io.StringIO()
    csv.writer(out).writerow(f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells)
    return out.getvalue()

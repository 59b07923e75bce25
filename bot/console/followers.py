"""The list of followers: finding, narrowing, changing many at once, taking it along."""

import csv
import io
from collections.abc import Iterator, Sequence

from flask import Response, redirect, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from bot.console import words
from bot.console.blueprint import (
    account_slug,
    acting_operator,
    blueprint,
    current_account,
    own_path,
    record,
    requires,
    row_number,
)
from bot.console.language import _, _n
from bot.console.pages import say, show
from bot.console.when import zone
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import accounts, fields, follower_sync, followers, stages, tags, tasks
from bot.services.fields import Value
from bot.services.followers import Filter
from models import Account, Field, Follower

PAGE = 50
EXPORTED_AT_ONCE = 500
KEEP = "keep"  # of a change of many: leave as it is
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


@blueprint.get("/<account>/followers")
@requires("followers:read")
def followers_list() -> ResponseReturnValue:
    account, before = current_account(), request.args.get("before", type=row_number)
    with reading() as session:
        found = followers.page(session, account, before=before, limit=PAGE + 1, **_wanted())
        return show(
            "followers/list.html",
            found=found[:PAGE],
            older=found[PAGE - 1].id if len(found) > PAGE else None,
            is_first=before is None,
            chosen=_chosen(),
            count=followers.count(session, account),
            stages=stages.list_all(session, account),
            owners=followers.possible_owners(session, account),
            owner_names=followers.owner_names(session, found),
            tags=tags.list_all(session, account),
            task=tasks.latest(session, account, follower_sync.KIND),
        )


@blueprint.get("/<account>/followers/export")
@requires("followers:read")
def export_followers() -> ResponseReturnValue:
    """The list as it is narrowed, as a file for spreadsheets; who took it along is in the audit log."""
    with transaction() as session:
        account = accounts.get(session, account_slug())
        record(session, account, "followers.export", request.query_string.decode()[:200])
        known = fields.list_all(session, account)
    lines = stream_with_context(_lines(account, known, _wanted()))
    name = f"attachment; filename=followers-{account.slug}.csv"
    return Response(lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


@blueprint.post("/<account>/followers/bulk")
@requires("followers:write")
def change_followers() -> ResponseReturnValue:
    back = own_path(request.form.get("next", ""))
    ids = [int(each) for each in request.form.getlist("ids") if each.isdecimal() and len(each) < 19]
    stage, owner = request.form.get("stage", KEEP), request.form.get("owner", KEEP)
    try:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            many, who = followers.get_many(session, account, ids), acting_operator().name
            for one in many:
                if stage != KEEP:
                    followers.set_stage(session, account, one, number_of(stage), who)
                if owner != KEEP:
                    followers.set_owner(session, account, one, number_of(owner), who)
            record(session, account, "followers.change_many", f"{len(many)} followers")
    except Refused as refused:
        if refused.status == 404:
            raise
        say(_(refused.template, **refused.values), "bad")
        return redirect(back)
    say(_n("{n} follower changed.", "{n} followers changed.", len(many)))
    return redirect(back)


@blueprint.post("/<account>/followers/sync")
@requires("followers:write")
def sync_followers() -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        follower_sync.start(session, account)
        record(session, account, "followers.sync")
    return redirect(url_for("console.followers_list"))


def number_of(value: str) -> int | None:
    """A row's number out of a form; "" is none, and what is no number is nobody's."""
    return None if value == "" else int(value) if value.isdecimal() and len(value) < 19 else 0


def _chosen() -> dict[str, str]:
    """What the address narrows the list by, for links that keep it."""
    names = ("search", "state", "stage", "owner", "tag")
    return {name: value for name in names if (value := request.args.get(name, "").strip())}


def _wanted() -> Filter:
    chosen = _chosen()

    def number(name: str) -> int | None:
        return number_of(chosen.get(name, ""))  # "none" is no number, so 0: NOBODY

    return {
        "search": chosen.get("search", ""),
        "stage_id": number("stage"),
        "owner_id": number("owner"),
        "tag_id": number("tag"),
        "is_subscribed": {"follows": True, "left": False}.get(chosen.get("state", "")),
    }


def _lines(account: Account, known: list[Field], wanted: Filter) -> Iterator[str]:
    head = [
        "id", "openid", _("Name"), _("Nickname"), _("Remark"), _("State"), _("Stage"), _("Contact owner"), _("Tags"),
        _("Follows since"), _("Last seen"), *(field.name for field in known),
    ]  # fmt: skip
    yield "\ufeff" + _line(head)  # the mark by which spreadsheets know that it is UTF-8
    before = None
    while True:
        with reading() as session:  # a page each, so that no long reading holds the database back
            found = followers.page(session, account, before=before, limit=EXPORTED_AT_ONCE, **wanted)
            names = {stage.id: stage.name for stage in stages.list_all(session, account)}
            owners = followers.owner_names(session, found)
            values = fields.values(session, known, [one.id for one in found])
            for one in found:
                mine = values.get(one.id, {})
                yield _line(
                    [
                        *_cells(one, names.get(one.stage_id or 0, ""), owners.get(one.owner_id or 0, "")),
                        *(_plain(mine.get(field.id)) for field in known),
                    ]
                )
        if len(found) < EXPORTED_AT_ONCE:
            return
        before = found[-1].id


def _cells(one: Follower, stage: str, owner: str) -> list[str]:
    times = [at.astimezone(zone()).strftime("%Y-%m-%d %H:%M") if at else "" for at in (one.subscribed_at, one.seen_at)]
    state = _("follows") if one.is_subscribed else _("left")
    tags = ", ".join(tag.name for tag in one.tags)
    name = words.person(one.name)
    return [str(one.id), one.openid, name, one.nickname, one.remark, state, stage, owner, tags, *times]


def _plain(value: Value | None) -> str | float:
    """A number stays one, also below zero: no spreadsheet runs it."""
    return value if isinstance(value, float) else fields.shown(value)


def _line(cells: Sequence[str | float]) -> str:
    out = io.StringIO()
    safe = (f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in cells)
    csv.writer(out).writerow(safe)
    return out.getvalue()

"""The composer: one page on which a campaign is written, shown as a phone shows it, tried, and kept as a draft."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy.orm import Session

from bot.console import campaign_form, campaign_starts, campaign_words
from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, record, requires
from bot.console.campaign_clash import sides
from bot.console.forms import Form
from bot.console.language import _, look_up
from bot.console.pages import say, show
from bot.console.rule_words import Side
from bot.console.segment_form import number_of
from bot.database import reading, transaction
from bot.errors import Conflict, Forbidden, NotFound, Refused
from bot.services import (
    abilities,
    accounts,
    campaign_contents,
    campaign_control,
    campaign_tests,
    campaigns,
    followers,
    segments,
    tags,
    tasks,
)
from bot.services.campaign_contents import Problem
from bot.wechat import limits
from models import Account, Campaign, CampaignStatus, Channel, Follower

FOUND = 6  # followers by a name, to preview with


@blueprint.route("/<account>/campaigns/new", methods=["GET", "POST"])
@requires("campaigns:write")
def add_campaign() -> ResponseReturnValue:
    """With ?goal=, begun with an example."""
    form = campaign_starts.form_for(request.args.get("goal", ""), _first_channel(current_account()))
    return _answer(form, None)


@blueprint.route("/<account>/campaigns/<int:campaign_id>/plan", methods=["GET", "POST"])
@requires("campaigns:read", to_change="campaigns:write")
def campaign_plan(campaign_id: int) -> ResponseReturnValue:
    with reading() as session:
        found = campaigns.get(session, current_account(), campaign_id)
    if found.status is not CampaignStatus.DRAFT and request.method == "GET":
        return redirect(url_for("console.campaign", campaign_id=found.id))
    return _answer(campaign_form.form_of(found), found)


@blueprint.post("/<account>/campaigns/preview")
@requires("campaigns:read")
def preview_campaign() -> ResponseReturnValue:
    """How a follower reads what stands in the form now; nothing is kept."""
    form = campaign_form.read(request.form)
    with reading() as session:
        look = _look(session, current_account(), form)
    return show("campaigns/preview.html", form=form, look=look, campaign_words=campaign_words)


def _answer(form: Form, campaign: Campaign | None) -> ResponseReturnValue:
    if request.method == "GET":
        return _page(form, campaign)
    form, action = campaign_form.read(request.form), request.form.get("do", "save")
    if action.startswith(("add", "remove", "look")):
        return _page(form, campaign, focus=campaign_form.act(form, action))
    clash: list[Side] = []
    try:
        saved = _save(form, campaign, action == "test")
    except ValidationError as problem:
        campaign_form.refuse(form, problem)
    except Conflict as refused:
        if campaign is None:
            raise
        with reading() as session:
            now = campaigns.get(session, current_account(), campaign.id)
        form.errors["seen"] = refused.sentence(look_up)
        clash = sides(campaign_form.form_of(now).values, form.values)
        form.values["seen"] = now.version  # who saves again has read this
    except (NotFound, Forbidden):
        raise
    except Refused as refused:
        campaign_form.refuse(form, refused)
    else:
        if action == "check":
            return redirect(url_for("console.check_campaign", campaign_id=saved.id))
        say(_("The test is on its way.") if action == "test" else _("“{name}” is saved as a draft.", name=saved.name))
        kept: dict[str, Any] = {name: request.form.get(name) or None for name in ("as", "as_search", "shown")}
        return redirect(url_for("console.campaign_plan", campaign_id=saved.id, **kept))
    return _page(form, campaign, clash=clash)


def _save(form: Form, campaign: Campaign | None, is_test: bool) -> Campaign:
    draft = campaign_form.draft_of(form)
    with transaction() as session:
        account, who = accounts.get(session, account_slug()), acting_operator().name
        kept = campaigns.get(session, account, campaign.id) if campaign else None
        seen = number_of(str(form.at("seen"))) if kept else None
        saved = campaigns.save(session, account, draft, kept, seen=seen, who=who)
        record(session, account, "campaigns.edit" if kept else "campaigns.add", f"campaign {saved.id}")
    if is_test:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            saved, whom = campaigns.get(session, account, saved.id), number_of(str(form.at("as")))
            form.values["seen"] = saved.version
            if whom is None:
                raise Refused("Choose beside the phone who gets the test.", field="as")
            follower = followers.get(session, account, whom)
            campaign_tests.send(session, account, saved, _shown(form, saved), follower)
            record(session, account, "campaigns.test", f"campaign {saved.id}, follower {follower.id}")
    return saved


def _page(
    form: Form, campaign: Campaign | None, *, focus: str = "", clash: list[Side] | None = None
) -> ResponseReturnValue:
    account = current_account()
    if request.method == "GET":
        form.values.update({name: request.args[name] for name in ("as", "as_search", "shown") if name in request.args})
    with reading() as session:
        return show(
            "campaigns/edit.html",
            409 if form.error("seen") else 422 if form.errors else 200,
            form=form,
            campaign_words=campaign_words,
            campaign=campaign,
            look=_look(session, account, form, looks=request.method == "POST" or "X-Live" not in request.headers),
            focus=focus,
            clash=clash or [],
            channels=_channels(account),
            lists=_ability(account, "send_to_chosen"),
            variables=campaign_contents.known_names(session, account),
            options=_options(session, account),
            task=tasks.latest(session, account, campaign_tests.KIND) if campaign else None,
            limits=limits,
            most_variants=campaign_form.MOST_VARIANTS,
            here=request.full_path.rstrip("?")
            if request.method == "GET" or campaign is None
            else url_for("console.campaign_plan", campaign_id=campaign.id),
        )


def _look(session: Session, account: Account, form: Form, *, looks: bool = True) -> dict[str, Any]:
    """The phone: what is said, to whom it is shown, and what is wrong with it.

    ``looks``: among the followers; what a live part of the page asks for every few seconds needs none of them.
    """
    plan = campaign_form.sketch(session, account, form)
    people, problems = _worst(session, account, plan) if looks else ([], [])
    search = str(form.at("as_search")).strip()
    others = followers.page(session, account, search=search, limit=FOUND) if search else []
    chosen = number_of(str(form.at("as")))
    known = {each.id: each for each in [*people, *others]}
    if chosen is not None and chosen not in known:
        try:
            known[chosen] = followers.get(session, account, chosen)
            others = [*others, known[chosen]]
        except NotFound:
            chosen = None
    chosen = chosen if chosen is not None else next(iter(known), None)
    shown = min(number_of(str(form.at("shown"))) or 0, len(form.values["variants"]) - 1)
    content = None
    if shown in plan.contents:
        place, follower = plan.places.index(shown), known.get(chosen or 0)
        content = campaign_tests.preview(session, account, plan.campaign, place, follower)
    return {
        "content": content.model_dump() if content else None,
        "people": people,
        "others": [each for each in others if each.id not in {one.id for one in people}],
        "search": search,
        "chosen": chosen,
        "shown": shown,
        "variants": [(at, row.get("name", "")) for at, row in enumerate(form.values["variants"])],
        "problems": [
            {
                "text": look_up(each.sentence).format(**each.values),
                "is_error": each.is_error,
                "variant": plan.places[each.variant],
            }
            for each in problems
        ],
    }


def _worst(session: Session, account: Account, plan: campaign_form.Sketch) -> tuple[list[Follower], list[Problem]]:
    try:
        people = campaign_tests.worst_cases(session, account, plan.campaign)
        return people, campaign_tests.problems(session, account, plan.campaign) if plan.places else []
    except Refused:  # nobody was chosen yet
        return [], []


def _options(session: Session, account: Account) -> dict[str, list[tuple[int, str]]]:
    known = tags.list_all(session, account)
    return {
        "segments": [(each.id, each.name) for each in segments.list_all(session, account)],
        "tags": [(each.id, each.name) for each in known],
        "wechat_tags": [(each.id, each.name) for each in known if each.wechat_id],
    }


def _shown(form: Form, campaign: Campaign) -> int:
    return min(number_of(str(form.at("shown"))) or 0, len(campaign.variants) - 1)


def _channels(account: Account) -> dict[str, str]:
    """Channel → why the account may not send so; "" where it may."""
    whys = {channel.value: _ability(account, name) for channel, name in campaign_control.MAY.items()}
    mass = min((_ability(account, name) for name in ("send_to_chosen", "broadcast")), key=len)
    return {Channel.MASS.value: mass, **whys}


def _ability(account: Account, name: str) -> str:
    """Why it may not; "": it may."""
    return next(each.why for each in abilities.of(account) if each.name == name)


def _first_channel(account: Account) -> str:
    return next((name for name, why in _channels(account).items() if not why), Channel.MASS.value)

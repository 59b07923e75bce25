"""A campaign's parts in the operator's words: what it is, how it stands, and what to do about it."""

from dataclasses import dataclass

from bot.console.language import _, _n, language, number
from bot.console.when import moment
from bot.services import campaign_links
from bot.wechat import errors
from models import Campaign, CampaignStatus, Channel, DeliveryStatus, Reach


def channels() -> dict[str, tuple[str, str, str]]:
    """Channel → name, icon, and in one line what it is for."""
    return {
        Channel.MASS: (_("Mass message"), "megaphone", _("To many at once. A follower gets at most four a month.")),
        Channel.SERVICE: (
            _("Service message"), "message-circle", _("To those who wrote or tapped lately: WeChat's reply window."),
        ),
        Channel.TEMPLATE: (_("Template message"), "receipt-text", _("About an order or a date, by a template.")),
        Channel.NOTICE: (
            _("Subscription notice"), "bell-ring", _("To those who agreed to it: one for each time they did."),
        ),
    }  # fmt: skip


def kinds() -> dict[str, tuple[str, str]]:
    """Kind of content → name and icon."""
    return {
        "text": (_("Text"), "type"),
        "articles": (_("Articles"), "newspaper"),
        "image": (_("Image"), "image"),
        "voice": (_("Voice"), "mic"),
        "video": (_("Video"), "video"),
        "link": (_("Link card"), "link"),
        "miniprogram": (_("Mini Program card"), "app-window"),
        "template": (_("Template message"), "receipt-text"),
        "notice": (_("Subscription notice"), "bell-ring"),
    }


def status(campaign: Campaign) -> tuple[str, str, str]:
    """How it stands: a word, the badge's colour, an icon."""
    return statuses()[campaign.status]


def statuses() -> dict[CampaignStatus, tuple[str, str, str]]:
    return {
        CampaignStatus.DRAFT: (_("draft"), "", "pencil"),
        CampaignStatus.PREPARING: (_("being prepared"), "info", "list-checks"),
        CampaignStatus.WAITING: (_("waits for approval"), "warn", "user-check"),
        CampaignStatus.SCHEDULED: (_("scheduled"), "info", "calendar-clock"),
        CampaignStatus.MISSED: (_("start missed"), "warn", "alarm-clock-off"),
        CampaignStatus.SENDING: (_("being sent"), "good", "send"),
        CampaignStatus.PAUSED: (_("paused"), "warn", "circle-pause"),
        CampaignStatus.FINISHED: (_("finished"), "good", "circle-check"),
        CampaignStatus.CANCELLED: (_("cancelled"), "", "circle-x"),
    }


def delivery(value: DeliveryStatus) -> tuple[str, str]:
    """What became of one follower's message: a word and the badge's colour."""
    return deliveries()[value]


def deliveries() -> dict[DeliveryStatus, tuple[str, str]]:
    return {
        DeliveryStatus.SENT: (_("sent"), "good"),
        DeliveryStatus.PENDING: (_("still to be sent"), ""),
        DeliveryStatus.SENDING: (_("being sent"), "info"),
        DeliveryStatus.FAILED: (_("not sent"), "bad"),
        DeliveryStatus.UNKNOWN: (_("not confirmed"), "warn"),
        DeliveryStatus.EXCLUDED: (_("left out"), ""),
        DeliveryStatus.CANCELLED: (_("cancelled"), ""),
    }


def reasons() -> dict[str, str]:
    """Why a follower gets nothing, as a name for a row of a table."""
    return {
        "left": _("no longer follow"),
        "blocked": _("on the blocklist"),
        "opted_out": _("have opted out"),
        "excluded": _("in an excluded segment"),
        "monthly": _("had this month's four already"),
        "no_window": _("reply window closed"),
        "capped": _("had enough lately (cap)"),
        "held_out": _("held out, to compare with"),
        "alone": _("alone on a list"),
    }


def audience(campaign: Campaign, segments: dict[int, str], tags: dict[int, str]) -> str:
    if campaign.reach is Reach.ALL:
        return _("all, by WeChat")
    if campaign.reach is Reach.TAG:
        return _("tag “{name}”", name=tags.get(campaign.tag_id or 0, "—"))
    if campaign.to_everyone:
        return _("everyone who follows")
    name = segments.get(campaign.segment_id or 0)
    return _("segment “{name}”", name=name) if name else _("nobody chosen yet")


def when(campaign: Campaign) -> str:
    """When it begins, or began."""
    at = campaign.starts_at or campaign.launched_at
    if campaign.status is not CampaignStatus.DRAFT and at:
        return moment(at)
    return campaign.starts.replace("T", " ") if campaign.starts else _("at once")


def advice(errcode: int) -> str:
    """What a code of WeChat's means and what to do."""
    return errors.refusal(errcode, "", "").advice("zh-CN" if language() == "zh" else "en")


@dataclass(frozen=True, slots=True)
class Said:
    """How a campaign stands in a sentence, why, and what to do next."""

    title: str
    why: str = ""
    next: str = ""


def said(campaign: Campaign, left: int, waits_until: str = "") -> Said:
    """``waits_until``: no message goes before then, though it is being sent: quiet hours."""
    match campaign.status:
        case CampaignStatus.PREPARING:
            return Said(_("Writing down who gets it"), _("Nothing has been sent. You can still take it back."))
        case CampaignStatus.WAITING:
            why = _("It goes to more followers than one person may decide about alone.")
            return Said(_("Waits for a second person"), why, _("Anybody else who may send campaigns can approve it."))
        case CampaignStatus.SCHEDULED:
            return Said(_("Begins {when}", when=moment(campaign.starts_at)), _("Its audience is written down."))
        case CampaignStatus.MISSED:
            why = _("It was due {when}, and nothing ran then.", when=moment(campaign.starts_at))
            return Said(_("The start was missed"), why, _("Send it now, move it, or cancel it. Nothing was sent."))
        case CampaignStatus.PAUSED:
            return _paused(campaign, left)
        case CampaignStatus.SENDING if waits_until:
            why = _("It is night where the next followers live, or their time has not come.")
            return Said(_("Goes on {when}", when=waits_until), why, _("Nothing to do: it goes on by itself."))
        case CampaignStatus.SENDING if campaign.parked_until is not None:
            title = _("WeChat's quota is used up until {when}", when=moment(campaign.parked_until))
            return Said(title, _coded(campaign), _("It goes on by itself then. Campaigns on other channels go on now."))
        case CampaignStatus.SENDING:
            return Said(_("Being sent"))
        case CampaignStatus.CANCELLED:
            return Said(_("Cancelled"), _n("One follower got nothing.", "{n} followers got nothing.", left))
        case _:
            return Said(_("Finished"))


def _paused(campaign: Campaign, left: int) -> Said:
    waiting = _n("One follower is left; nobody is written to twice.",
                 "{n} followers are left; nobody is written to twice.", left)  # fmt: skip
    match campaign.why:
        case "breaker":
            why = _("More than half of the last messages failed, so Lobby stopped by itself.")
            return Said(_("Stopped by itself"), _coded(campaign, why), _("Look at the errors below, then go on."))
        case "token":
            then = _("Check the AppSecret under Settings, then go on.")
            return Said(_("WeChat refuses our token"), _coded(campaign), then)
        case "configuration":
            then = _("Mend this in WeChat's console, then go on. The Health page checks it.")
            return Said(_("The account is not set up for this"), _coded(campaign), then)
        case "secret":
            why = _("The AppSecret cannot be read with this server's key.")
            return Said(_("The AppSecret cannot be read"), why, _("Enter it again under Settings, then go on."))
        case "refused":
            then = _("This call was refused as a whole. Take the failed ones up again below, or go on with the others.")
            return Said(_("WeChat refused the message"), _coded(campaign), then)
    return Said(_("Paused"), waiting)


def _coded(campaign: Campaign, sentence: str = "") -> str:
    """With what WeChat's code means."""
    if campaign.errcode is None:
        return sentence
    means = f"{advice(campaign.errcode)} ({campaign.errcode})"
    return f"{sentence} {means}" if sentence else means


def launches(deliverable: int, *, is_later: bool, needs_approval: bool) -> str:
    """The button's words: what pressing it does."""
    if needs_approval:
        return _n("Ask for approval for one follower", "Ask for approval for {n} followers", deliverable)
    if is_later:
        return _n("Schedule for one follower", "Schedule for {n} followers", deliverable)
    return _n("Send to one follower", "Send to {n} followers", deliverable)


def links(look: campaign_links.Look) -> str:
    """How many of them answer."""
    dead = len(look.dead)
    alive = len(look.links) - dead
    if not dead:
        return _n("Its link answers.", "All {n} links answer.", alive)
    nowhere = _n("One link leads nowhere.", "{n} links lead nowhere.", dead)
    return f"{nowhere} {_n('The other one answers.', 'The other {n} answer.', alive)}" if alive else nowhere


def stops(left: int, is_running: bool) -> str:
    if not is_running:
        return _("Cancel the campaign")
    return _n("Stop sending to the last follower", "Stop sending to the remaining {n}", left)


def speed(value: float) -> str:
    return _("{n} a second", n=number(round(value)) if value >= 10 else f"{value:.1f}")


def goals() -> dict[str, str]:
    """What counts as a conversion."""
    return {
        "": _("nothing in particular"),
        "click": _("opens a link"),
        "reply": _("writes to us"),
        "key": _("taps a button of the menu"),
        "scene": _("scans a code"),
        "tag": _("gets a tag"),
    }


def variable(name: str) -> str:
    """What a variable's button says."""
    known = {"nickname": _("Nickname"), "account": _("Account's name"), "date": _("Date")}
    return known.get(name, name.removeprefix("field:"))

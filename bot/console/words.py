"""Names of things that come from a fixed list, and one line about a reply or a message."""

from collections.abc import Mapping
from typing import Any

from bot.console.language import _, _n
from models import CallbackMode, FieldKind, MatchMode, MenuOutcome, PushAction, Role, SendStatus, Trigger


def trigger(value: str) -> str:
    match Trigger(value):  # a long table asks for many: only the one sentence is looked up
        case Trigger.KEYWORD:
            return _("Somebody writes")
        case Trigger.FOLLOW:
            return _("Somebody begins to follow")
        case Trigger.SCAN:
            return _("Somebody scans a code")
        case Trigger.CLICK:
            return _("Somebody taps the menu")
        case Trigger.DEFAULT:
            return _("Nothing else answers")


def match(value: str) -> str:
    return {
        MatchMode.EXACT: _("is exactly"),
        MatchMode.CONTAINS: _("contains"),
        MatchMode.REGEX: _("fits the pattern"),
    }[MatchMode(value)]


def auto_triggers() -> dict[str, str]:
    """What gives a tag by itself, in the order of the form's list."""
    return {
        Trigger.KEYWORD: _("writes something"),
        Trigger.CLICK: _("taps a button of the menu"),
        Trigger.SCAN: _("scans a code"),
        Trigger.FOLLOW: _("begins to follow"),
    }


def auto_trigger(value: str) -> str:
    return auto_triggers()[value]


def auto_match(value: str) -> str:
    return {
        MatchMode.CONTAINS: _("that contains"),
        MatchMode.EXACT: _("that is exactly"),
        MatchMode.REGEX: _("that fits the pattern"),
    }[MatchMode(value)]


def tag_place(value: str) -> str:
    return {
        "wechat": _("at WeChat and here"),
        "waiting": _("on its way to WeChat"),
        "here": _("only in Lobby"),
        "own": _("WeChat's own"),
    }[value]


def tag_change(action: str, tag: str, count: int) -> str:
    """A change that WeChat refused."""
    return {
        PushAction.SAVE: _("Keeping the tag “{tag}”:", tag=tag),
        PushAction.DELETE: _("Deleting the tag “{tag}”:", tag=tag),
        PushAction.TAG: _n("“{tag}” for one follower:", "“{tag}” for {n} followers:", count, tag=tag),
        PushAction.UNTAG: _n("“{tag}” taken from one follower:", "“{tag}” taken from {n} followers:", count, tag=tag),
        PushAction.BLOCK: _n("Blocking one follower:", "Blocking {n} followers:", count),
        PushAction.UNBLOCK: _n("Unblocking one follower:", "Unblocking {n} followers:", count),
    }[PushAction(action)]


def mode(value: str) -> str:
    return {
        CallbackMode.PLAIN: _("Plain"),
        CallbackMode.COMPATIBLE: _("Compatible"),
        CallbackMode.SAFE: _("Safe (encrypted)"),
    }[CallbackMode(value)]


def role(value: str) -> str:
    return roles()[value][0]


def person(name: str) -> str:
    """A follower's name; one without any goes by the end of the openid."""
    return _("Follower {end}", end=name[1:]) if name.startswith("…") and len(name) == 7 else name


def field_kind(value: str) -> str:
    return {
        FieldKind.TEXT: _("Text"),
        FieldKind.NUMBER: _("Number"),
        FieldKind.DATE: _("Date"),
        FieldKind.CHOICE: _("Choice"),
        FieldKind.YES_NO: _("Yes or no"),
    }[FieldKind(value)]


def changed(kind: str, detail: Mapping[str, Any]) -> str:
    """One change of a follower's, in a line of the timeline."""
    was, now = (_value(detail, name) for name in ("was", "is"))
    match kind:
        case "tagged":
            return _("Tagged “{tag}”", tag=detail.get("tag", ""))
        case "untagged":
            return _("Tag “{tag}” removed", tag=detail.get("tag", ""))
        case "stage":
            return _("Stage: {was} → {now}", was=was, now=now)
        case "owner":
            return _("Owner: {was} → {now}", was=was, now=now)
        case "field":
            return _("{field}: {was} → {now}", field=detail.get("field", ""), was=was, now=now)
        case "closed":
            return _("Conversation closed: {why}", why=closed_why(detail.get("why", "")))
        case "opted_out" if detail.get("word"):
            return _("Opted out of campaigns with “{word}”", word=detail["word"])
        case "opted_in" if detail.get("word"):
            return _("Wants campaigns again: “{word}”", word=detail["word"])
        case "note":
            return _("Note deleted") if detail.get("removed") else _("Note added")
        case "received":
            return _("Got the campaign “{campaign}”", campaign=detail.get("campaign", ""))
        case "link":
            campaign, url = detail.get("campaign", ""), detail.get("url", "")
            return _("Opened the link {url} of the campaign “{campaign}”", campaign=campaign, url=url)
    return {
        "blocked": _("Blocked"),
        "unblocked": _("Unblocked"),
        "opted_out": _("Opted out of campaigns"),
        "opted_in": _("Gets campaigns again"),
        "opened": _("Conversation opened"),
    }.get(kind, kind)


def _value(detail: Mapping[str, Any], name: str) -> str:
    value = str(detail.get(name) or "")
    if detail.get("kind") == FieldKind.YES_NO:
        value = {"yes": _("yes"), "no": _("no")}.get(value, value)
    return value or "—"


def roles() -> dict[str, tuple[str, str]]:
    """Role → its name, and in one line what it may do."""
    return {
        Role.OWNER: (_("Owner"), _("everything, also people, API tokens and the audit log")),
        Role.EDITOR: (_("Editor"), _("replies, menu, followers and conversations")),
        Role.MARKETER: (_("Marketer"), _("menu and followers; sees replies, not conversations")),
        Role.AGENT: (_("Agent"), _("answers conversations and names followers")),
        Role.ANALYST: (_("Analyst"), _("looks at numbers, replies and followers, changes nothing")),
    }


def kind(value: str) -> str:
    return {"service": _("Service account"), "subscription": _("Subscription account")}.get(value, value)


def status(value: str) -> str:
    known = {
        SendStatus.READY: _("waiting to be sent"),
        SendStatus.SENDING: _("being sent"),
        SendStatus.SENT: _("sent"),
        SendStatus.FAILED: _("not sent"),
        SendStatus.UNKNOWN: _("not confirmed"),
    }
    return known.get(SendStatus(value), value) if value else ""


def closed_why(value: str) -> str:
    return {
        "handed_back": _("handed back to the bot"),
        "timed_out": _("timed out"),
        "unsubscribed": _("stopped following"),
        "blocked": _("blocked"),
    }.get(value, value)


def reply_kind(value: str) -> str:
    return reply_kinds()[value][0] if value in reply_kinds() else value


def reply_kinds() -> dict[str, tuple[str, str]]:
    """Kind → its name and icon, in the order of the form's list."""
    return {
        "text": (_("Text"), "type"),
        "image": (_("Image"), "image"),
        "voice": (_("Voice"), "mic"),
        "video": (_("Video"), "video"),
        "music": (_("Music"), "music"),
        "news": (_("Article card"), "newspaper"),
        "transfer_customer_service": (_("Transfer to WeChat's service desk"), "headset"),
        "transfer_biz_ai_ivr": (_("Transfer to WeChat's AI"), "bot"),
        "silence": (_("Say nothing"), "bell-off"),
    }


def menu_kinds() -> dict[str, str]:
    """WeChat's button type → its name."""
    return {
        "click": _("Answer with a rule"),
        "view": _("Open a web page"),
        "miniprogram": _("Open a Mini Program"),
        "scancode_push": _("Scan a code"),
        "scancode_waitmsg": _("Scan a code, then answer"),
        "pic_sysphoto": _("Take a photo"),
        "pic_photo_or_album": _("Take or choose a photo"),
        "pic_weixin": _("Choose a photo from WeChat"),
        "location_select": _("Send a location"),
        "media_id": _("Send a stored file"),
        "view_limited": _("Open a stored article (older accounts)"),
        "article_id": _("Send a published article"),
        "article_view_limited": _("Open a published article"),
    }


def menu_outcome(value: str) -> str:
    return {
        MenuOutcome.WAITING: _("waiting"),
        MenuOutcome.PUBLISHED: _("published"),
        MenuOutcome.REFUSED: _("refused by WeChat"),
        MenuOutcome.SKIPPED: _("overtaken by a newer one"),
    }[MenuOutcome(value)]


def menu_change(value: str) -> str:
    return {"added": _("added"), "removed": _("removed"), "changed": _("changed")}[value]


def menu_action(button: Mapping[str, Any]) -> str:
    """A button in one line: its name and what it does."""
    value = next((str(button[name]) for name in ("url", "key", "media_id", "article_id") if button.get(name)), "")
    parts = (button.get("name"), menu_kinds().get(str(button.get("type")), ""), value)
    return " · ".join(str(part) for part in parts if part)


def platforms() -> dict[str, str]:
    """WeChat's client_platform_type → its name."""
    return {"1": "iOS", "2": "Android", "3": _("other phones")}


def menu_condition(rule: Mapping[str, str], tags: Mapping[str, str]) -> str:
    """For whom a menu is; ``tags``: WeChat's number → name."""
    tag, platform = rule.get("tag_id", ""), rule.get("client_platform_type", "")
    parts = (
        _("tag “{name}”", name=tags.get(tag, f"#{tag}")) if tag else "",
        platforms().get(platform, platform),
    )
    return " · ".join(part for part in parts if part)


def menu_name(menu: Mapping[str, Any] | None, tags: Mapping[str, str]) -> str:
    """What operators call a menu; None: the usual one."""
    if menu is None:
        return _("The usual menu")
    return str(menu.get("title") or menu_condition(menu["matchrule"], tags))


def menu_fault(fault: Mapping[str, Any], conditional: list[dict[str, Any]], tags: Mapping[str, str]) -> str:
    """Which menu and which buttons WeChat refused, and whether followers have what they had."""
    if "menu" not in fault:
        return ""
    at = int(fault["menu"])
    menu = menu_name(conditional[at - 1] if 0 < at <= len(conditional) else None, tags)
    names = "”, “".join(fault["buttons"])
    where = _("It is about: {menu}.", menu=menu)
    if names:
        where = _("It is about: {menu}, “{names}”.", menu=menu, names=names)
    lost = _("WeChat also refused the menus from before: publish others soon.")
    kept = _("Followers have the menus they had before.")
    return f"{where} {lost if fault.get('is_lost') else kept}"


def on_phone(name: str, most: int) -> str:
    """A button's name as a phone shows it: so many Chinese characters, then dots; two Latin letters take one's room."""
    room = 2 * most
    for at, character in enumerate(name):
        room -= 1 if ord(character) < 256 else 2
        if room < 0:
            return name[:at] + "…"
    return name


def ability(name: str) -> str:
    return {
        "answer": _("Answer at once"),
        "read_console": _("Read the menu and replies of WeChat's console"),
        "set_menu": _("Set the menu"),
        "conditional_menus": _("Menus for some followers"),
        "write_later": _("Write after the first reply"),
        "broadcast": _("Broadcast to all"),
        "send_to_chosen": _("Broadcast to chosen followers"),
        "followers": _("Followers and tags"),
        "files": _("Files and drafts"),
        "publish": _("Publish articles"),
        "statistics": _("Statistics of WeChat"),
        "qr_codes": _("QR codes that tell where they hang"),
        "templates": _("Notifications by template"),
        "web_login": _("Know who opens a web page"),
    }.get(name, name)


def source(value: str) -> str:
    """How a follower came: WeChat's own names, or the scene of a QR code as it is."""
    known = {
        "ADD_SCENE_SEARCH": _("found by search"),
        "ADD_SCENE_PROFILE_CARD": _("a shared name card"),
        "ADD_SCENE_QR_CODE": _("a QR code"),
        "ADD_SCENE_PROFILE_LINK": _("a tap on the name in an article"),
        "ADD_SCENE_PROFILE_ITEM": _("the menu of an article"),
        "ADD_SCENE_PAID": _("a payment"),
        "ADD_SCENE_WECHAT_ADVERTISEMENT": _("an advertisement"),
        "ADD_SCENE_OTHERS": _("another way"),
    }
    return known.get(value, value) or "—"


def device(user_agent: str) -> str:
    """“Chrome · Windows”; a browser names itself after those it replaces, so the newest comes first."""
    known = [
        next((name for sign, name in signs if sign in user_agent), "")
        for signs in (
            (("MicroMessenger", _("WeChat")), ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"),
             ("Chrome", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari")),
            (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
             ("Mac OS X", "Mac"), ("Linux", "Linux")),
        )
    ]  # fmt: skip
    return " · ".join(filter(None, known)) or user_agent or _("Unknown browser")


def reply_line(reply: Mapping[str, Any]) -> str:
    """What a reply says, in one line."""
    articles = reply.get("articles") or [{}]
    words = reply.get("text") or reply.get("title") or articles[0].get("title")
    return str(words or reply_kind(str(reply.get("kind", ""))))


def said(kind: str, text: str) -> str:
    """What a follower did, for kinds that carry no words of their own."""
    known = {
        "subscribe": _("began to follow"),
        "unsubscribe": _("stopped following"),
        "scan": _("scanned a code"),
        "click": _("tapped the menu"),
        "view": _("opened a link in the menu"),
        "image": _("sent an image"),
        "voice": _("sent a voice message"),
        "video": _("sent a video"),
        "shortvideo": _("sent a video"),
        "location": _("sent a location"),
        "link": _("sent a link"),
        "miniprogrampage": _("sent a Mini Program card"),
    }
    if kind == "text":
        return text
    act = known.get(kind, _("did something new to us: {kind}", kind=kind))
    return _("{act}: {text}", act=act, text=text) if text else act

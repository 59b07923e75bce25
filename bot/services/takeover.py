"""What the menu and the automatic replies of WeChat's own console become here: plain data in, plain data out.

WeChat shows a menu in two shapes: ``sub_button`` is a list, or an object with ``list`` in it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bot.errors import Refused
from bot.services import menu_buttons
from bot.services.folding import fold
from bot.services.rules import Keyword, RuleDraft
from bot.wechat import limits
from bot.wechat.messages import Reply, ReplyAdapter
from models import MatchMode, ReplyMode, Trigger

MOST_KEYWORDS, MOST_REPLIES = 100, 5  # of one rule here
# WeChat's own names of these two, so that whoever set them knows them again.
FOLLOW_TITLE, DEFAULT_TITLE = "被关注回复", "收到消息回复"

_MEDIA = {"img": "image", "photo": "image", "image": "image", "voice": "voice", "video": "video"}
_MODES = {"contain": MatchMode.CONTAINS, "equal": MatchMode.EXACT}

Button = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for the catalogue: what is left behind, or works a little differently, and why."""

    template: str
    is_loss: bool = True
    values: dict[str, Any] = field(default_factory=dict)

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        worded = {
            name: value.sentence(translate)
            if isinstance(value, Refused)
            else translate(", ").join(value)
            if isinstance(value, list)
            else value
            for name, value in self.values.items()
        }
        return translate(self.template).format(**worded)


@dataclass(slots=True)
class Converted:
    """What WeChat's configuration is here."""

    there: list[Button] = field(default_factory=list)  # the menu as followers see it: names and kinds
    buttons: list[Button] = field(default_factory=list)  # the same menu in our shape
    is_menu_on: bool = False
    drafts: list[RuleDraft] = field(default_factory=list)  # in the order in which they are asked
    notes: list[Note] = field(default_factory=list)

    def lose(self, template: str, **values: Any) -> None:
        self.notes.append(Note(template, True, values))

    def remark(self, template: str, **values: Any) -> None:
        self.notes.append(Note(template, False, values))


def convert(selfmenu: dict[str, Any], autoreply: dict[str, Any], taken: frozenset[str] = frozenset()) -> Converted:
    """Args:
    selfmenu: what get_current_selfmenu_info answered.
    autoreply: what get_current_autoreply_info answered.
    taken: menu keys that rules here answer already.
    """
    made = Converted(is_menu_on=bool(selfmenu.get("is_menu_open")))
    _replies(made, autoreply)
    _menu(made, selfmenu, taken)
    return made


def as_it_was(selfmenu: dict[str, Any]) -> list[Button]:
    """The menu as it can be published again; none where the console's own kinds of button are in it."""
    if not selfmenu.get("is_menu_open"):
        return []
    buttons = [
        {"name": button.get("name"), "sub_button": [_api_button(sub) for sub in subs]} if subs else _api_button(button)
        for button, subs in _buttons(selfmenu)
    ]
    try:
        return menu_buttons.checked(buttons)
    except Refused:
        return []


# Automatic replies ---------------------------------------------------------------------------------------------------


def _replies(made: Converted, autoreply: dict[str, Any]) -> None:
    greets, answers = bool(autoreply.get("is_add_friend_reply_open")), bool(autoreply.get("is_autoreply_open"))
    keyword_rules = _list(_dict(autoreply.get("keyword_autoreply_info")).get("list"))
    for given in keyword_rules:
        _keyword_rule(made, given, answers)
    ends: tuple[tuple[Trigger, str, str, bool, int], ...] = (
        (Trigger.FOLLOW, FOLLOW_TITLE, "add_friend_autoreply_info", greets, limits.ARTICLES_TO_EVENT),
        (Trigger.DEFAULT, DEFAULT_TITLE, "message_default_autoreply_info", answers, limits.ARTICLES_TO_MESSAGE),
    )
    for trigger, title, name, is_on, most in ends:
        reply = _reply(made, _dict(autoreply.get(name)), title, most)
        if reply is not None:
            made.drafts.append(RuleDraft(title=title, trigger=trigger, replies=[reply], is_enabled=is_on))
    if any(draft.trigger is Trigger.KEYWORD for draft in made.drafts):
        made.remark(
            "Here a keyword also fits in other spellings: capitals, full width, traditional characters, spaces around."
        )
    if any(not draft.is_enabled for draft in made.drafts):
        made.remark("What is switched off at WeChat is taken over switched off.")


def _keyword_rule(made: Converted, given: dict[str, Any], is_on: bool) -> None:
    title = str(given.get("rule_name") or "").strip()[:64]
    keywords = list(_keywords(made, given, title))
    parts = _list(given.get("reply_list_info"))
    name = title or (keywords[0].text[:64] if keywords else "—")
    replies: list[Reply] = []
    for part in parts:
        reply = _reply(made, part, name, limits.ARTICLES_TO_MESSAGE)
        if reply is not None:
            replies.append(reply)
    if len(replies) > MOST_REPLIES:
        made.lose("“{title}”: only the first {max} replies come along.", title=name, max=MOST_REPLIES)
    if not keywords or not replies:
        made.lose("“{title}” stays behind: it has no keyword or no reply that can be used here.", title=name)
        return
    mode = ReplyMode.RANDOM if given.get("reply_mode") == "random_one" else ReplyMode.ALL
    for start in range(0, len(keywords), MOST_KEYWORDS):
        made.drafts.append(
            RuleDraft(
                title=name,
                keywords=keywords[start : start + MOST_KEYWORDS],
                replies=replies[:MOST_REPLIES],
                reply_mode=mode,
                is_enabled=is_on,
            )
        )


def _keywords(made: Converted, given: dict[str, Any], title: str) -> Iterator[Keyword]:
    for keyword in _list(given.get("keyword_list_info")):
        text, mode = str(keyword.get("content") or ""), _MODES.get(str(keyword.get("match_mode")), MatchMode.CONTAINS)
        is_text = keyword.get("type", "text") == "text"
        if is_text and fold(text) and "\0" not in text and len(text) <= 4096:
            yield Keyword(mode=mode, text=text)
        else:
            made.lose("“{title}”: the keyword “{word}” cannot be used here.", title=title or "—", word=text[:40])


def _reply(made: Converted, part: dict[str, Any], title: str, most_articles: int) -> Reply | None:
    """One reply of the console's, in ours; None, with a note, where it has no like."""
    if not part:
        return None
    kind = str(part.get("type") or "")
    content = str(part.get("content") or part.get("value") or "")
    if kind == "text":
        if not content.strip():
            return None  # nothing was said there either
        if "{{" in content:
            made.remark("“{title}” holds “{{{{”: here that stands for a follower's name and the like.", title=title)
        return _checked(made, {"kind": "text", "text": content}, title)
    if kind in _MEDIA:
        if content.startswith(("http://", "https://")):
            made.lose(
                "“{title}”: WeChat shows only a passing link to its video, not its media id. Upload it again.",
                title=title,
            )
            return None
        return _checked(made, {"kind": _MEDIA[kind], "media_id": content}, title)
    if kind == "news":
        return _news(made, _list(_dict(part.get("news_info")).get("list")), title, most_articles)
    made.lose("“{title}”: a reply of the kind “{kind}” has no like here.", title=title, kind=kind[:40])
    return None


def _news(made: Converted, given: list[dict[str, Any]], title: str, most: int) -> Reply | None:
    articles = [
        {
            "title": str(article.get("title") or "")[:64],
            "description": str(article.get("digest") or "")[:120],
            "picture_url": str(article.get("cover_url") or ""),
            "url": str(article.get("content_url") or article.get("source_url") or ""),
        }
        for article in given
    ]
    for article in articles[most:]:
        made.lose(
            "“{title}”: the article “{article}” stays behind: WeChat lets a server show {max} at this place.",
            title=title,
            article=article["title"],
            max=most,
        )
    if not articles:
        made.lose("“{title}”: WeChat did not tell which article it shows.", title=title)
        return None
    return _checked(made, {"kind": "news", "articles": articles[:most]}, title)


def _checked(made: Converted, reply: dict[str, Any], title: str) -> Reply | None:
    try:
        return ReplyAdapter.validate_python(reply)
    except ValidationError:
        made.lose("“{title}”: a reply lacks what WeChat wants of it, such as a title or an address.", title=title)
        return None


# The menu ------------------------------------------------------------------------------------------------------------


def _menu(made: Converted, selfmenu: dict[str, Any], taken: frozenset[str]) -> None:
    keys = taken | {
        str(each.get("key")) for button, subs in _buttons(selfmenu) for each in (button, *subs) if each.get("key")
    }
    for at, (button, subs) in enumerate(_buttons(selfmenu), start=1):
        name = str(button.get("name") or "")
        made.there.append({"name": name, "sub_button": [{"name": str(sub.get("name") or "")} for sub in subs]})
        if not subs:
            made.buttons += _button(made, button, f"{at}", keys)
            _asked_another(made, button, taken)
            continue
        below = []
        for n, sub in enumerate(subs, start=1):
            below += _button(made, sub, f"{at}-{n}", keys, is_top=False)
            _asked_another(made, sub, taken)
        if below:
            made.buttons += _fitting(made, {"name": name, "sub_button": below}, name)
        else:
            made.lose("The button “{name}” stays behind: nothing below it can be taken over.", name=name)
    if made.buttons and not made.is_menu_on:
        made.remark("The menu is switched off at WeChat: it is kept here to edit, and not published.")


def _button(made: Converted, button: Button, place: str, taken: frozenset[str], *, is_top: bool = True) -> list[Button]:
    """Our button, or none."""
    name, kind = str(button.get("name") or ""), str(button.get("type") or "")
    value = str(button.get("value") or "")
    if kind in menu_buttons.TYPES:
        return _fitting(made, _api_button(button), name, is_top=is_top)
    if kind == "video" and value.startswith(("http://", "https://")):
        made.remark("“{name}” opens its video by WeChat's link to it, which may end some day.", name=name)
        return _fitting(made, {"name": name, "type": "view", "url": value}, name, is_top=is_top)
    if kind not in _MEDIA and kind not in ("text", "news"):
        made.lose("The button “{name}” stays behind: a server cannot set the kind “{kind}”.", name=name, kind=kind[:40])
        return []
    reply = _reply(made, button, name, limits.ARTICLES_TO_EVENT)
    if reply is None:
        made.lose("The button “{name}” stays behind, as it would answer nothing.", name=name)
        return []
    key = f"menu-{place}"
    while key in taken:
        key += "x"
    fitting = _fitting(made, {"name": name, "type": "click", "key": key}, name, is_top=is_top)
    if fitting:
        made.drafts.append(
            RuleDraft(title=name[:64], trigger=Trigger.CLICK, keywords=[Keyword(text=key)], replies=[reply])
        )
    return fitting


def _asked_another(made: Converted, button: Button, answered: frozenset[str]) -> None:
    key = str(button.get("key") or "")
    if button.get("type") == "click" and key and key not in answered:
        made.remark(
            "“{name}” asked another program. Write a rule for its key “{key}”.", name=button.get("name"), key=key
        )


def _fitting(made: Converted, button: Button, name: str, *, is_top: bool = True) -> list[Button]:
    whole = button if is_top else {"name": "x", "sub_button": [button]}
    try:
        (kept,) = menu_buttons.checked([whole])
    except Refused as refused:
        made.lose("“{name}”: {why} The button stays behind.", name=name, why=refused)
        return []
    return [kept if is_top else kept["sub_button"][0]]


def _api_button(button: Button) -> Button:
    kind = str(button.get("type") or "")
    value = button.get("value")
    fields = {name: button.get(name) or value for name in menu_buttons.TYPES.get(kind, ())}
    return {"name": button.get("name"), "type": kind, **fields}


def _buttons(selfmenu: dict[str, Any]) -> list[tuple[Button, list[Button]]]:
    found = []
    for button in _list(_dict(selfmenu.get("selfmenu_info")).get("button")):
        below = button.get("sub_button")
        found.append((button, _list(below.get("list") if isinstance(below, dict) else below)))
    return found


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

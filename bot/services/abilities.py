"""What an account may do at WeChat: by its kind and verification, and by what WeChat itself refused (48001)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models import Account, AccountKind


class May(StrEnum):
    YES = "yes"
    NO = "no"
    REFUSED = "refused"  # by its kind it should; WeChat said no


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    use: str
    who: str  # of "subscription, verified subscription, service, verified service": y or n
    calls: tuple[str, ...] = ()  # paths; with "/" at the end, all that begin so


@dataclass(frozen=True, slots=True)
class Ability:
    name: str
    use: str  # a sentence for the catalogue, as is why
    may: May
    why: str
    refused_at: datetime | None = None


# wechat-protocol 13.1.
_ROWS = (
    _Row("answer", "Receive messages and reply to each within five seconds.", "yyyy"),
    _Row("read_console", "So that nothing is lost when you connect.", "yyyy",
         ("/cgi-bin/get_current_selfmenu_info", "/cgi-bin/get_current_autoreply_info",)),
    _Row("set_menu", "Publish the menu from Lobby.", "nyyy", ("/cgi-bin/menu/create", "/cgi-bin/menu/get",
         "/cgi-bin/menu/delete")),
    _Row("conditional_menus", "Another menu for a tag or a kind of phone.", "nyny",
         ("/cgi-bin/menu/addconditional", "/cgi-bin/menu/delconditional", "/cgi-bin/menu/trymatch")),
    _Row("write_later", "Answers by a person, further replies, long texts.", "nyny",
         ("/cgi-bin/message/custom/", "/customservice/")),
    _Row("broadcast", "Send an article or a text to all followers, or to a tag.", "nyny",
         ("/cgi-bin/message/mass/sendall", "/cgi-bin/message/mass/preview")),
    _Row("send_to_chosen", "Send to a list of followers.", "nnny", ("/cgi-bin/message/mass/send",)),
    _Row("followers", "Read the list of followers and keep tags with WeChat.", "nyny",
         ("/cgi-bin/user/", "/cgi-bin/tags/")),
    _Row("files", "Upload pictures, sound and articles.", "nyny",
         ("/cgi-bin/media/", "/cgi-bin/material/", "/cgi-bin/draft/")),
    _Row("publish", "Publish a draft, and read its comments.", "nyny",
         ("/cgi-bin/freepublish/", "/cgi-bin/comment/")),
    _Row("statistics", "Daily numbers of followers, articles and messages.", "nyny", ("/datacube/",)),
    _Row("qr_codes", "One code for each table, poster or shop.", "nnny",
         ("/cgi-bin/qrcode/", "/cgi-bin/shorten/")),
    _Row("templates", "Tell a follower about an order or a date.", "nnny",
         ("/cgi-bin/message/template/", "/cgi-bin/template/", "/wxaapi/newtmpl/", "/cgi-bin/message/subscribe/")),
    _Row("web_login", "Web pages inside WeChat that know the follower.", "nnny", ("/sns/",)),
)  # fmt: skip


def of(account: Account) -> list[Ability]:
    """Every ability, whether the account has it or not, and why not."""
    column = 2 * (account.kind is AccountKind.SERVICE) + account.is_verified
    return [_ability(row, column, account.refused_calls) for row in _ROWS]


def may(account: Account, name: str) -> bool:
    return next(each for each in of(account) if each.name == name).may is May.YES


def _is_of(call: str, path: str) -> bool:
    return call.startswith(path) if path.endswith("/") else call == path


def _ability(row: _Row, column: int, refused_calls: dict[str, str]) -> Ability:
    if row.who[column] == "n":
        return Ability(row.name, row.use, May.NO, _needed(row.who))
    refused = [at for call, at in refused_calls.items() if any(_is_of(call, one) for one in row.calls)]
    if refused:
        why = "WeChat refused it (48001). Look under “Interface rights” in WeChat's console."
        return Ability(row.name, row.use, May.REFUSED, why, datetime.fromisoformat(max(refused)))
    return Ability(row.name, row.use, May.YES, "")


def _needed(who: str) -> str:
    return {
        "nyyy": "WeChat lets verified accounts and service accounts do this.",
        "nyny": "WeChat lets only verified accounts do this. Verify it in WeChat's console.",
        "nnny": "WeChat lets only verified service accounts do this.",
    }[who]

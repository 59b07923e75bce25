"""The calls that write to many: mass messages, template messages and subscription notices."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from bot.wechat import limits
from bot.wechat.client import Client
from bot.wechat.errors import WeChatError

MassStatus = Literal["SENDING", "SEND_SUCCESS", "SEND_FAIL", "DELETE"]

_ALREADY_SENT = 45065


class Submission(NamedTuple):
    """A mass message WeChat has taken on; how it ends comes as MASSSENDJOBFINISH, perhaps before this."""

    msg_id: int
    msg_data_id: int | None = None  # of articles: for comments and statistics
    was_there: bool = False  # an earlier call with the same client id had been taken on (45065)


def send_mass_openids(client: Client, openids: Sequence[str], content: Mapping[str, Any], client_id: str) -> Submission:
    """Submit a mass message to 2 to 10,000 followers.

    May be repeated with the same ``client_id`` for 24 hours: WeChat takes it on once.

    Args:
        content: ``msgtype`` and its part, as WeChat has it; for articles perhaps ``send_ignore_reprint``.
        client_id: at most ``limits.CLIENT_ID_BYTES``, of this list and content alone.

    Raises:
        Temporary: 45066 within a minute of the last try, or while the first is being sent; 42010.
        QuotaReached: 45009, 45011 (a minute) or 45028.
        OutcomeUnknown: ``retry`` is True: the same id tells.
        WeChatError: 40031 someone in the list is not one of the account's people; any other refusal.
    """
    if len(openids) not in limits.MASS_OPENIDS:
        raise ValueError(f"{len(openids)} followers in one call; it takes 2 to 10,000")
    return _submit(client, "message/mass/send", {"touser": list(openids)}, content, client_id)


def send_mass_tag(client: Client, tag_id: int | None, content: Mapping[str, Any], client_id: str) -> Submission:
    """Submit a mass message to all who carry a tag; None: to everyone.  Otherwise as ``send_mass_openids``."""
    whom: dict[str, Any] = {"is_to_all": True} if tag_id is None else {"is_to_all": False, "tag_id": tag_id}
    return _submit(client, "message/mass/sendall", {"filter": whom}, content, client_id)


def mass_status(client: Client, msg_id: int) -> MassStatus:
    """How far a mass message is; no counts, which only the event has.

    Raises:
        WeChatError: 40059 there is no such message.
    """
    status: MassStatus = client.call("message/mass/get", {"msg_id": str(msg_id)})["msg_status"]
    return status


def delete_mass(client: Client, msg_id: int, article: int = 0) -> None:
    """Take back a sent article (from 1; 0: all) or video: what lies on phones stays, and opens to "deleted"."""
    client.call("message/mass/delete", {"msg_id": msg_id, "article_idx": article})


def preview(client: Client, content: Mapping[str, Any], openid: str = "", wechat_id: str = "") -> None:
    """Show a mass message to one follower, named by openid or WeChat id; 100 a day.

    A picture goes as ``image`` with one ``media_id``.  Not repeated after a lost answer.
    """
    whom = {"towxname": wechat_id} if wechat_id else {"touser": openid}
    client.call("message/mass/preview", {**whom, **content}, repeatable=False)


def send_template(
    client: Client,
    openid: str,
    template_id: str,
    values: Mapping[str, str],
    *,
    client_id: str,
    url: str = "",
    miniprogram: Mapping[str, str] | None = None,
) -> int:
    """Send a template message and return the number its TEMPLATESENDJOBFINISH will name.

    May be repeated with the same ``client_id`` for 10 minutes, never later.

    Args:
        values: by the template's places, as ``{"thing1": "Coffee"}``.
        miniprogram: ``appid`` and ``pagepath``; goes before ``url``.

    Raises:
        WindowClosed: 40003, 43004 not a follower, 43019 blacklisted.
        WeChatError: 47003 a value is missing or does not fit: its words name it; any other refusal.
    """
    body = _filled(openid, template_id, values, miniprogram) | {"client_msg_id": client_id}
    return int(client.call("message/template/send", body | ({"url": url} if url else {}))["msgid"])


def send_subscription(
    client: Client,
    openid: str,
    template_id: str,
    values: Mapping[str, str],
    *,
    page: str = "",
    miniprogram: Mapping[str, str] | None = None,
) -> None:
    """Send a notice the follower allowed; it uses one consent up.

    Not repeated after a lost answer: WeChat does not notice doubles, and tells the id with the event only.

    Raises:
        WindowClosed: 43101 not allowed, or used up; 43004 not a follower.
    """
    body = _filled(openid, template_id, values, miniprogram)
    _ = client.call("message/subscribe/bizsend", body | ({"page": page} if page else {}), repeatable=False)["errcode"]


def message_templates(client: Client) -> list[dict[str, Any]]:
    """Templates of template messages: ``template_id``, ``title``, ``content`` with ``{{thing1.DATA}}``, ``example``."""
    return list(client.call("template/get_all_private_template")["template_list"])


def notice_templates(client: Client) -> list[dict[str, Any]]:
    """Templates of notices: ``priTmplId``, ``title``, ``content``, ``example``, ``type`` 2 one-time or 3 long-term."""
    return list(client.call("/wxaapi/newtmpl/gettemplate")["data"])


def add_draft(client: Client, articles: Sequence[Mapping[str, Any]]) -> str:
    """Keep articles as a draft, and return its media_id: good for one mass message, which ends it."""
    data = {"articles": [dict(article) for article in articles]}
    return str(client.call("draft/add", data, repeatable=False)["media_id"])


def _submit(client: Client, path: str, whom: dict[str, Any], content: Mapping[str, Any], client_id: str) -> Submission:
    if not 0 < len(client_id.encode()) <= limits.CLIENT_ID_BYTES:
        raise ValueError(f"a client id has 1 to {limits.CLIENT_ID_BYTES} bytes")
    try:
        answer = client.call(path, {**whom, **content, "clientmsgid": client_id})
    except WeChatError as error:
        # Seen on first calls too, after WeChat's own repeat; without an id it says nothing to go by.
        if error.errcode != _ALREADY_SENT or error.msg_id is None:
            raise
        return Submission(error.msg_id, was_there=True)
    return Submission(int(answer["msg_id"]), answer.get("msg_data_id"))


def _filled(
    openid: str, template_id: str, values: Mapping[str, str], miniprogram: Mapping[str, str] | None
) -> dict[str, Any]:
    data = {place: {"value": value} for place, value in values.items()}
    body: dict[str, Any] = {"touser": openid, "template_id": template_id, "data": data}
    return body | ({"miniprogram": dict(miniprogram)} if miniprogram else {})

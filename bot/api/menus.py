"""/api/v1/accounts/<account>/menu: the menu at the foot of the chat."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, endpoint
from bot.api.rules import Rule
from bot.api.tasks import Task
from bot.services import followers, menu_audience, menu_buttons, menu_clicks, menu_replies, menus
from models import MenuOutcome, TaskStatus

Text = Annotated[str, Field(max_length=2048)]


class SubButton(In):
    """A button; which of the fields it needs depends on its type, as WeChat has it."""

    name: Text
    type: Text | None = None
    key: Text | None = None
    url: Text | None = None
    appid: Text | None = None
    pagepath: Text | None = None
    media_id: Text | None = None
    article_id: Text | None = None


class Button(SubButton):
    sub_button: Annotated[list[SubButton], Field(max_length=20, default_factory=list)]


class ConditionalMenu(In):
    """A menu for some followers; ``matchrule`` takes ``tag_id`` (WeChat's number) and ``client_platform_type``."""

    id: Annotated[int | None, Field(description="its own, to keep it; none: a new one", ge=1, le=LARGEST)] = None
    title: Text = ""
    matchrule: dict[Text, Text]
    buttons: Annotated[list[Button], Field(max_length=20)]


class MenuDraft(In):
    buttons: Annotated[list[Button], Field(max_length=20, description="none: publishing removes the menu")]
    conditional: Annotated[
        list[ConditionalMenu] | None,
        Field(max_length=200, description="for some followers, the first that fits counts; left out: they stay"),
    ] = None
    revision: Annotated[
        Text | None, Field(description="the one you began from: 409 when somebody changed the draft meanwhile")
    ] = None


class Menu(Out):
    """What is being edited, and what followers have."""

    buttons: list[dict[str, Any]]
    conditional: list[dict[str, Any]]
    published: list[dict[str, Any]]
    published_conditional: list[dict[str, Any]] | None
    published_at: datetime | None
    updated_at: datetime
    revision: Annotated[str, Field(description="another one whenever the draft says something else")]


class MenuVersion(Out):
    """One publishing; only its outcome is written later."""

    id: int
    number: int
    buttons: list[dict[str, Any]]
    conditional: list[dict[str, Any]]
    who: str
    created_at: datetime
    outcome: MenuOutcome
    error: str
    fault: Annotated[dict[str, Any], Field(description="menu: 0 the usual one, else its place; buttons: their names")]
    finished_at: datetime | None


class MenuVersions(Out):
    items: list[MenuVersion]


class MenuChange(Out):
    """A button at a place such as "1" or "1.2"."""

    kind: Annotated[str, Field(description="added, removed or changed")]
    place: str
    was: dict[str, Any] | None
    now: dict[str, Any] | None


class MenuDifference(Out):
    """What would become of one menu; ``menu`` is null for the usual one."""

    menu: dict[str, Any] | None
    kind: Annotated[str, Field(description="added, removed or changed")]
    changes: list[MenuChange]
    is_for_others: bool
    is_moved: bool


class MenuComparison(Out):
    """A version, and what would change if it were published now; ``changes`` are those of the usual menu."""

    version: MenuVersion
    changes: list[MenuChange]
    differences: list[MenuDifference]


@endpoint("GET", "/accounts/<slug>/menu", scope="menus:read", summary="Get the menu", returns=Menu)
def get_menu(session: Session, account: models.Account) -> models.Menu:
    return menus.get(session, account)


@endpoint(
    "PUT",
    "/accounts/<slug>/menu",
    scope="menus:write",
    summary="Keep a menu; followers see no change before it is published",
    body=MenuDraft,
    returns=Menu,
)
def save_menu(session: Session, account: models.Account, body: MenuDraft) -> models.Menu:
    others = body.conditional
    return menus.save(
        session,
        account,
        [button.model_dump(exclude_none=True) for button in body.buttons],
        None if others is None else [each.model_dump(exclude_none=True) for each in others],
        body.revision,
    )


@endpoint(
    "POST",
    "/accounts/<slug>/menu/publish",
    scope="menus:write",
    summary="Give followers the menu as it is kept now",
    returns=Task,
    status=202,
)
def publish_menu(session: Session, account: models.Account, token: models.ApiToken) -> models.Task:
    return menus.publish(session, account, f"token {token.id}")


@endpoint(
    "GET",
    "/accounts/<slug>/menu/versions",
    scope="menus:read",
    summary="List what was published or refused, the newest first, 100 at most",
    returns=MenuVersions,
)
def list_menu_versions(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": menus.versions(session, account)}


@endpoint(
    "GET",
    "/accounts/<slug>/menu/versions/<int:version_id>",
    scope="menus:read",
    summary="Get a published menu, and how it differs from the one followers have",
    returns=MenuComparison,
)
def get_menu_version(session: Session, account: models.Account, version_id: int) -> dict[str, Any]:
    found, menu = menus.version(session, account, version_id), menus.get(session, account)
    others = menu.published_conditional or []
    return {
        "version": found,
        "changes": menu_buttons.difference(menu.published, found.buttons),
        "differences": menu_buttons.differences(menu.published, others, found.buttons, found.conditional),
    }


@endpoint(
    "POST",
    "/accounts/<slug>/menu/versions/<int:version_id>/roll-back",
    scope="menus:write",
    summary="Keep an earlier menu and publish it again",
    returns=Task,
    status=202,
)
def roll_back_menu(session: Session, account: models.Account, token: models.ApiToken, version_id: int) -> models.Task:
    return menus.roll_back(session, account, version_id, f"token {token.id}")


# Who sees it, what it answers, how often it is tapped -----------------------------------------------------------------


class PlatformQuery(In):
    platform: Annotated[Literal["", "1", "2", "3"], Field(description="1: iOS, 2: Android, 3: another")] = ""


class MenuLook(Out):
    """A menu of the draft, in the order in which they are tried; ``menu`` is null for the usual one."""

    menu: dict[str, Any] | None
    is_seen: bool
    why: str


class WeChatSays(Out):
    """What WeChat showed when it was asked last."""

    status: TaskStatus
    buttons: list[dict[str, Any]] | None
    error: str
    finished_at: datetime | None


class MenuAudience(Out):
    tag_id: Annotated[int | None, Field(description="WeChat's number of the tag that counts")]
    looks: list[MenuLook]
    wechat: WeChatSays | None


class TapCount(Out):
    last_7: int
    last_30: int


class ButtonTaps(Out):
    """``count`` is null where WeChat tells nothing of taps."""

    place: str
    name: str
    type: str
    count: TapCount | None


class MenuTaps(Out):
    menu_id: Annotated[int, Field(description="0: the usual one")]
    buttons: list[ButtonTaps]


class AllTaps(Out):
    items: list[MenuTaps]
    took_too_long: Annotated[bool, Field(description="nothing was counted, each count is null")]


class MenuWarning(Out):
    menu_id: int
    place: str
    sentence: str


class MenuWarnings(Out):
    items: list[MenuWarning]


class MenuReply(In):
    key: Text
    text: Text
    title: Annotated[str, Field(max_length=64)] = ""


@endpoint(
    "GET",
    "/accounts/<slug>/menu/audience/<int:follower_id>",
    scope="menus:read",
    summary="Tell which menu of the draft a follower would see and why, and what WeChat said last",
    query=PlatformQuery,
    returns=MenuAudience,
)
def get_menu_audience(
    session: Session, account: models.Account, follower_id: int, query: PlatformQuery
) -> dict[str, Any]:
    follower = followers.get(session, account, follower_id)
    tag = menu_audience.counting_tag(session, follower)
    tag_id = tag.wechat_id if tag else None
    task = menu_audience.answer(session, account, follower)
    said = task and {
        "status": task.status,
        "buttons": task.state.get("buttons"),
        "error": task.error,
        "finished_at": task.finished_at,
    }
    looks = menu_audience.explain(menus.get(session, account).conditional, tag_id, query.platform)
    return {"tag_id": tag_id, "looks": looks, "wechat": said}


@endpoint(
    "POST",
    "/accounts/<slug>/menu/audience/<int:follower_id>",
    scope="menus:write",
    summary="Ask WeChat which menu a follower sees now",
    returns=Task,
    status=202,
)
def ask_menu_audience(session: Session, account: models.Account, follower_id: int) -> models.Task:
    return menu_audience.ask(session, account, followers.get(session, account, follower_id))


@endpoint(
    "GET",
    "/accounts/<slug>/menu/taps",
    scope="menus:read",
    summary="Count the taps on each published button in the last 7 and 30 days",
    returns=AllTaps,
)
def list_menu_taps(session: Session, account: models.Account) -> dict[str, Any]:
    menu = menus.get(session, account)
    live = {0: menu.published} | {each["id"]: each["buttons"] for each in menu.published_conditional or []}
    counted = menu_clicks.counts(session, account, list(live.values()))
    return {
        "items": [
            {"menu_id": menu_id, "buttons": menu_clicks.per_button(buttons, counted)}
            for menu_id, buttons in live.items()
        ],
        "took_too_long": counted is None,
    }


@endpoint(
    "GET",
    "/accounts/<slug>/menu/warnings",
    scope="menus:read",
    summary="List what followers would stumble over in the draft",
    returns=MenuWarnings,
)
def list_menu_warnings(session: Session, account: models.Account) -> dict[str, Any]:
    found = menu_replies.warnings(menus.get(session, account), menu_replies.answers(session, account))
    return {
        "items": [
            {"menu_id": each.menu_id, "place": each.place, "sentence": each.sentence.format(**each.values)}
            for each in found
        ]
    }


@endpoint(
    "PUT",
    "/accounts/<slug>/menu/replies",
    scope="rules:write",
    summary="Have a button's key answered by a text",
    body=MenuReply,
    returns=Rule,
)
def save_menu_reply(session: Session, account: models.Account, body: MenuReply) -> models.Rule:
    return menu_replies.write(session, account, body.key, body.text, body.title)

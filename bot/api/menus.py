"""/api/v1/accounts/<account>/menu: the menu at the foot of the chat."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, endpoint
from bot.api.tasks import Task
from bot.services import menus
from models import MenuOutcome

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


class MenuDraft(In):
    buttons: Annotated[list[Button], Field(max_length=20, description="none: publishing removes the menu")]


class Menu(Out):
    """What is being edited, and what followers have."""

    buttons: list[dict[str, Any]]
    published: list[dict[str, Any]]
    published_at: datetime | None
    updated_at: datetime


class MenuVersion(Out):
    """One publishing; only its outcome is written later."""

    id: int
    number: int
    buttons: list[dict[str, Any]]
    who: str
    created_at: datetime
    outcome: MenuOutcome
    error: str
    finished_at: datetime | None


class MenuVersions(Out):
    items: list[MenuVersion]


class MenuChange(Out):
    """A button at a place such as "1" or "1.2"."""

    kind: Annotated[str, Field(description="added, removed or changed")]
    place: str
    was: dict[str, Any] | None
    now: dict[str, Any] | None


class MenuComparison(Out):
    """A version, and what would change if it were published now."""

    version: MenuVersion
    changes: list[MenuChange]


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
    return menus.save(session, account, [button.model_dump(exclude_none=True) for button in body.buttons])


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
    found = menus.version(session, account, version_id)
    return {"version": found, "changes": menus.difference(menus.get(session, account).published, found.buttons)}


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

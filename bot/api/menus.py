"""/api/v1/accounts/<account>/menu: the menu at the foot of the chat."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, endpoint
from bot.api.tasks import Task
from bot.services import menus

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
def publish_menu(session: Session, account: models.Account) -> models.Task:
    return menus.publish(session, account)

"""What tests and phones may ask for under /sim/: the fields of each call, checked."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.simulator.faults import CALLBACK

XML_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FollowerBody(Body):
    account: str
    name: str = Field(default="", max_length=64)
    follow: bool = False
    count: int | None = Field(default=None, ge=1, le=200_000)
    refuses_messages: bool | None = None  # the follower's own switch: 48002
    platform: Literal["1", "2", "3"] | None = None  # iOS, Android, another: which conditional menus fit

    @model_validator(mode="after")
    def _named_or_many(self) -> "FollowerBody":
        if not self.name and self.count is None:
            raise ValueError("give a name, or count for many")
        return self


class ActBody(BaseModel):
    """A message or an event; further fields depend on its type."""

    model_config = ConfigDict(extra="allow")

    account: str
    openid: str
    repeat: int = Field(default=0, ge=0, le=50)
    parallel: bool = False
    raw_xml: str = ""

    @model_validator(mode="after")
    def _names_fields(self) -> "ActBody":
        for name in self.model_extra or {}:
            if not XML_NAME.fullmatch(name):
                raise ValueError(f"“{name}” cannot be the name of a field; a broken body is sent with raw_xml")
        return self


class MessageBody(ActBody):
    type: str = Field(default="text", pattern=r"^[A-Za-z_]{1,40}$")


class EventBody(ActBody):
    event: str = Field(pattern=r"^[A-Za-z_]{1,60}$")
    event_key: str | None = None


class ScanBody(Body):
    account: str
    openid: str
    scene: str = ""
    ticket: str = ""


class FaultBody(Body):
    path: str = Field(min_length=1)
    account: str | None = None  # None: of every account
    times: int = Field(default=1, ge=-1)
    errcode: int | None = None
    status: int | None = Field(default=None, ge=400, le=599)
    delay_ms: int = Field(default=0, ge=0, le=60_000)
    cut: Literal["reply", "push", ""] = ""

    @model_validator(mode="after")
    def _does_something(self) -> "FaultBody":
        if self.errcode is None and self.status is None and not self.delay_ms and not self.cut:
            raise ValueError("give errcode, status, delay_ms or cut")
        if self.path == CALLBACK and self.errcode is not None:
            raise ValueError("a push has no errcode; give status, delay_ms or cut")
        if self.path != CALLBACK and self.cut == "push":
            raise ValueError("only a push can be lost on the way; of a call, cut the reply")
        return self


class ClockBody(Body):
    advance_seconds: float


class VerifyBody(Body):
    account: str


class AsShown(BaseModel):
    """What WeChat's console holds, in the shape in which the API shows it; checked as far as phones read it."""

    model_config = ConfigDict(extra="allow")


class AutoReply(AsShown):
    type: str = ""


class KeywordRule(AsShown):
    keyword_list_info: list[AsShown] = []
    reply_list_info: list[AutoReply] = []


class AutoRepliesBody(AsShown):
    account: str = Field(exclude=True)
    add_friend_autoreply_info: AutoReply | None = None
    message_default_autoreply_info: AutoReply | None = None
    keyword_autoreply_info: dict[Literal["list"], list[KeywordRule]] | None = None


class ConsoleButton(AsShown):
    name: str
    sub_button: list[AsShown] | dict[Literal["list"], list[AsShown]] = []


class ConsoleMenuBody(Body):
    account: str
    button: list[ConsoleButton]

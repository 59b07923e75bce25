"""What tests and phones may ask for under /sim/: the fields of each call, checked."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.simulator.faults import CALLBACK, ENDS

XML_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FollowerBody(Body):
    account: str
    name: str = Field(default="", max_length=64)
    follow: bool = False
    count: int | None = Field(default=None, ge=1, le=1_000_000)
    tag_id: int | None = None  # with count: all of them carry it
    refuses_messages: bool | None = None  # the follower's own switch: 48002
    platform: Literal["1", "2", "3"] | None = None  # iOS, Android, another: which conditional menus fit

    @model_validator(mode="after")
    def _named_or_many(self) -> "FollowerBody":
        if not self.name and self.count is None:
            raise ValueError("give a name, or count for many")
        if self.tag_id is not None and self.count is None:
            raise ValueError("tag_id goes with count; one follower is tagged as WeChat has it")
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
    cut: Literal["reply", "request", "push", ""] = ""
    after: bool = False
    result: str = ""
    lost: bool = False
    early: bool = False
    copies: int = Field(default=1, ge=1, le=50)
    delay_seconds: float = Field(default=0, ge=0, le=30 * 86400)

    @model_validator(mode="after")
    def _does_something(self) -> "FaultBody":
        happens = self.errcode is not None or self.status is not None or self.delay_ms or self.cut
        if self.path in ENDS:
            return self._ends_a_job(bool(happens or self.after))
        if self.result or self.lost or self.early or self.copies > 1 or self.delay_seconds:
            raise ValueError(f"result, lost, early, copies and delay_seconds are for {', '.join(ENDS)}")
        if not happens:
            raise ValueError("give errcode, status, delay_ms or cut")
        if self.path == CALLBACK and (self.errcode is not None or self.after or self.cut == "request"):
            raise ValueError("a push has no errcode, request or after; give status, delay_ms or cut")
        if self.path != CALLBACK and self.cut == "push":
            raise ValueError("only a push can be lost on the way; of a call, cut the reply or the request")
        if self.after and self.cut:
            raise ValueError("after goes with errcode, status or delay_ms; a cut says itself when it comes")
        return self

    def _ends_a_job(self, is_of_a_call: bool) -> "FaultBody":
        if is_of_a_call:
            raise ValueError("an event takes result, lost, early, copies and delay_seconds; a call takes the others")
        if not (self.result or self.lost or self.early or self.copies > 1 or self.delay_seconds):
            raise ValueError("give result, lost, early, copies or delay_seconds")
        if self.result and not re.fullmatch(ENDS[self.path], self.result):
            raise ValueError(f"the result of {self.path} is one of {ENDS[self.path]}")
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


class TemplateBody(Body):
    account: str
    kind: Literal["message", "one-time", "long-term"] = "message"
    title: str = Field(min_length=1, max_length=64)
    content: str = Field(min_length=1, max_length=2000)  # with {{thing1.DATA}} where a value goes


class ConsentBody(Body):
    """What a follower chose when asked for notices."""

    account: str
    openid: str
    template_id: str
    accept: bool = True
    always: bool = False
    scene: Literal[1, 2] = 1  # a page, an article
    settings: bool = False  # chosen later, in the account's settings: another event

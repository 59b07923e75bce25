"""/moments/api/v1/friends/<member>/sight and …/requests/<member>/sight: what somebody sees of one's posts, and why."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.moments import addresses, groups, sight
from bot.moments.api.contract import Out, endpoint
from bot.moments.api.friends import Acceptance
from bot.moments.reasons import Row
from models import PostMode


class Line(Out):
    mode: PostMode
    row: Annotated[Row, Field(description="the first reason that applies to these posts")]
    is_seen: bool
    count: Annotated[int, Field(description="of your posts")]


class Sight(Out):
    window_days: Annotated[int | None, Field(description="of yours")]
    count: Annotated[int, Field(description="of all your posts")]
    seen: Annotated[int, Field(description="how many of them they see")]
    lines: list[Line]


@endpoint(
    "GET",
    "/friends/<member>/sight",
    scope="posts:read",
    summary="How many of your posts a friend sees, and why not the others",
    returns=Sight,
)
def sight_of_friend(session: Session, me: models.Member, member_id: int) -> dict[str, Any]:
    return _sight(me, sight.of(session, me, member_id))


@endpoint(
    "POST",
    "/requests/<member>/sight",
    scope="friends:write",
    summary="What somebody would see if you accepted like this; nothing is changed",
    body=Acceptance,
    returns=Sight,
)
def sight_if_accepted(session: Session, me: models.Member, member_id: int, body: Acceptance) -> dict[str, Any]:
    into = [groups.get(session, me, addresses.read("group", each)) for each in body.groups]
    return _sight(me, sight.if_accepted(session, me, member_id, into=into, hides=body.hides, chat_only=body.chat_only))


def _sight(me: models.Member, lines: list[sight.Line]) -> dict[str, Any]:
    return {
        "window_days": me.window_days,
        "count": sum(line.count for line in lines),
        "seen": sum(line.count for line in lines if line.is_seen),
        "lines": lines,
    }

"""/moments/api/v1/notices."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.moments import addresses, cards, notices
from bot.moments.api.contract import In, Out, PageQuery, endpoint, start_of
from bot.moments.api.shapes import Address, Notice


class Notices(Out):
    items: list[Notice]
    next: str | None


class Unread(Out):
    count: Annotated[int, Field(description="of notices that you may still see; 100 stands for more")]


class Reading(In):
    until: Annotated[Address, Field(description="the newest notice that was seen")]


@endpoint("GET", "/notices", scope="notices:read", summary="What happened", query=PageQuery, returns=Notices)
def list_notices(session: Session, me: models.Member, query: PageQuery) -> dict[str, Any]:
    place = f"notices {me.id}"
    found, following = notices.page(session, me, start_of(query, place), query.limit)
    return {
        "items": cards.noticed(session, me, found),
        "next": addresses.cursor(place, following) if following is not None else None,
    }


@endpoint("GET", "/notices/unread", scope="notices:read", summary="How many are new", returns=Unread)
def count_unread(session: Session, me: models.Member) -> dict[str, int]:
    return {"count": notices.unread(session, me)}


@endpoint("POST", "/notices/read", scope="notices:write", summary="They were seen", body=Reading, status=204)
def mark_read(session: Session, me: models.Member, body: Reading) -> None:
    notices.mark_read(session, me, addresses.read("notice", body.until))

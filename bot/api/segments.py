"""/api/v1/accounts/<account>/segments: groups of followers, found anew each time."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, PageQuery, endpoint
from bot.api.followers import Follower, FollowerPage
from bot.services import segments
from bot.services.segment_conditions import Tree, plain
from bot.services.segment_things import Things, check
from bot.services.segment_words import describe


class Segment(Out):
    """`counted`: how many it had at `counted_at`, when the console last counted; null since it was changed."""

    id: int
    name: str
    conditions: dict[str, Any]
    sentence: str
    deleted: Annotated[list[str], Field(description="tags, fields … it names that are no more: they let nobody in")]
    who: str
    created_at: datetime
    updated_at: datetime
    counted: int | None
    counted_at: datetime | None


class Segments(Out):
    items: list[Segment]


class SegmentDraft(In):
    name: Annotated[str, Field(max_length=64)]
    conditions: Tree


class Trial(In):
    """Conditions to try: nothing is kept."""

    conditions: Tree


class Audience(Out):
    sentence: str
    count: Annotated[int | None, Field(description="null: counting took longer than five seconds")]
    sample: list[Follower]


@endpoint(
    "GET", "/accounts/<slug>/segments", scope="segments:read", summary="List the segments by name", returns=Segments
)
def list_segments(session: Session, account: models.Account) -> dict[str, Any]:
    found = segments.list_all(session, account)
    things = segments.things_of(session, account, found)
    return {"items": [_worded(each, things[each.id]) for each in found]}


@endpoint(
    "POST",
    "/accounts/<slug>/segments",
    scope="segments:write",
    summary="Add a segment",
    body=SegmentDraft,
    returns=Segment,
    status=201,
)
def create_segment(session: Session, account: models.Account, body: SegmentDraft) -> dict[str, Any]:
    return _shown(session, account, segments.save(session, account, body.name, plain(body.conditions), who="API"))


@endpoint(
    "POST",
    "/accounts/<slug>/segments/try",
    scope="segments:read",
    summary="Count whom conditions find, with a sample of ten",
    body=Trial,
    returns=Audience,
    only_reads=True,
)
def try_segment(session: Session, account: models.Account, body: Trial) -> dict[str, Any]:
    conditions = plain(body.conditions)
    found = segments.audience(session, segments.query_for(session, account, conditions))
    sentence = describe(conditions, check(session, account, conditions))
    return {"sentence": sentence, "count": found.count, "sample": found.sample}


@endpoint(
    "GET",
    "/accounts/<slug>/segments/<int:segment_id>",
    scope="segments:read",
    summary="Get a segment",
    returns=Segment,
)
def get_segment(session: Session, account: models.Account, segment_id: int) -> dict[str, Any]:
    return _shown(session, account, segments.get(session, account, segment_id))


@endpoint(
    "PUT",
    "/accounts/<slug>/segments/<int:segment_id>",
    scope="segments:write",
    summary="Replace a segment's name and conditions",
    body=SegmentDraft,
    returns=Segment,
)
def replace_segment(session: Session, account: models.Account, segment_id: int, body: SegmentDraft) -> dict[str, Any]:
    segment = segments.get(session, account, segment_id)
    return _shown(
        session, account, segments.save(session, account, body.name, plain(body.conditions), segment, who="API")
    )


@endpoint(
    "DELETE",
    "/accounts/<slug>/segments/<int:segment_id>",
    scope="segments:write",
    summary="Delete a segment",
    status=204,
)
def delete_segment(session: Session, account: models.Account, segment_id: int) -> None:
    segments.remove(session, segments.get(session, account, segment_id))


@endpoint(
    "GET",
    "/accounts/<slug>/segments/<int:segment_id>/audience",
    scope="segments:read",
    summary="Count a segment, with a sample of ten",
    returns=Audience,
)
def get_segment_audience(session: Session, account: models.Account, segment_id: int) -> dict[str, Any]:
    segment = segments.get(session, account, segment_id)
    found = segments.audience(session, segments.query(session, account, segment))
    sentence = describe(segment.conditions, segments.things_of(session, account, [segment])[segment.id])
    return {"sentence": sentence, "count": found.count, "sample": found.sample}


@endpoint(
    "GET",
    "/accounts/<slug>/segments/<int:segment_id>/members",
    scope="segments:read",
    summary="List a segment's followers, newest first",
    query=PageQuery,
    returns=FollowerPage,
)
def list_segment_members(
    session: Session, account: models.Account, segment_id: int, query: PageQuery
) -> dict[str, Any]:
    segment = segments.get(session, account, segment_id)
    found = segments.members(session, account, segment, query.before, query.limit)
    return {"items": found, "next": found[-1].id if len(found) == query.limit else None}


def _shown(session: Session, account: models.Account, segment: models.Segment) -> dict[str, Any]:
    return _worded(segment, segments.things_of(session, account, [segment])[segment.id])


def _worded(segment: models.Segment, things: Things) -> dict[str, Any]:
    row = {name: getattr(segment, name) for name in Segment.model_fields if hasattr(segment, name)}
    gone = sorted(things.names.get(each, "") for each in things.gone)
    return {**row, "sentence": describe(segment.conditions, things), "deleted": gone}

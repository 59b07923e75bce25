"""A member's post that was reported, looked at a moment ago, and one that is held."""

from sqlalchemy.orm import Session

from bot.moments import friends, members, moderation, posts, reports
from bot.moments.media import files, uploads
from bot.moments.posts import Draft
from models import CaseState, Media, MediaKind, MediaState, ReportReason


def reported(session: Session) -> dict[str, int]:
    """The ids by the name of the path's part; written in the caller's transaction, which is committed here."""
    ann, bob = members.add(session, "ann", "Ann"), members.add(session, "bob", "Bob")
    friends.ask(session, bob, ann.id, "")
    friends.accept(session, ann, bob.id)
    media = Media(owner_id=ann.id, key=files.new_key(), kind=MediaKind.PHOTO, state=MediaState.READY, width=4)
    session.add(media)
    session.flush()
    for part in uploads.PHOTO:
        path = files.path(media.key, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a photo")
    found = {}
    for name, draft in {
        "case_id": Draft("Buy!", media=(media.id,)),
        "release_case case_id": Draft("Buy more!"),
    }.items():
        post = posts.publish(session, ann, draft)
        reports.report_post(session, bob, post.id, ReportReason.SPAM)
        found[name] = moderation.queue(session, CaseState.OPEN)[0].id
    moderation.hold(session, found["release_case case_id"], ReportReason.SPAM)
    moderation.look(session, found["case_id"], "API: test")
    session.commit()
    return {**found, "member_id": ann.id, "media_id": media.id}

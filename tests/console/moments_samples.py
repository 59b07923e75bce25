"""Cases for the console: a post with a photo, a comment, one that is held, and a suspended member."""

import io

from PIL import Image
from sqlalchemy.orm import Session

from bot.moments import friends, members, moderation, posts, reactions, reports
from bot.moments.audiences import Choice
from bot.moments.media import files, uploads
from bot.moments.posts import Draft
from models import CaseState, ListKind, Media, MediaKind, MediaState, PostMode, ReportReason


def reported(session: Session) -> dict[str, int]:
    """Name → id: the cases "post", "comment" and "held", the members and the photo."""
    mei, jun, wei = (
        members.add(session, handle, name) for handle, name in (("mei", "小美"), ("jun", "王俊"), ("wei", "魏来"))
    )
    for one, other in ((jun, mei), (wei, mei), (jun, wei)):
        friends.ask(session, one, other.id, "")
        friends.accept(session, other, one.id)
    for_some = Choice(PostMode.ALLOW, {ListKind.ALLOW_MEMBER: [jun.id]})
    photo = _photo(session, mei.id)
    draft = Draft("日赚三千，加微信详聊！\n名额有限，先到先得。", place="西湖", audience=for_some, media=(photo,))
    found = {"photo": photo, "mei": mei.id, "wei": wei.id}
    reports.report_post(session, jun, posts.publish(session, mei, draft).id, ReportReason.FRAUD, "她让我先转钱。")
    found["post"] = moderation.queue(session, CaseState.OPEN)[0].id
    walk = posts.publish(session, mei, Draft("今天去爬山了"))
    rude = reactions.comment(session, wei, walk.id, "就你这样还爬山？")
    for who in (mei, jun):
        reports.report_comment(session, who, rude.id, ReportReason.INSULT)
    found["comment"] = moderation.queue(session, CaseState.OPEN)[0].id
    reports.report_post(session, jun, posts.publish(session, wei, Draft("便宜出票")).id, ReportReason.SPAM)
    found["held"] = moderation.queue(session, CaseState.OPEN)[0].id
    moderation.hold(session, found["held"], ReportReason.SPAM, "请不要发广告。")
    moderation.suspend(session, wei.id)
    session.commit()
    return found


def _photo(session: Session, owner_id: int) -> int:
    picture = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(picture, "JPEG")
    media = Media(owner_id=owner_id, key=files.new_key(), kind=MediaKind.PHOTO, state=MediaState.READY, width=256)
    session.add(media)
    session.flush()
    for part in uploads.PHOTO:
        path = files.path(media.key, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture.getvalue())
    return media.id

"""/api/v1/accounts/<slug>/media: files for followers, given to WeChat."""

from typing import Annotated

from flask import request
from pydantic import Field

import models
from bot.api.contract import Out, endpoint
from bot.errors import Refused
from bot.services import media_uploads


class UploadedMedia(Out):
    kind: Annotated[str, Field(description="image, voice or video: as a reply names it")]
    media_id: Annotated[str, Field(description="for a reply; WeChat keeps it for three days")]


@endpoint(
    "POST",
    "/accounts/<slug>/media",
    scope="sends:write",
    summary="Give WeChat a picture, a sound or a video, to be sent in a reply",
    returns=UploadedMedia,
    status=201,
    takes_file=True,
)
def upload_media(account: models.Account) -> media_uploads.Uploaded:
    request.max_content_length = media_uploads.REQUEST_BYTES
    file = request.files.get("file")
    if not file:
        raise Refused("Send the picture, sound or video as the part “file” of a form.", field="file")
    return media_uploads.upload(account, file.filename or "", file.stream)

"""Files for followers: told apart by their first bytes, and given to WeChat, which keeps them for three days.

Calls WeChat: never within a transaction.
"""

from typing import IO, NamedTuple

from bot.errors import Refused
from bot.services import tokens
from bot.wechat.errors import WeChatError
from models import Account

MB = 1 << 20
# kind: what WeChat takes at most (wechat-protocol 5), and for people
LIMITS = {"image": 10 * MB, "voice": 2 * MB, "video": 10 * MB}
REQUEST_BYTES = max(LIMITS.values()) + MB  # a form with one of them
ACCEPT = "image/jpeg,image/png,image/gif,audio/mpeg,.mp3,.amr,video/mp4"


class Uploaded(NamedTuple):
    kind: str  # image, voice or video
    media_id: str


def upload(account: Account, filename: str, stream: IO[bytes]) -> Uploaded:
    """Give a file to WeChat; what it is called does not matter.

    Raises:
        Refused: nothing that WeChat takes, too large, or WeChat does not take it; in a sentence for whoever chose it.
    """
    content = stream.read(REQUEST_BYTES)
    kind, content_type, ending = _what_it_is(content[:16])
    if len(content) > LIMITS[kind]:
        most = LIMITS[kind] // MB
        raise Refused("The file is larger than {most} MB, the most WeChat takes.", field="file", most=most)
    name = f"{filename.rpartition('.')[0][:60] or 'file'}.{ending}"
    try:
        return Uploaded(kind, tokens.client_for(account).upload_media(kind, name, content, content_type))
    except WeChatError as error:
        raise Refused(error.advice(), field="file") from None


def _what_it_is(head: bytes) -> tuple[str, str, str]:
    if head[:3] == b"\xff\xd8\xff":
        return "image", "image/jpeg", "jpg"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "image", "image/png", "png"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image", "image/gif", "gif"
    if head[:5] == b"#!AMR":
        return "voice", "audio/amr", "amr"
    if head[:3] == b"ID3" or (head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE0 == 0xE0):
        return "voice", "audio/mpeg", "mp3"
    if head[4:8] == b"ftyp" and head[8:12] != b"qt  ":
        return "video", "video/mp4", "mp4"
    raise Refused("WeChat takes JPEG, PNG and GIF pictures, MP3 and AMR sound, and MP4 videos.", field="file")

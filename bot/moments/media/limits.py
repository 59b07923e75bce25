"""What may be uploaded, and what taking it apart may cost (moments 2.9)."""

from datetime import timedelta
from typing import NamedTuple

MB = 1 << 20

PHOTO_BYTES = 20 * MB
PHOTO_PIXELS = 50_000_000  # as the header says, before anything is decoded
VIDEO_BYTES = 200 * MB
VIDEO_SECONDS = 300
REQUEST_BYTES = VIDEO_BYTES + MB  # what the route of an upload must let through, as request.max_content_length
MOOV_BYTES = 16 * MB  # a video's tables: five minutes take less than one

PHOTOS_A_POST = 9
MEDIA_AN_HOUR = 60
FREE_BYTES = 1024 * MB  # that the disk must have left


class Cost(NamedTuple):
    """What a decoder may use before the kernel, or its parent, ends it."""

    memory: int = 512 * MB  # of address space
    cpu_seconds: int = 10
    seconds: float = 30.0  # by the wall: it runs with low priority beside others


USUAL = Cost()
DRAFTS_KEPT = timedelta(days=3)  # uploads that no post took
UNFINISHED_KEPT = timedelta(hours=1)  # uploads whose process died, and what counts for the hour's limit
UNDO = timedelta(minutes=10)  # between erasing and the loss of the bytes

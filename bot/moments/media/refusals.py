"""Why an upload is not taken: the decoder says a word, the page a sentence."""

SENTENCES = {
    "empty": "The file is empty. Choose it again.",
    "type": "This is not a photo or video we know. Send a JPEG, PNG, WebP or GIF, or a video as MP4 or MOV.",
    "heic": "HEIC photos cannot be read here. Send it as JPEG; in the camera's settings choose “Most compatible”.",
    "photo_bytes": "The photo is larger than 20 MB. Send a smaller copy.",
    "photo_pixels": "The photo has more than 50 million pixels. Send a smaller copy.",
    "video_bytes": "The video is larger than 200 MB. Send a shorter or smaller one.",
    "video_length": "The video is longer than 5 minutes. Send a part of it.",
    "broken": "The file is damaged or incomplete. Choose it again, or save it anew on your device first.",
    "fragmented": "The video is saved in pieces, which cannot be checked. Export it as an ordinary MP4 first.",
    "codec": "Phones and browsers cannot play the way this video is coded. Export it as MP4 with H.264 and AAC first.",
    "too_hard": "The file takes too much to open. Send a smaller or simpler copy.",
}


class Untakable(Exception):
    """The upload cannot be taken; ``code`` is a key of SENTENCES."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

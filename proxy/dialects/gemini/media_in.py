"""Images, sounds and files in a caller's parts: `inlineData` by value, `fileData` by reference.

Base64 of any spelling is taken and leaves as the standard alphabet. A reference that only Google can follow (its Files
API, gs://, a video of YouTube, which has no type) stays a part of Google's own: nobody else could do anything with it.
Raises Invalid.
"""

import re
from typing import Final

from proxy.dialects.gemini.loose import Loose
from proxy.dialects.media import fit_base64, fit_mime
from proxy.dialects.parts import Audio, File, Image, Media, Opaque, Part

_PUBLIC: Final = re.compile(r"https?://(?!generativelanguage\.googleapis\.com/)", re.IGNORECASE).match
_FORMATS: Final = {"audio/wav": "wav", "audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/x-m4a": "m4a"}


def parse_inline(part: Loose) -> Part:
    blob = Loose(part.raw("inlineData"), part.place("inlineData"))
    try:
        data = fit_base64(blob.text("data"))
    except ValueError:
        raise blob.invalid("data", "must be base64") from None
    if not data:
        raise blob.invalid("data", "must not be empty")
    mime = fit_mime(blob.text("mimeType"))
    if "/" not in mime:
        raise blob.invalid("mimeType", "must be a media type")
    if mime.startswith("audio/"):
        return Audio(_FORMATS.get(mime, mime.removeprefix("audio/")), data, at=part.at)
    media = Media(mime, data)
    if mime.startswith("image/"):
        return Image(media, at=part.at)
    return File(media, blob.text("displayName", ""), at=part.at)


def parse_file(part: Loose) -> Part:
    found = Loose(part.raw("fileData"), part.place("fileData"))
    uri = found.text("fileUri")
    mime = fit_mime(found.text("mimeType", ""))
    if not mime or not _PUBLIC(uri):
        return Opaque("gemini", dict(part.value), at=part.at)
    media = Media(mime, url=uri)
    if mime.startswith("image/"):
        return Image(media, at=part.at)
    return File(media, found.text("displayName", ""), at=part.at)

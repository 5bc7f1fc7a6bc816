"""Images, sounds and files from the hub to `inlineData` and `fileData` (ai.google.dev/gemini-api/docs/files).

Nothing is fetched: what stands behind a URL goes by reference where the endpoint follows references, and is refused
by its place where it does not, as is what only another vendor's file store knows. Raises Invalid.
"""

from typing import Final
from urllib.parse import urlsplit

from proxy.dialects.chat import Invalid
from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.rules import Rules, note
from proxy.dialects.media import fit_base64, fit_image, fit_mime, parse_data_url, sniff
from proxy.dialects.parts import Audio, File, Image, Json, Media

_SOUNDS: Final = {"mp3": "audio/mpeg", "wav": "audio/wav", "m4a": "audio/mp4"}
_ENDINGS: Final = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
    "heic": "image/heic", "heif": "image/heif", "pdf": "application/pdf", "txt": "text/plain", "mp4": "video/mp4",
    "mp3": "audio/mpeg", "wav": "audio/wav",
}  # fmt: skip
"""Google wants the type of what a URL leads to (ai.google.dev/api/caching#FileData)."""


def build_media(part: Image | File | Audio, rules: Rules, fitting: Fitting) -> Json:
    if isinstance(part, Audio):
        if not rules.audio:
            raise Invalid(part.at, "the model that answers cannot hear")
        return _inline(_SOUNDS.get(part.format, f"audio/{part.format}"), _fit(part.data, part.at))
    if isinstance(part, Image) and part.detail:
        note(fitting, "detail")
    if isinstance(part, Image) and not rules.images:
        raise Invalid(part.at, "the model that answers cannot see images")
    media = part.media if part.media.data else parse_data_url(part.media.url) or part.media
    if not media.data:
        return _refer(media, part.at, rules)
    if isinstance(part, Image):
        media = fit_image(Image(media, at=part.at), rules.images).media
        return _inline(media.mime, media.data)
    data = _fit(media.data, part.at)
    mime = fit_mime(media.mime) or sniff(data)
    if not mime:
        raise Invalid(part.at, "needs a media type")
    return _inline(mime, data)


def _inline(mime: str, data: str) -> Json:
    return {"inlineData": {"mimeType": mime, "data": data}}


def _fit(data: str, at: str) -> str:
    try:
        return fit_base64(data)
    except ValueError:
        raise Invalid(at, "is not valid base64") from None


def _refer(media: Media, at: str, rules: Rules) -> Json:
    if media.file_id:
        raise Invalid(at, "the provider that answers does not have this file; send its bytes")
    if not rules.references or not media.url.lower().startswith(("https://", "http://", "gs://")):
        raise Invalid(at, "the provider that answers follows no such reference; send the bytes")
    try:
        ending = urlsplit(media.url).path.rpartition(".")[2].lower()
    except ValueError:
        raise Invalid(at, "is not a valid URL") from None
    mime = media.mime if "*" not in media.mime and media.mime else _ENDINGS.get(ending, "")
    return {"fileData": {"mimeType": mime, "fileUri": media.url} if mime else {"fileUri": media.url}}

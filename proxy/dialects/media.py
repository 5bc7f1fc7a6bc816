"""Images and files as requests carry them: data URLs, base64 in every spelling, and media types that can be believed.

Takes and returns the hub's `Media` and `Image`. Nothing is fetched and nothing is decoded as a whole but to check it;
the type of an image is read from its first bytes, because providers compare it with the declared one and refuse a
difference (docs.anthropic.com, vision). `fit_base64` raises ValueError, `fit_image` raises `Invalid`.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import unquote_to_bytes

from proxy.dialects.chat import Invalid
from proxy.dialects.parts import Image, Media

_ALIASES: Final[Mapping[str, str]] = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "application/x-pdf": "application/pdf",
}

_MAGIC: Final = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"BM", "image/bmp"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
)
"""Where the mark stands, the mark, the type (mimesniff.spec.whatwg.org, section 6)."""

_HEAD: Final = 32
"""Characters of base64 that hold every mark above: 24 bytes."""

_URL_SAFE: Final = str.maketrans("-_", "+/")


def parse_data_url(url: str) -> Media | None:
    """What a `data:` URL holds (RFC 2397); None for any other URL, and for one that is broken or holds nothing.

    The scheme and the media type are compared without case, parameters of the type are left out.
    """
    if url[:5].lower() != "data:":
        return None
    head, comma, payload = url[5:].partition(",")
    if not comma:
        return None
    mime, *parameters = (word.strip().lower() for word in head.split(";"))
    if "base64" in parameters:
        try:
            data = fit_base64(_unquote(payload))
        except ValueError:
            return None
    else:
        data = base64.b64encode(unquote_to_bytes(payload)).decode()
    return Media(fit_mime(mime or "text/plain"), data) if data else None


def fit_mime(mime: str) -> str:
    """The registered name of a media type, lower case, without parameters."""
    bare = mime.partition(";")[0].strip().lower()
    return _ALIASES.get(bare, bare)


def sniff(data_b64: str) -> str:
    """The media type that standard base64 begins as, "" when it is none of those known here."""
    try:
        head = base64.b64decode(data_b64[:_HEAD])
    except ValueError:
        return ""
    for at, mark, mime in _MAGIC:
        if head.startswith(mark, at):
            return mime
    return ""


def fit_base64(text: str) -> str:
    """`text` in the standard alphabet, padded, without blanks. Raises ValueError for what is no base64.

    Google's Python SDK sends the URL-safe alphabet, shells and mailers break lines, browsers leave out the padding.
    """
    if not text.isascii():
        raise ValueError("not base64")
    words = text.split()
    joined = words[0] if len(words) == 1 else "".join(words)
    standard = joined.translate(_URL_SAFE).rstrip("=")
    standard += "=" * (-len(standard) % 4)
    try:
        binascii.a2b_base64(standard, strict_mode=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    return standard


def fit_image(image: Image, allowed: frozenset[str]) -> Image:
    """`image` with the media type that its bytes have. Raises Invalid, with the image's place, for types that are not
    `allowed` and for broken base64. An image by reference is not looked at."""
    media = image.media
    if not media.data:
        return image
    try:
        data = fit_base64(media.data)
    except ValueError:
        raise Invalid(image.at, "is not valid base64") from None
    mime = sniff(data) or fit_mime(media.mime)
    if mime not in allowed:
        raise Invalid(image.at, f"must be one of {', '.join(sorted(allowed))}")
    if (mime, data) == (media.mime, media.data):
        return image
    return replace(image, media=replace(media, mime=mime, data=data))


def _unquote(payload: str) -> str:
    return unquote_to_bytes(payload).decode("latin-1") if "%" in payload else payload

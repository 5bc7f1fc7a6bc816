"""Reads the images, files and sounds of a request: base64 and data URLs in, `Media` out, which say what arrived.

Strict as providers are: an alphabet or a padding that is not base64, or bytes that are no image of the declared type,
raise ValueError. Knows no dialect.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
SIGNS: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"%PDF-"), "application/pdf"),
)
_DATA_URL: Final = re.compile(r"data:([a-z0-9.+-]+/[a-z0-9.+-]+)(?:;[a-z0-9-]+=[^;,]*)*;base64,(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Media:
    """Something that came with a message: `size` in bytes, `digest` the first eight hex digits of its SHA-256. By
    reference it has neither, and `mime` says what little is known."""

    mime: str
    size: int = 0
    digest: str = ""

    def describe(self) -> str:
        return f"{self.mime} of {self.size} bytes, {self.digest}" if self.digest else f"{self.mime} by reference"


def build_media(mime: str, data: bytes) -> Media:
    return Media(mime, len(data), hashlib.sha256(data).hexdigest()[:8])


def decode_base64(text: str, *, urlsafe: bool = False) -> bytes:
    """Bytes of padded base64; `urlsafe` takes the other alphabet too, and no padding. Raises ValueError."""
    if urlsafe:
        text = text.replace("-", "+").replace("_", "/")
        text += "=" * (-len(text) % 4)
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("not valid base64") from None


def read_image(mime: str, data: bytes) -> Media:
    """Bytes that are an image of the type they are said to be. Raises ValueError."""
    if mime not in IMAGES:
        raise ValueError("not an image type that is taken")
    if sniff(data) != mime:
        raise ValueError("the image is not of the declared type")
    return build_media(mime, data)


def read_data_url(url: str) -> Media:
    """An image by value; anything over http(s) is by reference. Raises ValueError."""
    if url.startswith(("http://", "https://")):
        return Media("image")
    match = _DATA_URL.fullmatch(url)
    if match is None:
        raise ValueError("neither a URL nor a base64 data URL")
    return read_image(match[1], decode_base64(match[2]))


def read_file_url(url: str) -> Media:
    """A file by value, as a data URL. Raises ValueError."""
    match = _DATA_URL.fullmatch(url)
    if match is None:
        raise ValueError("not a base64 data URL")
    data = decode_base64(match[2])
    if match[1] == "application/pdf" and sniff(data) != match[1]:
        raise ValueError("not a PDF")
    return build_media(match[1], data)


def sniff(data: bytes) -> str:
    """The type that the first bytes tell, "" when they tell none."""
    return next((mime for pattern, mime in SIGNS if pattern.match(data)), "")

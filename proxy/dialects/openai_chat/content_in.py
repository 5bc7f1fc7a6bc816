"""The parts of a message's content to the hub's: texts, images, audio, files (platform.openai.com/docs/guides/images).

A part of a type that nobody knows stays as it stands, for who can take it. An image that is no image, broken base64
and URLs of no known scheme are refused here, by their place; nothing is fetched.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from proxy.dialects.fields import Fields
from proxy.dialects.json_text import encode_json
from proxy.dialects.media import fit_base64, fit_mime, parse_data_url, sniff
from proxy.dialects.parts import Audio, File, Image, Json, Media, Opaque, Part, Refusal, Text

_KNOWN_BY_MARK: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_TYPES: Final = {"pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown", "csv": "text/csv",
                 "json": "application/json", "html": "text/html"}  # fmt: skip


def parse_content(message: Fields, dialect: str) -> tuple[Part, ...]:
    """The parts of `content`: a string, an array, or null."""
    content = message.raw("content")
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content, at=message.place("content"), cache=read_cache(message)),) if content else ()
    if not isinstance(content, list):
        raise message.invalid("content", "must be a string or an array")
    return tuple(_iterate_parts(message, dialect))


def read_cache(fields: Fields) -> Mapping[str, Json] | None:
    """`cache_control`, as OpenRouter and LiteLLM take it for Anthropic's models."""
    found = fields.raw("cache_control")
    return found if isinstance(found, dict) else None


def _iterate_parts(message: Fields, dialect: str) -> Iterator[Part]:
    for part in message.children("content"):
        kind = part.text("type")
        reader = _READERS.get(kind)
        if reader is not None:
            yield reader(part)
        else:
            yield Opaque(dialect, dict(part.value), at=part.at, cache=read_cache(part))


def _read_text(part: Fields) -> Part:
    return Text(part.text("text"), at=part.at, cache=read_cache(part))


def _read_refusal(part: Fields) -> Part:
    return Refusal(part.text("refusal"), at=part.at)


def _read_image(part: Fields) -> Part:
    value = part.raw("image_url")
    # Some programs write the URL where the object with it belongs.
    inner = Fields({"url": value} if isinstance(value, str) else value, part.place("image_url"))
    url = inner.text("url")
    at = inner.at if isinstance(value, str) else inner.place("url")
    return Image(_read_url(part, inner, url), inner.text("detail", ""), at=at, cache=read_cache(part))


def _read_url(part: Fields, inner: Fields, url: str) -> Media:
    scheme = url[:8].lower()
    if scheme.startswith(("http://", "https://")):
        return Media("", url=url)
    if not scheme.startswith("data:"):
        raise inner.invalid("url", "must be an http, https or data URL")
    media = parse_data_url(url)
    if media is None:
        raise inner.invalid("url", "is no data URL with base64 in it")
    if media.mime in _KNOWN_BY_MARK and not sniff(media.data).startswith("image/"):
        raise inner.invalid("url", "is not an image")
    return media


def _read_audio(part: Fields) -> Part:
    inner = _need(part, "input_audio")
    return Audio(inner.text("format"), _fit(inner, "data", inner.text("data")), at=part.at, cache=read_cache(part))


def _read_file(part: Fields) -> Part:
    inner = _need(part, "file")
    name = inner.text("filename", "")
    data, file_id = inner.text("file_data", ""), inner.text("file_id", "")
    if data:
        return File(_read_data(inner, data, name), name, at=part.at, cache=read_cache(part))
    if not file_id:
        raise inner.invalid("file_data", "is required, or file_id")
    return File(Media("", file_id=file_id), name, at=part.at, cache=read_cache(part))


def _read_data(inner: Fields, data: str, name: str) -> Media:
    if data[:5].lower() != "data:":
        text = _fit(inner, "file_data", data)
        return Media(sniff(text) or _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream"), text)
    media = parse_data_url(data)
    if media is None:
        raise inner.invalid("file_data", "is no data URL with base64 in it")
    return Media(fit_mime(media.mime), media.data)


def _fit(fields: Fields, name: str, data: str) -> str:
    try:
        return fit_base64(data)
    except ValueError:
        raise fields.invalid(name, "is not valid base64") from None


def _need(part: Fields, name: str) -> Fields:
    inner = part.child(name)
    if inner is None:
        raise part.invalid(name, "is required")
    return inner


_READERS: Final = {
    "text": _read_text,
    "refusal": _read_refusal,
    "image_url": _read_image,
    "input_audio": _read_audio,
    "file": _read_file,
}


def read_arguments(fields: Fields) -> str:
    """A call's arguments: JSON as text; the object itself, as some programs send it, is written out."""
    value = fields.raw("arguments")
    if value is None:
        return "{}"
    if isinstance(value, dict):
        return encode_json(value).decode()
    text = fields.text("arguments")
    return text if text.strip() else "{}"

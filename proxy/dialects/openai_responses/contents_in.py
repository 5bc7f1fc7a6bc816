"""The content of an input message and the output of a tool (openai-python, types/responses/response_input_*_param.py).

Takes a text or an array of parts, returns the hub's parts, raises `Invalid` with a part's path. References are kept as
they are: nothing is fetched. Which media a target takes is the target's business; broken base64 is refused here.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.fields import Fields
from proxy.dialects.media import fit_base64, parse_data_url, sniff
from proxy.dialects.parts import Audio, File, Image, Media, Part, Refusal, Text

_SCHEMES: Final = ("http://", "https://")

_ENDINGS: Final[Mapping[str, str]] = MappingProxyType({
    "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html",
    "json": "application/json", "xml": "application/xml", "png": "image/png", "jpg": "image/jpeg",
    "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
})  # fmt: skip
"""What a file is that came without a media type."""


def parse_content(item: Fields, role: str) -> tuple[Part, ...]:
    """`content` of a message."""
    return _parse_parts(item, "content", _SAID if role == "assistant" else _HEARD)


def parse_output(item: Fields) -> tuple[Part, ...]:
    """`output` of a call."""
    return _parse_parts(item, "output", _RESULT)


def _parse_parts(item: Fields, name: str, readers: Mapping[str, "_Reader"]) -> tuple[Part, ...]:
    value = item.raw(name)
    if isinstance(value, str):
        return (Text(value, at=item.place(name)),)
    if value is None:
        raise item.invalid(name, "is required")
    parts: list[Part] = []
    for part in item.children(name):
        kind = part.text("type")
        if kind not in readers:
            raise part.invalid("type", f"must be one of {', '.join(readers)}")
        parts.append(readers[kind](part))
    return tuple(parts)


def _parse_text(part: Fields) -> Part:
    return Text(part.text("text"), at=part.at)


def _parse_refusal(part: Fields) -> Part:
    return Refusal(part.text("refusal"), at=part.at)


def _parse_image(part: Fields) -> Part:
    detail = part.text("detail", "")
    file_id, url = part.text("file_id", ""), part.text("image_url", "")
    if url:
        return Image(_parse_url(part, "image_url", url), detail, at=part.at)
    if not file_id:
        raise part.invalid("image_url", "is required")
    return Image(Media("", file_id=file_id), detail, at=part.at)


def _parse_url(part: Fields, name: str, url: str) -> Media:
    media = parse_data_url(url)
    if media is not None:
        return media
    if not url.lower().startswith(_SCHEMES):
        raise part.invalid(name, "must be a data URL with base64, or an http(s) URL")
    return Media("", url=url)


def _parse_file(part: Fields) -> Part:
    name = part.text("filename", "")
    data, file_id, url = part.text("file_data", ""), part.text("file_id", ""), part.text("file_url", "")
    mime = _ENDINGS.get(name.rpartition(".")[2].lower(), "")
    if data:
        return File(_parse_data(part, data, mime), name, at=part.at)
    if url:
        return File(_parse_url(part, "file_url", url), name, at=part.at)
    if not file_id:
        raise part.invalid("file_data", "is required")
    return File(Media(mime, file_id=file_id), name, at=part.at)


def _parse_data(part: Fields, data: str, mime: str) -> Media:
    """A data URL; bare base64 is taken too, as the API does."""
    media = parse_data_url(data)
    if media is not None:
        return media
    try:
        plain = fit_base64(data)
    except ValueError:
        raise part.invalid("file_data", "must be a data URL with base64") from None
    return Media(mime or sniff(plain) or "application/octet-stream", plain)


def _parse_audio(part: Fields) -> Part:
    audio = part.child("input_audio")
    if audio is None:
        raise part.invalid("input_audio", "is required")
    try:
        data = fit_base64(audio.text("data"))
    except ValueError:
        raise audio.invalid("data", "is not valid base64") from None
    return Audio(audio.text("format"), data, at=part.at)


_Reader = Callable[[Fields], Part]

_RESULT: Final[Mapping[str, _Reader]] = MappingProxyType(
    {
        "input_text": _parse_text,
        "input_image": _parse_image,
        "input_file": _parse_file,
        "output_text": _parse_text,
        "text": _parse_text,
    }
)
_HEARD: Final[Mapping[str, _Reader]] = MappingProxyType({**_RESULT, "input_audio": _parse_audio})
_SAID: Final[Mapping[str, _Reader]] = MappingProxyType(
    {
        "output_text": _parse_text,
        "refusal": _parse_refusal,
        "input_text": _parse_text,
        "text": _parse_text,
    }
)

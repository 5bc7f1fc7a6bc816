"""A file part of a `UIMessage`: a data URL or a reference, its media type, its name.

The type may be whole (`image/png`) or only its beginning (`image`, `image/*`: npm `ai` 7). Nothing is fetched; a URL
that only the page could read (`blob:`) is refused, with its place.
"""

from typing import Final

from proxy.dialects.fields import Fields
from proxy.dialects.media import fit_mime, parse_data_url, sniff
from proxy.dialects.parts import Audio, File, Image, Media, Part

_FORMATS: Final = {"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/x-m4a": "m4a"}
"""Where an audio format is not called as its media type is."""


def read_file(part: Fields) -> Part:
    """Image, Audio or File. Raises Invalid."""
    url, at = part.text("url"), part.place("url")
    declared = fit_mime(part.text("mediaType")).removesuffix("/*")
    family = declared.partition("/")[0]
    if not family:
        raise part.invalid("mediaType", "must not be empty")
    if url[:5].lower() == "data:":
        media = parse_data_url(url)
        if media is None:
            raise part.invalid("url", "is not a data URL that holds something")
        media = Media(_choose_mime(declared, family, media), media.data)
    elif url[:8].lower().startswith(("https://", "http://")):
        media = Media(declared if "/" in declared else "", url=url)
    else:
        raise part.invalid("url", "must be a data: or an http(s) URL")
    if family == "image":
        return Image(media, at=at)
    if family == "audio" and media.data:
        return Audio(_FORMATS.get(media.mime, media.mime.partition("/")[2]), media.data, at=at)
    return File(media, part.text("filename", ""), at=at)


def _choose_mime(declared: str, family: str, media: Media) -> str:
    """The declared type when it is whole, else the URL's if it is of that family, else what the bytes say."""
    if "/" in declared:
        return declared
    return media.mime if media.mime.startswith(f"{family}/") else sniff(media.data) or media.mime

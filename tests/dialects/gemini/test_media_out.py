"""Images, sounds and files for Google."""

from dataclasses import replace

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.media_out import build_media
from proxy.dialects.gemini.rules import Rules, find_rules
from proxy.dialects.parts import Audio, File, Image, Json, Media
from tests.helpers.gemini import make_request, make_target

RULES = find_rules(make_target())
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"


def build(part: Image | File | Audio, rules: Rules = RULES) -> Json:
    return build_media(part, rules, Fitting(make_request(), make_target()))


def inline(mime: str, data: str) -> Json:
    return {"inlineData": {"mimeType": mime, "data": data}}


def test_by_value() -> None:
    assert build(Image(Media("image/png", PNG))) == inline("image/png", PNG)
    assert build(Image(Media("image/jpeg", PNG))) == inline("image/png", PNG)
    assert build(Image(Media("", url=f"data:image/png;base64,{PNG}"))) == inline("image/png", PNG)
    assert build(File(Media("application/pdf", "JVBERi0x"))) == inline("application/pdf", "JVBERi0x")
    assert build(File(Media("", "JVBERi0x"))) == inline("application/pdf", "JVBERi0x")
    assert build(Audio("wav", "QUJD")) == inline("audio/wav", "QUJD")
    assert build(Audio("mp3", "QU-_")) == inline("audio/mpeg", "QU+/")
    assert build(Audio("flac", "QUJD")) == inline("audio/flac", "QUJD")


@pytest.mark.parametrize(
    ("media", "data"),
    [
        (Media("image/webp", url="https://x.example/a"), {"mimeType": "image/webp", "fileUri": "https://x.example/a"}),
        (Media("", url="https://x.example/a.JPG?x=1"), {"mimeType": "image/jpeg", "fileUri": "https://x.example/a.JPG?x=1"}),
        (Media("image/*", url="https://x.example/a"), {"fileUri": "https://x.example/a"}),
        (Media("", url="gs://b/a.png"), {"mimeType": "image/png", "fileUri": "gs://b/a.png"}),
    ],
)  # fmt: skip
def test_by_reference(media: Media, data: Json) -> None:
    assert build(Image(media)) == {"fileData": data}


@pytest.mark.parametrize(
    ("part", "rules"),
    [
        (Image(Media("image/gif", "R0lGODdhAQABAA=="), at="here"), RULES),
        (Image(Media("image/png", "?"), at="here"), RULES),
        (Image(Media("", file_id="file-1"), at="here"), RULES),
        (Image(Media("", url="ftp://x.example/a.png"), at="here"), RULES),
        (Image(Media("", url="https://[x"), at="here"), RULES),
        (Image(Media("", url="https://x.example/a.png"), at="here"), replace(RULES, references=False)),
        (Image(Media("image/png", PNG), at="here"), replace(RULES, images=frozenset())),
        (File(Media("", "QUJD"), at="here"), RULES),
        (File(Media("text/plain", "?"), at="here"), RULES),
        (Audio("wav", "?", at="here"), RULES),
        (Audio("wav", "QUJD", at="here"), replace(RULES, audio=False)),
    ],
)
def test_what_cannot_go_is_named(part: Image | File | Audio, rules: Rules) -> None:
    with pytest.raises(Invalid) as caught:
        build(part, rules)
    assert caught.value.param == "here"


def test_detail_has_no_counterpart() -> None:
    fitting = Fitting(make_request(), make_target())
    build_media(Image(Media("image/png", PNG), "high"), RULES, fitting)
    assert fitting.dropped == ["detail"]

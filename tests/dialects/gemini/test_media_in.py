"""Images, sounds and files of callers."""

from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.gemini.loose import Loose
from proxy.dialects.gemini.media_in import parse_file, parse_inline
from proxy.dialects.parts import Audio, File, Image, Media, Opaque, Part


def inline(**fields: Any) -> Part:
    return parse_inline(Loose({"inlineData": fields}, "p"))


def file(**fields: Any) -> Part:
    return parse_file(Loose({"file_data": fields}, "p"))


@pytest.mark.parametrize("data", ["+/8=", "-_8", "-_8=", "+/\n8="])
def test_base64_of_any_spelling_becomes_the_standard_one(data: str) -> None:
    assert inline(mimeType="image/PNG", data=data) == Image(Media("image/png", "+/8="))
    assert inline(mime_type="image/jpg", data=data) == Image(Media("image/jpeg", "+/8="))


def test_kinds_by_media_type() -> None:
    assert inline(mimeType="audio/wav", data="QUJD") == Audio("wav", "QUJD")
    assert inline(mimeType="audio/mp3", data="QUJD") == Audio("mp3", "QUJD")
    assert inline(mimeType="audio/flac", data="QUJD") == Audio("flac", "QUJD")
    assert inline(mimeType="application/pdf", data="QUJD", displayName="a.pdf") == File(
        Media("application/pdf", "QUJD"), "a.pdf"
    )
    assert inline(mimeType="video/mp4", data="QUJD") == File(Media("video/mp4", "QUJD"))


def test_references() -> None:
    assert file(fileUri="https://x.example/a", mimeType="image/png") == Image(
        Media("image/png", url="https://x.example/a")
    )
    assert file(file_uri="https://x.example/a", mime_type="application/pdf") == File(
        Media("application/pdf", url="https://x.example/a")
    )


@pytest.mark.parametrize(
    "uri", ["gs://b/x", "https://generativelanguage.googleapis.com/v1beta/files/1", "https://www.youtube.com/watch?v=1"]
)
def test_what_only_google_can_follow_stays_its_own(uri: str) -> None:
    fields = {"fileUri": uri} if "youtube" in uri else {"fileUri": uri, "mimeType": "image/png"}
    assert file(**fields) == Opaque("gemini", {"file_data": fields})


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"mimeType": "image/png"}, "p.inlineData.data"),
        ({"mimeType": "image/png", "data": ""}, "p.inlineData.data"),
        ({"mimeType": "image/png", "data": "?"}, "p.inlineData.data"),
        ({"mimeType": "image/png", "data": 3}, "p.inlineData.data"),
        ({"data": "QUJD"}, "p.inlineData.mimeType"),
        ({"mimeType": "png", "data": "QUJD"}, "p.inlineData.mimeType"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Invalid) as caught:
        inline(**fields)
    assert caught.value.param == param


def test_a_reference_needs_its_uri() -> None:
    with pytest.raises(Invalid) as caught:
        file(mimeType="image/png")
    assert caught.value.param == "p.file_data.fileUri"

"""The parts of a message's content, and what is wrong with some."""

import base64
from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.fields import Fields
from proxy.dialects.openai_chat.content_in import parse_content, read_arguments
from proxy.dialects.parts import Audio, File, Image, Media, Opaque, Part, Refusal, Text

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8)).decode()
PDF = base64.b64encode(b"%PDF-1.7").decode()


def read(content: Any) -> tuple[Part, ...]:
    return parse_content(Fields({"content": content}, "messages[0]"), "openai-chat")


def test_texts() -> None:
    assert read("a") == (Text("a"),)
    assert read(None) == read("") == read([]) == ()
    assert read([{"type": "text", "text": " a"}, {"type": "refusal", "refusal": "b"}]) == (Text(" a"), Refusal("b"))


def test_cache_marks_are_kept() -> None:
    mark = {"type": "ephemeral"}
    (part,) = read([{"type": "text", "text": "a", "cache_control": mark}])
    assert part.cache == mark


@pytest.mark.parametrize(
    ("url", "media"),
    [
        (f"data:image/png;base64,{PNG}", Media("image/png", PNG)),
        (f"DATA:image/PNG;charset=x;base64,{PNG[:8]} {PNG[8:]}", Media("image/png", PNG)),
        (f"data:image/jpg;base64,{PNG}", Media("image/jpeg", PNG)),
        ("data:image/svg+xml,%3Csvg%3E", Media("image/svg+xml", "PHN2Zz4=")),
        ("https://x/y.png", Media("", url="https://x/y.png")),
        ("HTTP://x/y.png", Media("", url="HTTP://x/y.png")),
    ],
)
def test_images(url: str, media: Media) -> None:
    assert read([{"type": "image_url", "image_url": {"url": url, "detail": "low"}}]) == (Image(media, "low"),)
    (image,) = read([{"type": "image_url", "image_url": url}])
    assert (image, image.at) == (Image(media), "messages[0].content[0].image_url")


def test_audio_and_files() -> None:
    assert read(
        [
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a.pdf"}},
            {"type": "file", "file": {"file_data": PDF}},
            {"type": "file", "file": {"file_data": "YWJj", "filename": "a.TXT"}},
            {"type": "file", "file": {"file_data": "YWJj", "filename": "a.xyz"}},
            {"type": "file", "file": {"file_id": "file-1"}},
        ]
    ) == (
        Audio("wav", "AAAA"),
        File(Media("application/pdf", PDF), "a.pdf"),
        File(Media("application/pdf", PDF)),
        File(Media("text/plain", "YWJj"), "a.TXT"),
        File(Media("application/octet-stream", "YWJj"), "a.xyz"),
        File(Media("", file_id="file-1")),
    )


def test_a_part_that_nobody_knows_stays_as_it_is() -> None:
    part = {"type": "video_url", "video_url": {"url": "x"}}
    assert read([part]) == (Opaque("openai-chat", part),)


@pytest.mark.parametrize(
    ("content", "param"),
    [
        (7, "content"),
        ([7], "content[0]"),
        ([{}], "content[0].type"),
        ([{"type": "text"}], "content[0].text"),
        ([{"type": "text", "text": 7}], "content[0].text"),
        ([{"type": "image_url"}], "content[0].image_url"),
        ([{"type": "image_url", "image_url": {}}], "content[0].image_url.url"),
        ([{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}], "content[0].image_url.url"),
        ([{"type": "image_url", "image_url": {"url": "data:image/png;base64,*"}}], "content[0].image_url.url"),
        ([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}], "content[0].image_url.url"),
        ([{"type": "input_audio", "input_audio": {"data": "*", "format": "wav"}}], "content[0].input_audio.data"),
        ([{"type": "input_audio", "input_audio": {"data": "AAAA"}}], "content[0].input_audio.format"),
        ([{"type": "input_audio"}], "content[0].input_audio"),
        ([{"type": "file", "file": {}}], "content[0].file.file_data"),
        ([{"type": "file", "file": {"file_data": "*"}}], "content[0].file.file_data"),
        ([{"type": "file", "file": {"file_data": "data:x;base64,*"}}], "content[0].file.file_data"),
    ],
)
def test_what_is_wrong_is_named(content: Any, param: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(content)
    assert refused.value.param == f"messages[0].{param}"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "{}"), ("", "{}"), (" \n", "{}"), ('{"a": 1}', '{"a": 1}'), ({"a": 1}, '{"a":1}'), ("oops", "oops")],
)
def test_arguments(value: Any, text: str) -> None:
    assert read_arguments(Fields({"arguments": value}, "f")) == text


def test_arguments_of_a_wrong_type() -> None:
    with pytest.raises(Invalid, match=r"f\.arguments"):
        read_arguments(Fields({"arguments": 7}, "f"))

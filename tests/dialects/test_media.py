"""Data URLs, base64 in any spelling, and types that are what the bytes are."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.chat import Invalid
from proxy.dialects.media import fit_base64, fit_image, fit_mime, parse_data_url, sniff
from proxy.dialects.parts import Image, Media
from tests.helpers.feeds import fuzz

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
ALLOWED = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


@fuzz
@given(st.binary(min_size=1, max_size=80), st.booleans(), st.booleans(), st.integers(1, 80))
def test_every_spelling_of_base64_is_read(data: bytes, url_safe: bool, padded: bool, width: int) -> None:
    text = (base64.urlsafe_b64encode(data) if url_safe else base64.b64encode(data)).decode()
    text = text if padded else text.rstrip("=")
    text = "\r\n".join(text[at : at + width] for at in range(0, len(text), width))
    assert fit_base64(text) == encode(data)
    assert parse_data_url(f"data:image/png;base64,{text}") == Media("image/png", encode(data))


@pytest.mark.parametrize("text", ["A", "AAAAA", "é", "A=A", "AA$A", "{}", "\ud800"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        fit_base64(text)


@pytest.mark.parametrize("text", ["", " \n", "=="])
def test_nothing_is_base64_of_nothing(text: str) -> None:
    assert fit_base64(text) == ""


@pytest.mark.parametrize(
    ("url", "mime", "data"),
    [
        ("data:image/png;base64,AAAA", "image/png", "AAAA"),
        ("DATA:Image/PNG;BASE64,AAAA", "image/png", "AAAA"),
        ("data:image/jpg;charset=utf-8;base64,AAA", "image/jpeg", "AAA="),
        ("data:image/png; base64 ,AA AA", "image/png", "AAAA"),
        ("data:image/png;base64,%2B%2F%3D", "image/png", "+/=="),
        ("data:,a%20b", "text/plain", encode(b"a b")),
        ("data:text/html,<p>é", "text/html", encode("<p>é".encode())),
        ("data:;base64,AAAA", "text/plain", "AAAA"),
        ("data:text/plain,a,b", "text/plain", encode(b"a,b")),
    ],
)
def test_a_data_url_is_read(url: str, mime: str, data: str) -> None:
    assert parse_data_url(url) == Media(mime, data)


@pytest.mark.parametrize(
    "url", ["", "data:", "data:image/png;base64", "data:image/png;base64,", "data:,", "data:image/png;base64,A",
            "data:image/png;base64,%", "https://a/data:,x", "gs://data", "AAAA"],
)  # fmt: skip
def test_any_other_url_is_none(url: str) -> None:
    assert parse_data_url(url) is None


@fuzz
@given(st.text(max_size=40))
def test_no_url_raises(rest: str) -> None:
    parse_data_url(rest)
    parse_data_url("data:" + rest)


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (b"GIF89a" + b"\0" * 9, "image/gif"),
        (b"GIF87a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"\0\0\0\x20ftypavif", "image/avif"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"RIFF\0\0\0\0AVI ", ""),
        (b"<svg xmlns=''/>", ""),
        (b"", ""),
    ],
)
def test_the_first_bytes_tell_the_type(head: bytes, mime: str) -> None:
    assert sniff(encode(head)) == mime
    assert sniff(encode(head + bytes(100))) == mime


@pytest.mark.parametrize("data", ["é", "A", "!!!!", "A" * 31])
def test_nothing_raises_for_what_cannot_be_read(data: str) -> None:
    assert sniff(data) == ""


@pytest.mark.parametrize(
    ("mime", "fitted"),
    [("image/jpg", "image/jpeg"), ("Image/PNG; q=1", "image/png"), ("", ""), ("audio/mp3", "audio/mpeg")],
)
def test_types_have_one_name(mime: str, fitted: str) -> None:
    assert fit_mime(mime) == fitted


@pytest.mark.parametrize(
    ("declared", "data", "mime"),
    [
        ("image/png", PNG, "image/png"),
        ("image/jpeg", PNG, "image/png"),
        ("image/jpg", JPEG, "image/jpeg"),
        ("image/heic", JPEG, "image/jpeg"),
        ("", JPEG, "image/jpeg"),
        ("image/jpg", b"unknown", "image/jpeg"),
    ],
)
def test_an_image_has_the_type_of_its_bytes(declared: str, data: bytes, mime: str) -> None:
    fitted = fit_image(Image(Media(declared, encode(data)), "low", at="x", cache={}), ALLOWED)
    assert fitted == Image(Media(mime, encode(data)), "low", cache={})
    assert fitted.at == "x"


@pytest.mark.parametrize("data", [encode(b"%PDF-1.7"), encode(b"unknown"), "A", "é"])
def test_what_is_no_allowed_image_is_refused_where_it_stands(data: str) -> None:
    with pytest.raises(Invalid) as refused:
        fit_image(Image(Media("image/bmp", data), at="messages[0].content[1]"), ALLOWED)
    assert refused.value.param == "messages[0].content[1]"
    assert data not in str(refused.value)


@pytest.mark.parametrize("media", [Media("image/bmp", url="https://a/b"), Media("", file_id="file-1")])
def test_an_image_by_reference_is_nobodys_business(media: Media) -> None:
    image = Image(media)
    assert fit_image(image, ALLOWED) is image


def test_an_image_that_is_well_is_not_copied() -> None:
    image = Image(Media("image/png", encode(PNG)))
    assert fit_image(image, ALLOWED) is image
    spelled = Image(Media("image/png", encode(PNG).rstrip("=")))
    assert fit_image(spelled, ALLOWED) == image

"""Media: strict base64, types told by their first bytes, references told as such."""

import base64

import pytest

from proxy.demo.media import build_media, decode_base64, read_data_url, read_file_url, read_image, sniff
from tests.helpers.demo_dialects import PNG

JPEG, GIF, WEBP, PDF = b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF1234WEBPVP8 ", b"%PDF-1.7"


@pytest.mark.parametrize(
    ("data", "mime"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp"), (b"RIFF1234WAVE", "")],
)
def test_types_are_told_by_first_bytes(data: bytes, mime: str) -> None:
    assert sniff(data) == mime


def test_image_must_be_what_it_is_said_to_be() -> None:
    assert read_image("image/png", PNG).size == len(PNG)
    for mime, data in (("image/jpeg", PNG), ("image/jpg", JPEG), ("image/bmp", b"BM"), ("image/png", b"")):
        with pytest.raises(ValueError, match="image"):
            read_image(mime, data)


@pytest.mark.parametrize("text", ["a", "ab==\n", "a b=", "-_8=", "ab=", "ä"])
def test_base64_is_strict(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        decode_base64(text)


def test_the_other_alphabet_is_taken_where_it_is() -> None:
    data = bytes(range(250, 256)) * 3
    for text in (base64.urlsafe_b64encode(data).decode(), base64.b64encode(data).decode().rstrip("=")):
        assert decode_base64(text, urlsafe=True) == data


def test_urls() -> None:
    text = base64.b64encode(PNG).decode()
    found = read_data_url(f"data:image/png;name=x;base64,{text}")
    assert (found.mime, found.size) == ("image/png", len(PNG))
    assert "by reference" in read_data_url("https://example.com/x.png").describe()
    for url in (
        "ftp://x/y",
        f"data:image/png,{text}",
        f"data:image/jpeg;base64,{text}",
        text,
        "data:image/png;base64,*",
    ):
        with pytest.raises(ValueError, match=r"."):
            read_data_url(url)
    assert read_file_url("data:application/pdf;base64," + base64.b64encode(PDF).decode()).mime == "application/pdf"
    with pytest.raises(ValueError, match="PDF"):
        read_file_url(f"data:application/pdf;base64,{text}")


def test_description_changes_with_every_byte() -> None:
    assert build_media("a/b", b"1").describe() != build_media("a/b", b"2").describe()

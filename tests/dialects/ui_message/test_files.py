"""File parts by value and by reference, with whole and half media types."""

from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.fields import Fields
from proxy.dialects.parts import Audio, File, Image, Media, Part
from proxy.dialects.ui_message.files import read_file

PNG = "iVBORw0KGgo="


def read(**part: Any) -> Part:
    return read_file(Fields(part, "messages[0].parts[1]"))


@pytest.mark.parametrize(
    ("url", "mime", "wanted"),
    [
        (f"data:image/png;base64,{PNG}", "image/png", Image(Media("image/png", PNG))),
        (f"DATA:;base64,{PNG}", "image/png", Image(Media("image/png", PNG))),
        (f"data:image/png;base64,{PNG}", "image/jpeg", Image(Media("image/jpeg", PNG))),
        (f"data:image/png;base64,{PNG}", "image", Image(Media("image/png", PNG))),
        (f"data:image/webp;base64,{PNG}", "image/*", Image(Media("image/webp", PNG))),
        (f"data:;base64,{PNG}", "image/*", Image(Media("image/png", PNG))),
        (f"data:image/jpg;base64,{PNG}", "image/jpg", Image(Media("image/jpeg", PNG))),
        ("https://x.example/a.png", "image/png", Image(Media("image/png", url="https://x.example/a.png"))),
        ("HTTP://x.example/a", "image", Image(Media("", url="HTTP://x.example/a"))),
        ("data:audio/wav;base64,UklG", "audio/wav", Audio("wav", "UklG")),
        ("data:audio/mp3;base64,SUQz", "audio/mp3", Audio("mp3", "SUQz")),
        ("https://x.example/a.mp3", "audio/mpeg", File(Media("audio/mpeg", url="https://x.example/a.mp3"))),
        ("data:application/pdf;base64,JVBERi0=", "application/pdf", File(Media("application/pdf", "JVBERi0="))),
        ("data:text/plain,a%20b", "text/plain", File(Media("text/plain", "YSBi"))),
    ],
)
def test_what_a_file_is(url: str, mime: str, wanted: Part) -> None:
    found = read(type="file", url=url, mediaType=mime)
    assert found == wanted
    assert found.at == "messages[0].parts[1].url"


def test_a_file_keeps_its_name() -> None:
    found = read(url="data:application/pdf;base64,JVBERi0=", mediaType="application/pdf", filename="a b.pdf")
    assert isinstance(found, File)
    assert found.name == "a b.pdf"


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"mediaType": "image/png"}, "url"),
        ({"mediaType": "image/png", "url": ""}, "url"),
        ({"mediaType": "image/png", "url": 5}, "url"),
        ({"mediaType": "image/png", "url": "blob:http://x/1"}, "url"),
        ({"mediaType": "image/png", "url": "file:///etc/passwd"}, "url"),
        ({"mediaType": "image/png", "url": "data:image/png;base64"}, "url"),
        ({"mediaType": "image/png", "url": "data:image/png;base64,"}, "url"),
        ({"mediaType": "image/png", "url": "data:image/png;base64,%%%"}, "url"),
        ({"url": "https://x.example/a.png"}, "mediaType"),
        ({"mediaType": "", "url": "https://x.example/a.png"}, "mediaType"),
        ({"mediaType": "image/png", "url": "data:image/png,x", "filename": 1}, None),
        ({"mediaType": "text/plain", "url": "data:text/plain,x", "filename": 1}, "filename"),
    ],
)
def test_what_is_refused_with_its_place(part: Any, param: str | None) -> None:
    if param is None:
        assert isinstance(read(**part), Image)
        return
    with pytest.raises(Invalid) as caught:
        read(**part)
    assert caught.value.param == f"messages[0].parts[1].{param}"

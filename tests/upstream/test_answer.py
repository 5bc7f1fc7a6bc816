"""Which heads may go on, and the framing behind them."""

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.upstream.answer import check_head, choose_framing, get_length
from proxy.wire.framing import ChunkedBody, EofBody, LengthBody
from proxy.wire.headers import Headers


def build(*pairs: tuple[bytes, bytes]) -> Headers:
    return Headers(pairs)


@pytest.mark.parametrize("status", [200, 204, 404, 599, 999])
def test_a_final_status_goes_on(status: int) -> None:
    check_head(status, "Fine \t é", build((b"X", b"a\tb \xff")))


@pytest.mark.parametrize("status", [0, 99, 100, 101, 199, 1000, 2000])
def test_what_is_no_final_status_does_not(status: int) -> None:
    with pytest.raises(UpstreamFault) as caught:
        check_head(status, "", build())
    assert str(caught.value) == f"upstream_protocol (status {status})"


@pytest.mark.parametrize("byte", ["\x00", "\x01", "\n", "\r", "\x1f", "\x7f"])
def test_a_control_byte_in_reason_or_value_is_a_fault(byte: str) -> None:
    for reason, value in ((f"a{byte}b", ""), ("", f"a{byte}b")):
        with pytest.raises(UpstreamFault) as caught:
            check_head(200, reason, build((b"X", value.encode())))
        assert caught.value.code is Code.PROTOCOL


def test_a_reason_that_is_no_utf_8_goes_on() -> None:
    check_head(200, b"\xff".decode("utf-8", "surrogateescape"), build())


@pytest.mark.parametrize(("values", "length"), [([], None), ([b"0"], 0), ([b"12"], 12), ([b"0012"], 12)])
def test_the_announced_length(values: list[bytes], length: int | None) -> None:
    assert get_length(build(*[(b"Content-Length", value) for value in values])) == length


@pytest.mark.parametrize("values", [[b""], [b"+1"], [b"-1"], [b"1_0"], [b"1, 1"], [b"1", b"1"], [b"1" * 19], [b"0x1"]])
def test_a_length_that_is_none_is_a_fault(values: list[bytes]) -> None:
    with pytest.raises(UpstreamFault):
        get_length(build(*[(b"Content-Length", value) for value in values]))


@pytest.mark.parametrize(
    ("method", "status", "coding", "length", "kind"),
    [
        ("GET", 200, None, 3, LengthBody),
        ("GET", 200, None, 0, None),
        ("GET", 200, None, None, EofBody),
        ("GET", 200, b"chunked", None, ChunkedBody),
        ("GET", 200, b"Chunked", None, ChunkedBody),
        ("GET", 404, b"chunked", 3, ChunkedBody),
        ("HEAD", 200, None, 3, None),
        ("HEAD", 200, b"chunked", None, None),
        ("GET", 204, None, None, None),
        ("GET", 304, None, 3, None),
        ("GET", 304, b"chunked", None, None),
    ],
)
def test_the_framing_behind_a_head(
    method: str, status: int, coding: bytes | None, length: int | None, kind: type | None
) -> None:
    headers = build((b"Transfer-Encoding", coding)) if coding else build()
    decoder = choose_framing(method, status, headers, length)
    assert type(decoder) is (kind or type(None))


@pytest.mark.parametrize("codings", [[b"gzip, chunked"], [b"gzip"], [b"chunked", b"chunked"], [b""], [b"identity"]])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_coding_that_is_not_undone_is_a_fault(method: str, codings: list[bytes]) -> None:
    headers = build(*[(b"Transfer-Encoding", coding) for coding in codings])
    with pytest.raises(UpstreamFault) as caught:
        choose_framing(method, 200, headers, None)
    assert caught.value.detail == "transfer coding"

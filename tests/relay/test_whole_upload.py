"""A body that is here already, as the relay's Upload."""

import pytest

from proxy.relay.whole_upload import WholeUpload


@pytest.mark.parametrize("body", [b"", b"a", b"x" * 100_000])
async def test_it_is_taken_whole_or_read_in_one_piece(body: bytes) -> None:
    upload = WholeUpload(body)
    assert (upload.length, upload.taken) == (len(body), 0)
    assert upload.take_whole() is body
    assert upload.taken == len(body)

    upload = WholeUpload(body)
    assert [piece async for piece in upload.read()] == ([body] if body else [])
    assert upload.taken == len(body)

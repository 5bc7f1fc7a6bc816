"""One Chromium for all of these tests, with pages that share nothing."""

from collections.abc import Iterator

import pytest

from tests.helpers.chromium import sharing


@pytest.fixture(scope="session", autouse=True)
def chromium() -> Iterator[None]:
    with sharing():
        yield

"""What end-to-end tests share: both ways of opening an upstream, a certificate authority for the run, a port
where nobody listens."""

import socket
from collections.abc import Iterator

import pytest

from tests.helpers.certificates import Authority, make_authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=[False, True], ids=["push", "pull"])
def pull(request: pytest.FixtureRequest) -> bool:
    """Without and with the opener that does not need the hand-over."""
    return bool(request.param)


@pytest.fixture
def dead_port() -> Iterator[int]:
    """Nobody listens there, and nobody else will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]

"""What end-to-end tests share: both ways of opening an upstream, and a certificate authority for the run."""

import pytest

from tests.helpers.certificates import Authority, make_authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=[False, True], ids=["push", "pull"])
def pull(request: pytest.FixtureRequest) -> bool:
    """Without and with the opener that does not need the hand-over."""
    return bool(request.param)

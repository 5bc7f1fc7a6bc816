"""The programs in front, and both ways behind them."""

import pytest

from tests.e2e.conftest import authority as authority
from tests.helpers.front import PROGRAMS


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if PROGRAMS[name].path is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture(params=["tcp", "unix"])
def way(request: pytest.FixtureRequest) -> str:
    """How the program reaches the proxy."""
    return str(request.param)

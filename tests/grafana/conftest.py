"""What the dashboard and the alerts are tried on: one proxy's scrapes, made once."""

import asyncio

import pytest

from tests.helpers.observed import Observed, observe
from tests.helpers.promql import History


@pytest.fixture(scope="session")
def observed() -> Observed:
    return asyncio.run(observe())


@pytest.fixture(scope="session")
def history(observed: Observed) -> History:
    return observed.history

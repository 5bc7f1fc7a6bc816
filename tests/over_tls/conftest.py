"""What holds for callers on a plain connection holds by TLS: here other suites' tests run against a listener with a
certificate. How the upstream is opened makes no difference there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import authority as authority
from tests.e2e.conftest import dead_port as dead_port
from tests.helpers.certificates import Authority
from tests.helpers.over_tls import over_tls


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.long)


@pytest.fixture
def pull() -> bool:
    return False


@pytest.fixture(autouse=True)
def by_tls(authority: Authority) -> Iterator[None]:
    with over_tls(authority):
        yield

"""One machine with the service running for the tests of a module, or the reason why there is none."""

from collections.abc import Iterator

import pytest

from tests.helpers.installed import FULL_CONFIG, put_demo, put_service
from tests.helpers.systemd import Machine, find_obstacle


@pytest.fixture(scope="module")
def bare() -> Iterator[Machine]:
    """Nothing of the service in it yet."""
    if obstacle := find_obstacle():
        pytest.skip(obstacle)
    with Machine() as machine:
        yield machine


@pytest.fixture(scope="module")
def machine(bare: Machine) -> Iterator[Machine]:
    """Blue serves, enabled, and an upstream of every dialect is beside it."""
    put_service(bare, FULL_CONFIG)
    bare.systemctl("enable", "--now", "penstock.socket", "penstock.service", "penstock@blue")
    with put_demo(bare):
        yield bare
